//! The program over its life: killed at its work, its database killed, told to stop.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::json;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::Child,
    time::timeout,
};

use crate::support::{
    DEADLINE, PICLOUD,
    app::PASSWORD,
    eventually,
    http::{Answer, Person},
    postgres::DataDir,
};

/// `picloud serve` on a data directory, ready.
struct Serve {
    child: Child,
    /// Somebody who calls it, without credentials.
    nobody: Person,
    /// Keeps what it prints from being refused.
    _output: tokio::io::Lines<BufReader<tokio::process::ChildStdout>>,
}

impl Serve {
    /// Starts it as a person would, and waits until it says where it answers.
    async fn start(data_dir: &DataDir) -> Self {
        let mut command = Command::new(PICLOUD);
        command.args(["serve", "--log", "error", "--listen", "127.0.0.1:0", "--data-dir"]);
        command.arg(data_dir.path()).env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = tokio::process::Command::from(command).kill_on_drop(true).spawn().expect("it runs");
        let mut output = BufReader::new(child.stdout.take().expect("piped")).lines();
        let line = timeout(DEADLINE, output.next_line()).await.expect("in time").expect("readable");
        let line = line.expect("it says where it answers");
        let address = line.strip_prefix("PiCloud is ready: http://").expect("an address");
        let address = address.trim_end_matches('/').parse().expect("a socket's address");
        Self { child, nobody: Person::new(address), _output: output }
    }

    /// Tells it something; its exit code, none if it died of that.
    async fn end_by(mut self, signal: Signal) -> Option<i32> {
        let id = i32::try_from(self.child.id().expect("it runs")).expect("an id");
        kill(Pid::from_raw(id), signal).expect("it can be told");
        timeout(DEADLINE, self.child.wait()).await.expect("in time").expect("it ends").code()
    }
}

/// Claims the machine, and makes the app `garden` with a script behind a route; the owner.
async fn garden(serve: &Serve) -> Person {
    let who = json!({"username": "ada", "password": PASSWORD});
    let claimed = serve.nobody.post("/api/v1/setup", who).await;
    assert_eq!(claimed.status, 201, "{claimed:?}");
    let owner = serve.nobody.with_token(claimed.json["token"].as_str().expect("a token"));
    assert_eq!(owner.run("garden", "\"grown\"").await.text, "\"grown\"");
    owner
}

/// Asserts that all of the garden is there.
async fn assert_garden(serve: &Serve, owner: &Person) {
    assert_eq!(serve.nobody.get("/~garden/run").await.text, "\"grown\"");
    let setup = serve.nobody.get("/api/v1/setup").await;
    assert_eq!(setup.json["claimed"], true, "{setup:?}");
    let who = json!({"username": "ada", "password": PASSWORD});
    assert_eq!(serve.nobody.post("/api/v1/auth/login", who).await.status, 200);
    let items = async |path: &str| {
        let answer = owner.get(&format!("/api/v1/admin/apps/garden/{path}")).await;
        answer.json["items"].as_array().unwrap_or_else(|| panic!("{path}: {answer:?}")).clone()
    };
    let scripts = items("scripts").await;
    assert_eq!((scripts.len(), &scripts[0]["name"], &scripts[0]["version"]), (1, &json!("run"), &json!(1)));
    let routes = items("routes").await;
    assert_eq!((routes.len(), &routes[0]["path"]), (1, &json!("/run")));
    assert!(!items("executions").await.is_empty(), "what was answered and read in the log is there");
}

/// Processes that work in the data directory or were told of it.
fn processes_of(data_dir: &Path) -> Vec<String> {
    let all = fs::read_dir("/proc").expect("the processes").filter_map(Result::ok);
    let own = all.filter(|process| {
        let directory = fs::read_link(process.path().join("cwd"));
        let words = fs::read_to_string(process.path().join("cmdline")).unwrap_or_default();
        directory.is_ok_and(|directory| directory.starts_with(data_dir))
            || words.split('\0').any(|word| Path::new(word).starts_with(data_dir))
    });
    own.filter_map(|process| fs::read_to_string(process.path().join("cmdline")).ok()).collect()
}

#[tokio::test]
async fn killed_and_started_again_it_has_everything() {
    let data_dir = DataDir::with_cluster().await;
    let first = Serve::start(&data_dir).await;
    let owner = garden(&first).await;
    // Read, so written; a line that nobody has read yet may be lost with the process.
    assert_garden(&first, &owner).await;
    assert_eq!(first.end_by(Signal::SIGKILL).await, None, "it had no time for an exit code");

    let second = Serve::start(&data_dir).await;
    let owner = second.nobody.with_token(owner.token().expect("a token"));
    assert_garden(&second, &owner).await;
    let again = second.nobody.post("/api/v1/setup", json!({"username": "eve", "password": PASSWORD})).await;
    again.problem(409);
    assert_eq!(second.end_by(Signal::SIGTERM).await, Some(0));
}

#[tokio::test]
async fn killed_while_it_writes_it_has_all_it_confirmed() {
    let data_dir = DataDir::with_cluster().await;
    let first = Serve::start(&data_dir).await;
    let owner = garden(&first).await;
    let writing = tokio::spawn({
        let owner = owner.clone();
        async move {
            let mut confirmed = Vec::new();
            loop {
                let name = format!("n{}", confirmed.len());
                let script = json!({"name": name, "source": "1"});
                let request = owner.request("POST", "/api/v1/admin/apps/garden/scripts").json(&script);
                match request.send().await {
                    Ok(answer) if answer.status() == 201 => confirmed.push(name),
                    Ok(answer) => panic!("{answer:?}"),
                    Err(_) => return confirmed,
                }
            }
        }
    });
    eventually("some are written", || async {
        (owner.get("/api/v1/admin/apps/garden/scripts?limit=200").await.json["items"].as_array()?.len() > 10)
            .then_some(())
    })
    .await;
    first.end_by(Signal::SIGKILL).await;
    let confirmed = writing.await.expect("each is made or not answered");
    assert!(confirmed.len() >= 10);

    let second = Serve::start(&data_dir).await;
    let owner = second.nobody.with_token(owner.token().expect("a token"));
    assert_garden_has(&owner, &confirmed).await;
    assert_eq!(second.end_by(Signal::SIGTERM).await, Some(0));
}

/// Asserts that the app has these scripts; one more may have been made and not confirmed.
async fn assert_garden_has(owner: &Person, confirmed: &[String]) {
    let (mut names, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = owner.get(&format!("/api/v1/admin/apps/garden/scripts?limit=200{cursor}")).await;
        let items = page.json["items"].as_array().expect("items");
        names.extend(items.iter().filter_map(|item| item["name"].as_str().map(str::to_owned)));
        let Some(next) = page.json["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    let lost: Vec<_> = confirmed.iter().filter(|name| !names.contains(name)).collect();
    assert!(lost.is_empty(), "{lost:?}");
    assert!(names.len() <= confirmed.len() + 2, "{} of {}", names.len(), confirmed.len());
}

#[tokio::test]
async fn its_database_killed_alone_comes_back_and_so_does_the_api() {
    let data_dir = DataDir::with_cluster().await;
    let serve = Serve::start(&data_dir).await;
    let owner = garden(&serve).await;
    let before = data_dir.postmaster();
    kill(before, Signal::SIGKILL).expect("it runs");
    let is_another = || {
        let file = fs::read_to_string(data_dir.layout().cluster().join("postmaster.pid")).ok()?;
        let id: i32 = file.lines().next()?.parse().ok()?;
        (id != before.as_raw()).then_some(())
    };
    eventually("the API answers from another server", || async {
        let answer: Answer = owner.get("/api/v1/admin/apps/garden").await;
        assert!([200, 503].contains(&answer.status), "{answer:?}");
        assert_eq!(serve.nobody.get("/~garden/run").await.text, "\"grown\"", "a cached script needs none");
        is_another().filter(|()| answer.status == 200)
    })
    .await;
    assert_garden(&serve, &owner).await;
    assert_eq!(serve.end_by(Signal::SIGTERM).await, Some(0));
}

#[tokio::test]
async fn told_to_stop_it_leaves_no_process_behind() {
    let data_dir = DataDir::with_cluster().await;
    let serve = Serve::start(&data_dir).await;
    garden(&serve).await;
    assert!(processes_of(data_dir.path()).len() > 2, "PiCloud, and PostgreSQL with its helpers");
    assert_eq!(serve.end_by(Signal::SIGTERM).await, Some(0));
    assert_eq!(processes_of(data_dir.path()), Vec::<String>::new());
    assert!(!data_dir.layout().cluster().join("postmaster.pid").exists(), "it was stopped in good order");
}
