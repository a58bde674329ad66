//! The whole product on a database of its own: started by `boot`, spoken to over a real socket.

use std::net::SocketAddr;

use picloud::{
    base::name::Username,
    boot::{self, Running, Setup},
    config::Config,
    postgres::Program,
    system::hardware::Hardware,
};
use serde_json::json;
use sqlx::{ConnectOptions as _, PgPool};

use super::{
    PICLOUD,
    http::{Answer, Person},
    postgres::TestDb,
};

/// The password of the first owner in tests.
pub const PASSWORD: &str = "correct horse battery";

/// PiCloud, running; stopped when dropped at the latest.
pub struct TestApp {
    /// Where it answers.
    pub address: SocketAddr,
    db: TestDb,
    running: Option<Running>,
    _data: tempfile::TempDir,
}

impl TestApp {
    /// Starts it with the defaults of this machine.
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// Starts it with these keys set.
    pub async fn start_with(settings: &[(&str, &str)]) -> Self {
        Self::start_on(TestDb::new().await, settings).await
    }

    /// Starts it on a database that may hold something already.
    pub async fn start_on(db: TestDb, settings: &[(&str, &str)]) -> Self {
        cheap_passwords(&db.pool).await;
        let data = tempfile::tempdir().expect("a temporary directory");
        let url = db.options.to_url_lossy().to_string();
        let directory = data.path().to_str().expect("a path in UTF-8").to_owned();
        let mut flags = vec![("database_url", url.as_str()), ("data_dir", directory.as_str())];
        flags.push(("listen", "127.0.0.1:0"));
        flags.extend(settings);
        let hardware = Hardware { host_name: "testpi".to_owned(), ..Hardware::detect() };
        let config = Config::load(None, std::iter::empty(), &flags, &hardware).expect("the flags are right");
        let listener = std::net::TcpListener::bind(config.http.listen).expect("a free port");
        let address = listener.local_addr().expect("the port has a number");
        let setup = Setup { config, hardware, listener, program: Program::at(PICLOUD), modules: &[] };
        let running = boot::start(setup).await.expect("it starts");
        Self { address, db, running: Some(running), _data: data }
    }

    /// The database behind it, to look where no door leads.
    pub fn pool(&self) -> &PgPool {
        &self.db.pool
    }

    /// Its database, as a configuration says it.
    pub fn url(&self) -> String {
        self.db.url()
    }

    /// Somebody without credentials.
    pub fn nobody(&self) -> Person {
        Person::new(self.address)
    }

    /// The first owner, signed in: claims the machine.
    pub async fn owner(&self) -> Person {
        let who = json!({"username": "ada", "password": PASSWORD});
        let answer = self.nobody().post("/api/v1/setup", who).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        self.nobody().with_token(answer.json["token"].as_str().expect("a token"))
    }

    /// Somebody who may sign in and holds no role anywhere.
    pub async fn stranger(&self) -> Person {
        let username: Username = "mallory".parse().expect("a user name");
        let cost = picloud::access::password::LEAST;
        let hash = picloud::access::password::hash(cost, PASSWORD.to_owned()).await.expect("a hash");
        let new = picloud::store::user::NewUser {
            username: &username,
            display_name: None,
            email: None,
            password_hash: &hash,
            instance_role: picloud::access::InstanceRole::Member,
        };
        picloud::store::user::create(self.pool(), new).await.expect("a user");
        let who = json!({"username": "mallory", "password": PASSWORD});
        let answer = self.nobody().post("/api/v1/auth/login", who).await;
        self.nobody().with_token(answer.json["token"].as_str().expect("a token"))
    }

    /// Stops it and keeps its database, to start another on it.
    pub async fn stop(mut self) -> TestDb {
        self.running.take().expect("it runs").stop().await.expect("it stops");
        let database = TestDb::take(&mut self.db);
        drop(self);
        database
    }
}

impl Person {
    /// Makes an app; its id.
    pub async fn app(&self, slug: &str) -> String {
        let answer = self.post("/api/v1/admin/apps", json!({"slug": slug, "name": slug})).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.id()
    }

    /// Makes a script in an app; its id.
    pub async fn script(&self, app: &str, name: &str, source: &str) -> String {
        let path = format!("/api/v1/admin/apps/{app}/scripts");
        let answer = self.post(&path, json!({"name": name, "source": source})).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.id()
    }

    /// Gives a script an exact route for any host and method; its id.
    pub async fn route(&self, script: &str, path: &str) -> String {
        let route = json!({"host_kind": "any", "path_kind": "exact", "path": path});
        let answer = self.post(&format!("/api/v1/admin/scripts/{script}/routes"), route).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.id()
    }

    /// Makes an app with one script that answers `/~slug/run`, and calls it.
    pub async fn run(&self, app: &str, source: &str) -> Answer {
        self.app(app).await;
        let script = self.script(app, "run", source).await;
        self.route(&script, "/run").await;
        self.get(&format!("/~{app}/run")).await
    }
}

/// The machine is not to be measured by every test.
async fn cheap_passwords(db: &PgPool) {
    let cost = picloud::access::password::LEAST;
    let mut connection = db.acquire().await.expect("the database answers");
    let kept = picloud::store::instance::keep_password_cost(&mut connection, cost);
    kept.await.expect("the cost is kept");
}
