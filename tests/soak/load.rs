//! Those who call while things break: what they were promised is what is checked.

use std::{
    net::SocketAddr,
    ops::Range,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use reqwest::Client;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// The scripts, by app and name; `sync` ones are answered when they have run.
///
/// Each sees to it that the row's body is the one its request had.
const SCRIPTS: [(&str, &str, bool, &str); 5] = [
    ("garden", "quick", false, ""),
    ("garden", "now", true, "sleep(0.05); 1"),
    ("kitchen", "nap", false, "sleep(0.05);"),
    ("kitchen", "second", false, "if ctx.attempt == 1 { throw \"the first attempt\"; }"),
    ("cellar", "quick", false, ""),
];

const SAME_BODY: &str = "if `${ctx.request.body.n}` != ctx.request.query.n { throw \"another's body\"; }\n";

/// How many call at the same time.
const CALLERS: u64 = 8;

/// Somebody who calls.
#[derive(Clone)]
pub struct Person {
    http: Client,
    token: Option<String>,
}

impl Person {
    /// The first owner of a new instance.
    pub async fn owner(at: SocketAddr) -> Result<Self> {
        let http = Client::builder().timeout(Duration::from_secs(10)).build()?;
        let nobody = Self { http, token: None };
        let who = json!({"username": "ada", "password": "correct horse battery"});
        let made = nobody.made(at, "/api/v1/setup", who).await?;
        Ok(Self { token: made["token"].as_str().map(str::to_owned), ..nobody })
    }

    /// Posts something; the status and the answer.
    pub async fn post(&self, at: SocketAddr, path: &str, body: Value) -> reqwest::Result<(u16, Value)> {
        let mut request = self.http.post(format!("http://{at}{path}")).json(&body);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        let answer = request.send().await?;
        let (status, text) = (answer.status().as_u16(), answer.text().await?);
        Ok((status, serde_json::from_str(&text).unwrap_or(Value::String(text))))
    }

    /// Has durable rows wait, or no more.
    pub async fn pause(&self, at: SocketAddr, paused: bool) -> Result<()> {
        let request = self.http.patch(format!("http://{at}/api/v1/admin/settings"));
        let request = request.bearer_auth(self.token.as_deref().unwrap_or_default());
        let answer = request.json(&json!({"dispatch_paused": paused})).send().await?;
        ensure!(answer.status() == 200, "{answer:?}");
        Ok(())
    }

    /// Makes something that must come to be.
    async fn made(&self, at: SocketAddr, path: &str, body: Value) -> Result<Value> {
        let (status, answer) = self.post(at, path, body).await?;
        ensure!(status == 201, "{path}: {status} {answer}");
        Ok(answer)
    }

    /// Makes an app.
    pub async fn app(&self, at: SocketAddr, slug: &str) -> Result<()> {
        self.made(at, "/api/v1/admin/apps", json!({"slug": slug, "name": slug})).await.map(drop)
    }

    /// Makes a script with a route of its name.
    pub async fn script(&self, at: SocketAddr, app: &str, script: (&str, bool, &str)) -> Result<()> {
        let (name, sync, source) = script;
        let path = format!("/api/v1/admin/apps/{app}/scripts");
        let made = self.made(at, &path, json!({"name": name, "source": source})).await?;
        let path = format!("/api/v1/admin/scripts/{}/routes", made["id"].as_str().context("an id")?);
        let kind = if sync { "sync" } else { "async" };
        let mut route = json!({"host_kind": "any", "path_kind": "exact", "dispatch_mode": kind});
        route["path"] = format!("/{name}").into();
        self.made(at, &path, route).await.map(drop)
    }

    /// Makes what is called under load.
    pub async fn furnish(&self, at: SocketAddr) -> Result<()> {
        for app in ["garden", "kitchen", "cellar"] {
            self.app(at, app).await?;
        }
        for (app, name, sync, source) in SCRIPTS {
            self.script(at, app, (name, sync, &format!("{SAME_BODY}{source}"))).await?;
        }
        Ok(())
    }
}

/// What the callers were told.
#[derive(Default)]
pub struct Tally {
    /// The executions they were promised.
    pub accepted: Vec<String>,
    /// Synchronous calls that were answered well.
    pub answered: u64,
    /// Calls that were refused for the moment.
    pub refused: u64,
    /// Calls that got no answer.
    pub broken: u64,
    /// Answers that should not have been.
    pub odd: Vec<String>,
}

/// The callers.
pub struct Load {
    tally: Arc<Mutex<Tally>>,
    stop: CancellationToken,
    callers: JoinSet<()>,
}

impl Load {
    /// Has them call, each the one or the other of the nodes.
    pub fn start(nodes: &[SocketAddr], owner: &Person, seed: u64) -> Self {
        let mut load =
            Self { tally: Arc::default(), stop: CancellationToken::new(), callers: JoinSet::new() };
        let number = Arc::new(AtomicU64::new(0));
        for index in 0..CALLERS {
            let token = owner.token.clone().filter(|_| index % 2 == 0);
            let caller = Caller {
                person: Person { token, ..owner.clone() },
                nodes: nodes.to_vec(),
                number: number.clone(),
                random: StdRng::seed_from_u64(seed ^ (index + 1)),
                tally: load.tally.clone(),
            };
            load.callers.spawn(caller.call(load.stop.clone()));
        }
        load
    }

    /// Has them end; what they were told.
    pub async fn stop(mut self) -> Tally {
        self.stop.cancel();
        while self.callers.join_next().await.is_some() {}
        std::mem::take(&mut lock(&self.tally))
    }
}

struct Caller {
    person: Person,
    nodes: Vec<SocketAddr>,
    number: Arc<AtomicU64>,
    random: StdRng,
    tally: Arc<Mutex<Tally>>,
}

impl Caller {
    async fn call(mut self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let node = self.nodes[self.random.random_range(0..self.nodes.len())];
            let (app, name, ..) = SCRIPTS[self.random.random_range(0..SCRIPTS.len())];
            let n = self.number.fetch_add(1, Ordering::Relaxed);
            let path = format!("/~{app}/{name}?n={n}");
            let answer = self.person.post(node, &path, json!({"n": n})).await;
            let wait = lock(&self.tally).hear(&path, answer);
            let wait = Duration::from_millis(self.random.random_range(wait));
            let _ = tokio::time::timeout(wait, stop.cancelled()).await;
        }
    }
}

impl Tally {
    /// Notes an answer; how many milliseconds to wait until the next call.
    fn hear(&mut self, path: &str, answer: reqwest::Result<(u16, Value)>) -> Range<u64> {
        let Ok((status, answer)) = answer else {
            self.broken += 1;
            return 20..50;
        };
        match status {
            202 => match answer["execution_id"].as_str() {
                Some(id) => self.accepted.push(id.to_owned()),
                None => self.odd.push(format!("{path}: a 202 without an id: {answer}")),
            },
            200 => self.answered += 1,
            429 | 503 => {
                self.refused += 1;
                return 50..100;
            }
            _ => self.odd.push(format!("{path}: {status} {answer}")),
        }
        5..25
    }
}

/// A panic while it was held would have left it whole.
fn lock(tally: &Mutex<Tally>) -> MutexGuard<'_, Tally> {
    tally.lock().unwrap_or_else(PoisonError::into_inner)
}
