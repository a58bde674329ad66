//! Chromium, driven over `WebDriver`.
//!
//! Of the protocol this needs six calls with JSON bodies. The client crates bring
//! a hundred crates for the others, among them one that `deny.toml` bans.

use std::process::Stdio;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
    time::timeout,
};

use super::{DEADLINE, eventually};

/// A browser with a fresh profile; closed when dropped.
pub struct Chromium {
    /// The address of its `WebDriver` session.
    session: String,
    http: reqwest::Client,
    _driver: Child,
    _profile: TempDir,
}

impl Chromium {
    /// Starts one for which these names lead to this machine.
    pub async fn start(names: &[&str]) -> Self {
        let missing = "chromium and chromium-driver are needed: `make deps-test` installs them";
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect(missing);
        let mut lines = BufReader::new(driver.stdout.take().expect("piped")).lines();
        let port = loop {
            let line = timeout(DEADLINE, lines.next_line()).await.expect("in time").expect("readable");
            let line = line.expect("it says its port");
            if let Some(port) = line.strip_prefix("ChromeDriver was started successfully on port ") {
                break port.trim_end_matches('.').to_owned();
            }
        };
        let profile = tempfile::tempdir().expect("a temporary directory");
        let http = reqwest::Client::new();
        let address = format!("http://127.0.0.1:{port}/session");
        let options = options(names, &profile);
        let made = http.post(&address).json(&options).send().await.expect("an answer");
        let made: Value = made.json().await.expect("JSON");
        let id = made["value"]["sessionId"].as_str().unwrap_or_else(|| panic!("{missing}: {made}"));
        Self { session: format!("{address}/{id}"), http, _driver: driver, _profile: profile }
    }

    async fn command(&self, name: &str, body: Value) -> Value {
        let request = self.http.post(format!("{}/{name}", self.session)).json(&body);
        let answer = timeout(DEADLINE, request.send()).await.expect("in time").expect("an answer");
        let answer: Value = answer.json().await.expect("JSON");
        assert!(answer["value"]["error"].is_null(), "{name}: {answer}");
        answer["value"].clone()
    }

    /// Goes to an address, and returns when its page is there.
    pub async fn go(&self, address: &str) {
        self.command("url", json!({ "url": address })).await;
    }

    /// Runs JavaScript in the page, as if the page itself did; what it returns.
    pub async fn run(&self, script: &str) -> Value {
        self.command("execute/sync", json!({"script": script, "args": []})).await
    }

    /// The same once `script` returns something other than null.
    pub async fn wait_for(&self, script: &str) -> Value {
        eventually(script, || async { Some(self.run(script).await).filter(|value| !value.is_null()) }).await
    }

    /// Clicks what `selector` finds, as a person does.
    pub async fn click(&self, selector: &str) {
        let found = self.command("element", json!({"using": "css selector", "value": selector})).await;
        let id = found.as_object().and_then(|object| object.values().next()).and_then(Value::as_str);
        self.command(&format!("element/{}/click", id.expect("an element")), json!({})).await;
    }
}

fn options(names: &[&str], profile: &TempDir) -> Value {
    let rules: Vec<String> = names.iter().map(|name| format!("MAP {name} 127.0.0.1")).collect();
    let mut args = vec![
        "--headless=new".to_owned(),
        "--no-first-run".to_owned(),
        "--disable-background-networking".to_owned(),
        "--disable-dev-shm-usage".to_owned(),
        "--disable-gpu".to_owned(),
        "--disable-popup-blocking".to_owned(),
        format!("--host-resolver-rules={}", rules.join(", ")),
        format!("--user-data-dir={}", profile.path().display()),
    ];
    // Its own sandbox refuses to run as root.
    if nix::unistd::Uid::effective().is_root() {
        args.push("--no-sandbox".to_owned());
    }
    json!({"capabilities": {"alwaysMatch": {"browserName": "chrome", "goog:chromeOptions": {"args": args}}}})
}
