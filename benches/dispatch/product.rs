//! The product under load, and what the measurements ask of it.

use std::{
    io::Read as _,
    net::TcpListener,
    os::unix::fs::PermissionsExt as _,
    process::{Child, Command},
    time::{Duration, Instant},
};

use picloud::postgres::Layout;
use serde_json::{Value, json};
use sqlx::{PgPool, postgres::PgPoolOptions};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// How long anything may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(300);

/// `picloud serve` on a data directory of its own.
pub(crate) struct Product {
    child: Child,
    address: String,
    data: TempDir,
    token: String,
    pub(crate) runtime: Runtime,
    pub(crate) http: reqwest::Client,
    pub(crate) db: PgPool,
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// The wall clock, in seconds since 1970, as PostgreSQL tells it too.
pub(crate) fn now() -> Result<f64, String> {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map(|t| t.as_secs_f64()).map_err(text)
}

impl Product {
    /// Starts it and waits until it is ready.
    pub(crate) fn start() -> Result<Self, String> {
        let permissions = std::fs::Permissions::from_mode(0o755);
        let data = tempfile::Builder::new()
            .prefix("picloud-bench-")
            .permissions(permissions)
            .tempdir_in("/var/tmp")
            .map_err(text)?;
        let free = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).map_err(text)?;
        let address = free.to_string();
        let child = spawn(&address, &data)?;
        let runtime = Runtime::new().map_err(text)?;
        let db = {
            let _inside = runtime.enter();
            PgPoolOptions::new()
                .max_connections(2)
                .connect_lazy_with(Layout::new(data.path()).connect_options())
        };
        let product =
            Self { child, address, data, token: String::new(), runtime, http: reqwest::Client::new(), db };
        product.wait_until_ready()?;
        Ok(product)
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Where its PostgreSQL has its socket.
    pub(crate) fn socket(&self) -> String {
        Layout::new(self.data.path()).socket_directory().display().to_string()
    }

    /// Claims it, and makes two apps with a sync and an async route each.
    pub(crate) fn deploy(&mut self) -> Result<(), String> {
        let who = json!({"username": "bench", "password": "correct horse battery"});
        let owner = self.post("/api/v1/setup", &who)?;
        owner["token"].as_str().ok_or("no token")?.clone_into(&mut self.token);
        for app in ["bench", "other"] {
            self.post("/api/v1/admin/apps", &json!({"slug": app, "name": app}))?;
            let trivial = "#{ n: 1 + 2 }";
            let scripts =
                [("now", "sync", trivial), ("later", "async", trivial), ("lasting", "async", "sleep(0.1)")];
            for (name, mode, source) in scripts {
                let script = json!({"name": name, "source": source});
                let script = self.post(&format!("/api/v1/admin/apps/{app}/scripts"), &script)?;
                let routes =
                    format!("/api/v1/admin/scripts/{}/routes", script["id"].as_str().ok_or("no id")?);
                let route = json!({"host_kind": "any", "path_kind": "exact", "path": format!("/{name}"), "dispatch_mode": mode});
                self.post(&routes, &route)?;
            }
        }
        Ok(())
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Result<Value, String> {
        self.call(self.http.post(self.url(path)).json(body))
    }

    /// Has durable rows wait, or no more.
    pub(crate) fn pause(&self, paused: bool) -> Result<(), String> {
        let body = json!({"dispatch_paused": paused});
        self.call(self.http.patch(self.url("/api/v1/admin/settings")).json(&body)).map(drop)
    }

    fn call(&self, request: reqwest::RequestBuilder) -> Result<Value, String> {
        self.runtime.block_on(async {
            let answer = request.bearer_auth(&self.token).send().await.map_err(text)?;
            let status = answer.status();
            let body = answer.text().await.map_err(text)?;
            if !status.is_success() {
                return Err(format!("{status} {body}"));
            }
            serde_json::from_str(&body).map_err(text)
        })
    }

    pub(crate) fn sql(&self, statement: &str) -> Result<u64, String> {
        let done = self.runtime.block_on(sqlx::query(statement).execute(&self.db));
        done.map(|done| done.rows_affected()).map_err(text)
    }

    pub(crate) fn number(&self, statement: &str) -> Result<f64, String> {
        self.runtime.block_on(sqlx::query_scalar(statement).fetch_one(&self.db)).map_err(text)
    }

    /// Puts rows beside one that was accepted, while nothing runs.
    pub(crate) fn fill(&self, app: &str, rows: u32) -> Result<(), String> {
        self.post(&format!("/~{app}/later"), &json!({}))?;
        let copied = self.sql(&format!(
            "insert into outbox (id, event_id, app_id, source_kind, op, trigger_id, script_id, payload,
                                 root_execution_id, execution_id, retry_max_attempts, retry_backoff, retry_base_ms)
             select gen_random_uuid(), event_id, app_id, source_kind, op, trigger_id, script_id, payload,
                    root_execution_id, gen_random_uuid(), retry_max_attempts, retry_backoff, retry_base_ms
             from outbox cross join generate_series(2, {rows})
             where id = (select id from outbox where app_id = (select id from apps where slug = '{app}')
                         order by created_at desc limit 1)"
        ))?;
        if copied + 1 == u64::from(rows) { Ok(()) } else { Err(format!("{copied} rows were put")) }
    }

    /// Has PostgreSQL remember when transactions were committed.
    pub(crate) fn tell_commits(&self) -> Result<(), String> {
        self.sql("alter system set track_commit_timestamp = on")?;
        let backend = self.number("select pg_backend_pid()::double precision")?;
        let stat = std::fs::read_to_string(format!("/proc/{backend}/stat")).map_err(text)?;
        let parent =
            stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(1)).ok_or("no parent")?;
        Command::new("kill").args(["-INT", parent]).status().map_err(text)?;
        std::thread::sleep(Duration::from_secs(3));
        self.wait_until_ready()
    }

    /// Waits until `condition`, a boolean expression, holds; how long that took.
    pub(crate) fn until(&self, condition: &str) -> Result<Duration, String> {
        let start = Instant::now();
        let statement = format!("select {condition}");
        self.runtime.block_on(async {
            loop {
                let holds: bool = sqlx::query_scalar(&statement).fetch_one(&self.db).await.map_err(text)?;
                if holds {
                    return Ok(start.elapsed());
                }
                if start.elapsed() > PATIENCE {
                    return Err(format!("never: {condition}"));
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        })
    }

    fn wait_until_ready(&self) -> Result<(), String> {
        let start = Instant::now();
        loop {
            let answer = self.runtime.block_on(self.http.get(self.url("/readyz")).send());
            if answer.is_ok_and(|a| a.status().is_success()) {
                return Ok(());
            }
            if start.elapsed() > PATIENCE {
                return Err("picloud did not become ready".to_owned());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// How long after `kill -9` under load it is ready again.
    pub(crate) fn ready_after_a_kill(&mut self) -> Result<String, String> {
        let mut times = Vec::new();
        for _ in 0..3 {
            let url = self.url("/~bench/later");
            let mut load = Command::new("wrk")
                .args(["-t1", "-c16", "-d4s", &url])
                .stdout(std::process::Stdio::piped())
                .spawn()
                .map_err(text)?;
            std::thread::sleep(Duration::from_secs(2));
            self.child.kill().map_err(text)?;
            self.child.wait().map_err(text)?;
            let start = Instant::now();
            self.child = spawn(&self.address, &self.data)?;
            self.wait_until_ready()?;
            times.push(start.elapsed().as_secs_f64() * 1000.0);
            let mut said = String::new();
            load.stdout.take().ok_or("no output")?.read_to_string(&mut said).map_err(text)?;
            load.wait().map_err(text)?;
            self.until("not exists (select from outbox)")?;
        }
        times.sort_by(f64::total_cmp);
        Ok(format!(
            "### Ready again after `kill -9` under load\n\n{:.0} ms (median of 3; at most {:.0}; target 5 000)\n",
            times[1], times[2]
        ))
    }
}

impl Drop for Product {
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        let _ = self.child.wait();
    }
}

fn spawn(address: &str, data: &TempDir) -> Result<Child, String> {
    Command::new(env!("CARGO_BIN_EXE_picloud"))
        .args([
            "serve",
            "--log",
            "warn",
            "--listen",
            address,
            "--outbox-quota",
            "10000000",
            "--db-pool",
            "40",
            "--data-dir",
        ])
        .arg(data.path())
        .spawn()
        .map_err(text)
}
