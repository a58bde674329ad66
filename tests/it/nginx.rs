//! The configuration in `docs/reverse-proxy.md`, run by the nginx it is written for.

use std::{
    fmt::Write as _,
    fs,
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::Stdio,
};

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::support::{
    app::{PASSWORD, TestApp},
    eventually,
    http::Person,
};

const DOCUMENT: &str = include_str!("../../docs/reverse-proxy.md");

/// nginx in front of PiCloud; ended when dropped.
struct Nginx {
    plain: SocketAddr,
    tls: SocketAddr,
    directory: TempDir,
    _process: Child,
}

/// What curl got.
struct Got {
    status: String,
    head: String,
    body: String,
}

/// Debian's nginx: the installed one, or the one that `.ci/deps` unpacked.
fn program() -> PathBuf {
    let unpacked = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/nginx/usr/sbin/nginx");
    let found = [Path::new("/usr/sbin/nginx"), &unpacked].into_iter().find(|path| path.exists());
    found.expect("nginx is needed: `make deps-test` gets it").to_owned()
}

/// The first block of this language in the document.
fn block(language: &str) -> &'static str {
    let after = DOCUMENT.split_once(&format!("```{language}\n")).expect("such a block").1;
    after.split_once("```").expect("an end").0
}

/// A port that was free a moment ago.
fn free() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address")
}

/// The document's configuration, at these places.
fn configuration(directory: &Path, (plain, tls): (SocketAddr, SocketAddr), picloud: SocketAddr) -> String {
    let mut servers = block("nginx").to_owned();
    let place = |name: &str| directory.join(name).display().to_string();
    for (documented, here) in [
        ("listen 80;", format!("listen {plain};")),
        ("listen 443 ssl;", format!("listen {tls} ssl;")),
        ("/etc/ssl/certs/picloud.pem", place("cert.pem")),
        ("/etc/ssl/private/picloud.key", place("key.pem")),
        ("http://127.0.0.1:8080", format!("http://{picloud}")),
    ] {
        assert_eq!(servers.matches(documented).count(), 1, "{documented}");
        servers = servers.replace(documented, &here);
    }
    let mut temporary = String::new();
    for kind in ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"] {
        let _ = writeln!(temporary, "{kind}_temp_path {};", place(kind));
    }
    format!(
        "daemon off;\nmaster_process off;\npid {};\nerror_log {};\nevents {{}}\nhttp {{\naccess_log off;\n{temporary}{servers}}}\n",
        place("pid"),
        place("error.log"),
    )
}

impl Nginx {
    async fn before(app: &TestApp) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let made = Command::new("openssl")
            .args([
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:prime256v1",
                "-nodes",
                "-days",
                "2",
            ])
            .args([
                "-subj",
                "/CN=picloud.example",
                "-addext",
                "subjectAltName=DNS:picloud.example,DNS:evil.example",
            ])
            .args(["-keyout", "key.pem", "-out", "cert.pem"])
            .current_dir(directory.path())
            .output()
            .await
            .expect("openssl is needed: `make deps-test` installs it");
        assert!(made.status.success(), "{made:?}");
        let (plain, tls) = (free(), free());
        let file = directory.path().join("nginx.conf");
        fs::write(&file, configuration(directory.path(), (plain, tls), app.address)).expect("written");
        let process = Command::new(program())
            .arg("-p")
            .arg(directory.path())
            .arg("-e")
            .arg(directory.path().join("error.log"))
            .arg("-c")
            .arg(&file)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("it runs");
        let nginx = Self { plain, tls, directory, _process: process };
        eventually("nginx answers", || async { nginx.curl(&["https://picloud.example/healthz"]).await })
            .await;
        nginx
    }

    /// Asks as a client at 127.0.0.2, which is no trusted proxy.
    async fn curl(&self, arguments: &[&str]) -> Option<Got> {
        let to = |name: &str, port: u16, at: SocketAddr| format!("{name}:{port}:127.0.0.1:{}", at.port());
        let mut command = Command::new("curl");
        command.args(["--silent", "--include", "--interface", "127.0.0.2", "--max-time", "30", "--cacert"]);
        command.arg(self.directory.path().join("cert.pem"));
        for name in ["picloud.example", "evil.example"] {
            command.args([
                "--connect-to",
                &to(name, 80, self.plain),
                "--connect-to",
                &to(name, 443, self.tls),
            ]);
        }
        let output =
            command.args(arguments).output().await.expect("curl is needed: `make deps-test` installs it");
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        let (head, body) = text.split_once("\r\n\r\n").filter(|_| output.status.success())?;
        let status = head.split(' ').nth(1).expect("a status").to_owned();
        Some(Got { status, head: head.to_ascii_lowercase(), body: body.to_owned() })
    }

    async fn get(&self, arguments: &[&str]) -> Got {
        self.curl(arguments).await.expect("an answer")
    }
}

/// PiCloud configured as the document says, nginx before it.
async fn as_documented() -> (TestApp, Nginx) {
    let told: toml::Table = block("toml").parse().expect("TOML");
    let listed = |key: &str| told[key].as_array().expect("a list")[0].as_str().expect("a text").to_owned();
    let (proxies, names) = (listed("trusted_proxies"), listed("own_names"));
    let app = TestApp::start_with(&[("trusted_proxies", &proxies), ("own_names", &names)]).await;
    let nginx = Nginx::before(&app).await;
    (app, nginx)
}

/// The owner, who has claimed the machine through a proxy from its own network.
async fn owner(app: &TestApp) -> Person {
    let local = app.nobody().with("x-forwarded-for", "192.168.1.9");
    let claimed = local.post("/api/v1/setup", json!({"username": "ada", "password": PASSWORD})).await;
    assert_eq!(claimed.status, 201, "{claimed:?}");
    app.nobody().with_token(claimed.json["token"].as_str().expect("a token"))
}

#[tokio::test]
async fn the_documented_proxy_is_believed_and_its_clients_are_not() {
    let (app, nginx) = as_documented().await;
    let claim = json!({"username": "ada", "password": PASSWORD}).to_string();
    let claim =
        ["-H", "content-type: application/json", "-d", &claim, "https://picloud.example/api/v1/setup"];
    let refused = nginx.get(&claim).await;
    assert_eq!(refused.status, "403", "127.0.0.2 is not of the network, nor this machine: {}", refused.body);

    owner(&app).await.run("spy", "#{ from: ctx.request.remote_addr, host: ctx.request.host }").await;
    let forged = [
        ["-H", "x-forwarded-for: 192.168.1.9"],
        ["-H", "x-forwarded-host: localhost"],
        ["-H", "x-forwarded-proto: http"],
        ["-H", "forwarded: for=127.0.0.1;host=localhost"],
    ];
    let seen = nginx.get(&[forged.as_flattened(), &["https://picloud.example/~spy/run"]].concat()).await;
    let seen: Value = serde_json::from_str(&seen.body).expect("JSON");
    assert_eq!(seen, json!({"from": "127.0.0.2", "host": "picloud.example"}));

    for (address, status) in [
        ("https://picloud.example/admin/login", "200"),
        ("https://evil.example/admin/login", "421"),
        ("https://picloud.example/metrics", "401"),
    ] {
        assert_eq!(nginx.get(&[address]).await.status, status, "{address}");
    }
}

#[tokio::test]
async fn through_the_documented_proxy_one_signs_in_over_tls_alone() {
    let (app, nginx) = as_documented().await;
    owner(&app).await;
    let moved = nginx.get(&["http://picloud.example/admin?a=b"]).await;
    let to = "location: https://picloud.example/admin?a=b";
    assert!(moved.status == "301" && moved.head.contains(to), "{}", moved.head);

    let login = json!({"username": "ada", "password": PASSWORD}).to_string();
    let typed = ["-H", "content-type: application/json", "-d", &login];
    let signed_in = nginx.get(&[&typed[..], &["https://picloud.example/api/v1/auth/login"]].concat()).await;
    let cookie = signed_in.head.lines().find(|line| line.starts_with("set-cookie: ")).expect("a cookie");
    assert!(cookie.ends_with("httponly; samesite=lax; secure"), "{cookie}");
    let session: Value = serde_json::from_str(&signed_in.body).expect("JSON");
    let cookie = format!("cookie: picloud_session={}", session["token"].as_str().expect("a token"));

    let new = json!({"slug": "shed", "name": "Shed"}).to_string();
    for (origin, status) in [("http://picloud.example", "403"), ("https://picloud.example", "201")] {
        let origin = format!("origin: {origin}");
        let from = ["-H", &cookie, "-H", &origin, "-H", "content-type: application/json", "-d", &new];
        let made = nginx.get(&[&from[..], &["https://picloud.example/api/v1/admin/apps"]].concat()).await;
        assert_eq!(made.status, status, "{origin}: {}", made.body);
    }
    let home = nginx.get(&["-H", &cookie, "https://picloud.example/admin"]).await;
    assert!(home.body.contains("https://picloud.example/~shed"), "{}", home.body);
}
