//! The servers under load: the baseline and the product, each a process of its own.

use std::{
    io::{BufRead as _, BufReader},
    net::TcpListener,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tempfile::TempDir;

/// The argument that makes this program the baseline server.
pub(crate) const BASELINE: &str = "--be-the-baseline";

/// How long a start may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// The script under load: it looks at the request and answers JSON.
const SMALL: &str = r#"
let name = if "name" in ctx.request.query { ctx.request.query.name } else { "world" };
#{ hello: name, n: 1 + 2 }
"#;

/// A bare axum server.
pub(crate) struct Baseline {
    child: Child,
    address: String,
}

/// `picloud serve` on a data directory of its own.
pub(crate) struct PiCloud {
    child: Child,
    address: String,
    data: TempDir,
    runtime: tokio::runtime::Runtime,
    http: reqwest::Client,
}

/// Serves one static JSON answer until it is killed.
pub(crate) fn be_baseline() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        println!("{}", listener.local_addr().expect("an address"));
        let answer = async || ([("content-type", "application/json")], r#"{"hello":"world","n":3}"#);
        let router = axum::Router::new().route("/", axum::routing::get(answer));
        let serving = async {
            loop {
                let Ok((stream, _)) = listener.accept().await else { continue };
                let _ = stream.set_nodelay(true);
                let service = hyper_util::service::TowerToHyperService::new(router.clone());
                let io = hyper_util::rt::TokioIo::new(stream);
                tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(io, service));
            }
        };
        let () = serving.await;
    });
}

impl Baseline {
    /// Starts this very program as the baseline.
    pub(crate) fn start() -> Result<Self, String> {
        let program = std::env::current_exe().map_err(|e| e.to_string())?;
        let mut child =
            Command::new(program).arg(BASELINE).stdout(Stdio::piped()).spawn().map_err(|e| e.to_string())?;
        let output = child.stdout.take().ok_or("no output")?;
        let mut address = String::new();
        BufReader::new(output).read_line(&mut address).map_err(|e| e.to_string())?;
        Ok(Self { child, address: address.trim().to_owned() })
    }

    /// The address of a path.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

impl PiCloud {
    /// Starts the product and waits until it is ready.
    pub(crate) fn start() -> Result<Self, String> {
        // As root the product drops to a user of its own, which must be able to reach the directory.
        let data = tempfile::Builder::new()
            .prefix("picloud-bench-")
            .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o755))
            .tempdir_in("/var/tmp")
            .map_err(|e| e.to_string())?;
        let free =
            TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).map_err(|e| e.to_string())?;
        let address = free.to_string();
        let child = spawn(&address, &data)?;
        let runtime = tokio::runtime::Runtime::new().map_err(|e| e.to_string())?;
        let picloud = Self { child, address, data, runtime, http: reqwest::Client::new() };
        picloud.wait_until_ready(Instant::now())?;
        Ok(picloud)
    }

    /// The address of a path.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Claims the instance and makes the app, the script and the route under load.
    pub(crate) fn deploy(&self) -> Result<(), String> {
        let owner = self.post(
            "/api/v1/setup",
            "",
            &json!({"username": "bench", "password": "correct horse battery"}),
        )?;
        let token = owner["token"].as_str().ok_or("no token")?;
        self.post("/api/v1/admin/apps", token, &json!({"slug": "bench", "name": "Bench"}))?;
        let script = json!({"name": "small", "source": SMALL});
        let script = self.post("/api/v1/admin/apps/bench/scripts", token, &script)?;
        let routes = format!("/api/v1/admin/scripts/{}/routes", script["id"].as_str().ok_or("no id")?);
        self.post(
            &routes,
            token,
            &json!({"host_kind": "any", "path_kind": "exact", "path": "/small", "method": "GET"}),
        )?;
        Ok(())
    }

    /// Stops the process and starts it again; how long until it was ready.
    pub(crate) fn restart(&mut self) -> Result<Duration, String> {
        self.stop();
        let start = Instant::now();
        self.child = spawn(&self.address, &self.data)?;
        self.wait_until_ready(start)?;
        Ok(start.elapsed())
    }

    fn wait_until_ready(&self, since: Instant) -> Result<(), String> {
        let ready = self.url("/readyz");
        loop {
            let answer = self.runtime.block_on(self.http.get(&ready).send());
            if answer.is_ok_and(|a| a.status().is_success()) {
                return Ok(());
            }
            if since.elapsed() > PATIENCE {
                return Err("picloud did not become ready".to_owned());
            }
            self.runtime.block_on(async { tokio::time::sleep(Duration::from_millis(5)).await });
        }
    }

    fn post(&self, path: &str, token: &str, body: &Value) -> Result<Value, String> {
        self.runtime.block_on(async {
            let request = self.http.post(self.url(path)).bearer_auth(token).json(body);
            let answer = request.send().await.map_err(|e| e.to_string())?;
            let status = answer.status();
            let text = answer.text().await.map_err(|e| e.to_string())?;
            if !status.is_success() {
                return Err(format!("{path}: {status} {text}"));
            }
            serde_json::from_str(&text).map_err(|e| e.to_string())
        })
    }

    fn stop(&mut self) {
        let _ = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        let _ = self.child.wait();
    }
}

impl Drop for PiCloud {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Drop for Baseline {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn(address: &str, data: &TempDir) -> Result<Child, String> {
    Command::new(env!("CARGO_BIN_EXE_picloud"))
        .args(["serve", "--log", "warn", "--listen", address, "--data-dir"])
        .arg(data.path())
        .spawn()
        .map_err(|e| e.to_string())
}
