//! The engine driven without HTTP or a database: what hostile scripts, the fuzzer and the bench share.
#![allow(dead_code, reason = "each of them uses a part")]

use std::{sync::mpsc, time::Duration};

use picloud::{
    base::id::{AppId, ExecutionId, ScriptId},
    engine::{
        AppRef, Body, Code, Engine, Invocation, Job, Kind, Lane, Limits, LogLimits, Outcome, Request,
        ScriptRef, Settings, body::decode_request,
    },
};
use tokio::runtime::{Builder, Runtime};

/// An engine as the product starts it, with one script that runs at a time.
pub(crate) fn engine(max_memory: usize, memory_of_all: usize) -> Engine {
    picloud::system::memory::return_large_blocks();
    let settings = Settings {
        running: 1,
        in_flight: 2,
        queue: 4,
        compiled_scripts: 64,
        max_call_depth: 128,
        max_memory,
        memory_of_all,
        response_limit: 8 << 20,
        log: LogLimits::default(),
    };
    Engine::start(&settings, &[])
}

/// Runs `code` for a request with `body`, and waits for the outcome at most `patience` long.
pub(crate) fn run(
    engine: &Engine,
    code: Code,
    body: Body,
    limits: Limits,
    patience: Duration,
) -> Option<Outcome> {
    let (sender, receiver) = mpsc::channel();
    let version = match &code {
        Code::Version { version, .. } => Some(*version),
        Code::Draft(_) | Code::Compiled(_) => None,
    };
    let job = Job {
        invocation: invocation(version, body),
        code,
        limits,
        lane: Lane::Interactive,
        done: Box::new(move |outcome| {
            // Who no longer waits does not care.
            let _ = sender.send(outcome);
        }),
    };
    engine.submit(job).ok()?;
    receiver.recv_timeout(patience).ok()
}

fn invocation(version: Option<i32>, body: Body) -> Invocation {
    let execution_id = ExecutionId::new();
    let request = Request {
        method: "POST".to_owned(),
        path: "/".to_owned(),
        host: "garden.local".to_owned(),
        headers: vec![("accept".to_owned(), "*/*".to_owned())],
        query: vec![("a".to_owned(), "1".to_owned()), ("a".to_owned(), "2".to_owned())],
        remote_addr: "192.0.2.7".to_owned(),
        body,
        ..Request::default()
    };
    Invocation {
        execution_id,
        root_execution_id: execution_id,
        request_id: "req-1".to_owned(),
        attempt: 1,
        trigger_depth: 0,
        app: AppRef { id: AppId::new(), slug: "garden".parse().expect("a slug") },
        script: ScriptRef { id: ScriptId::new(), name: "driven".parse().expect("a name"), version },
        kind: Kind::Http,
        request,
        principal: None,
    }
}

/// A runtime for what decodes bodies.
pub(crate) fn runtime() -> Runtime {
    Builder::new_current_thread().build().expect("a runtime")
}

/// A body of JSON, decoded as a front door does.
pub(crate) fn json_body(text: String) -> Body {
    runtime().block_on(decode_request(Some("application/json"), text.into())).expect("it decodes")
}

/// A figure of this process from the kernel, in KiB: `VmRSS:` or `VmHWM:`.
pub(crate) fn status_kib(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(u64::MAX)
}
