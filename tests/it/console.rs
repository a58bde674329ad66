//! `picloud user`: the way back in for whoever has a shell on the machine.

use std::{
    io::{BufReader, Read as _, Write as _},
    process::{Command, Output, Stdio},
};

use picloud::store::audit::{self, Verified};
use serde_json::{Value, json};

use crate::support::{
    PICLOUD,
    app::{PASSWORD, TestApp},
    http::Person,
    postgres::{DataDir, TestDb},
};

/// Runs `picloud user` with this on standard input.
async fn user(arguments: &[&str], place: [&str; 2], input: &str) -> Output {
    let mut command = Command::new(PICLOUD);
    command.arg("user").args(arguments).args(place).args(["--log", "warn"]).env_clear();
    command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let input = input.to_owned();
    let running = move || {
        let mut child = command.spawn().expect("it runs");
        // It may end without reading.
        let _ = child.stdin.take().expect("piped").write_all(input.as_bytes());
        child.wait_with_output().expect("it ends")
    };
    tokio::task::spawn_blocking(running).await.expect("it ends")
}

fn printed(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout.clone()).expect("text")
}

/// The one sentence it ended with.
fn refusal(output: &Output) -> String {
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(1), &b""[..]), "{output:?}");
    String::from_utf8(output.stderr.clone()).expect("text")
}

async fn sign_in(test: &TestApp, username: &str, password: &str) -> Option<Person> {
    let answer =
        test.nobody().post("/api/v1/auth/login", json!({"username": username, "password": password})).await;
    answer.json["token"].as_str().map(|token| test.nobody().with_token(token))
}

#[tokio::test]
async fn who_forgot_the_password_gets_another_while_picloud_runs() {
    let test = TestApp::start().await;
    let owner = test.owner().await;
    for n in 0..5 {
        assert!(sign_in(&test, "ada", &format!("wrong horse {n}")).await.is_none());
    }
    let url = test.url();
    let at = ["--database-url", url.as_str()];
    let output = user(&["reset-password", "ada"], at, "another horse battery\n").await;
    assert_eq!(printed(&output), "ada has another password; 1 session ended\n");
    owner.get("/api/v1/auth/me").await.problem(401);
    assert!(sign_in(&test, "ada", PASSWORD).await.is_none(), "what failed before is forgotten");
    let owner = sign_in(&test, "ada", "another horse battery").await.expect("a session");

    let output = user(&["reset-password", "ADA", "--generate"], at, "").await;
    let generated = printed(&output);
    assert_eq!(generated.trim_end().len(), 23, "{generated}");
    owner.get("/api/v1/auth/me").await.problem(401);
    let owner = sign_in(&test, "ada", generated.trim_end()).await.expect("a session");

    let entries = owner.get("/api/v1/admin/audit?actor=console").await.json["items"].clone();
    let told: Vec<_> = entries.as_array().expect("a list").iter().map(|one| &one["action"]).collect();
    assert_eq!(told, ["user.set_password", "user.set_password"]);
    assert_eq!((&entries[0]["actor_id"], &entries[0]["address"]), (&Value::Null, &Value::Null));
    assert_eq!(entries[0]["details"], json!({"username": "ada", "sessions": 1}));
    assert!(!entries.to_string().contains("horse") && !entries.to_string().contains(generated.trim_end()));
    let mut connection = test.pool().acquire().await.expect("a connection");
    assert_eq!(audit::verify(&mut connection).await.expect("read").broken, None);
}

#[tokio::test]
async fn a_person_is_added_with_a_role() {
    let test = TestApp::start().await;
    test.owner().await;
    let url = test.url();
    let at = ["--database-url", url.as_str()];
    let added = user(&["add", "bea", "--role", "admin"], at, "bea's own battery").await;
    assert_eq!(printed(&added), "added bea (admin)\n");
    assert_eq!(printed(&user(&["add", "cleo"], at, "cleo's own battery\r\n").await), "added cleo (member)\n");
    let bea = sign_in(&test, "bea", "bea's own battery").await.expect("a session");
    assert_eq!(bea.get("/api/v1/auth/me").await.json["user"]["instance_role"], "admin");
    assert!(sign_in(&test, "cleo", "cleo's own battery").await.is_some());

    let again = refusal(&user(&["add", "bea"], at, "bea's own battery").await);
    assert!(again.contains("the user name bea is taken"), "{again}");
    let unknown = refusal(&user(&["reset-password", "dan"], at, "dan's own battery").await);
    assert!(unknown.contains("the user dan was not found"), "{unknown}");
    let weak = refusal(&user(&["add", "dan"], at, "short").await);
    assert!(weak.contains("at least 10 characters"), "{weak}");
    let nothing = refusal(&user(&["add", "dan"], at, "").await);
    assert!(nothing.contains("--generate"), "{nothing}");
    let wrong = refusal(&user(&["add", "no name"], at, "dan's own battery").await);
    assert!(wrong.contains("the user name must be"), "{wrong}");
    let role = user(&["add", "dan", "--role", "king"], at, "dan's own battery").await;
    assert_eq!(role.status.code(), Some(2), "{role:?}");
}

#[tokio::test]
async fn the_first_has_to_be_an_owner_who_claims_the_machine() {
    let test = TestApp::start().await;
    let url = test.url();
    let at = ["--database-url", url.as_str()];
    let refused = refusal(&user(&["add", "bea"], at, "bea's own battery").await);
    assert!(refused.contains("nobody owns this machine yet"), "{refused}");
    assert_eq!(printed(&user(&["add", "ada", "--role", "owner"], at, PASSWORD).await), "added ada (owner)\n");
    assert_eq!(test.nobody().get("/api/v1/setup").await.json["claimed"], true);
    test.nobody().post("/api/v1/setup", json!({"username": "eve", "password": PASSWORD})).await.problem(409);
    assert!(sign_in(&test, "ada", PASSWORD).await.is_some());
}

#[tokio::test]
async fn it_works_on_a_machine_where_nothing_runs() {
    let data_dir = DataDir::with_cluster().await;
    let path = data_dir.path().to_str().expect("text").to_owned();
    let at = ["--data-dir", path.as_str()];
    assert_eq!(printed(&user(&["add", "ada", "--role", "owner"], at, PASSWORD).await), "added ada (owner)\n");
    let reset = user(&["reset-password", "ada"], at, "another horse battery").await;
    assert_eq!(printed(&reset), "ada has another password; 0 sessions ended\n");
    // And where its PostgreSQL runs, as it does beside `serve`, through that.
    let server = data_dir.start().await;
    assert_eq!(printed(&user(&["add", "bea"], at, "bea's own battery").await), "added bea (member)\n");
    let pool = picloud::db::connect(server.connect_options(), 1).await.expect("it answers");
    let verified = audit::verify(&mut pool.acquire().await.expect("a connection")).await.expect("read");
    assert_eq!(verified, Verified { entries: 3, broken: None });
    pool.close().await;
    server.stop().await.expect("it stops");
}

/// Adds ada at a terminal, typing each answer when its question is there; whether that went well, and what was shown.
fn at_a_terminal(url: &str, answers: [(&str, &str); 2]) -> (bool, String) {
    let line = format!("{PICLOUD} user add ada --role owner --log warn --database-url '{url}'");
    let mut child = Command::new("script")
        .args(["--quiet", "--return", "--command", &line, "/dev/null"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("Debian has script");
    let mut keys = child.stdin.take().expect("piped");
    let mut screen = BufReader::new(child.stdout.take().expect("piped")).bytes();
    let mut shown = String::new();
    for (question, answer) in answers {
        while !shown.ends_with(question) {
            let byte = screen.next().unwrap_or_else(|| panic!("it ended before {question}: {shown}"));
            shown.push(char::from(byte.expect("readable")));
        }
        keys.write_all(format!("{answer}\n").as_bytes()).expect("typed");
    }
    shown.extend(screen.map_while(Result::ok).map(char::from));
    drop(keys);
    (child.wait().expect("it ends").success(), shown)
}

#[tokio::test]
async fn a_terminal_is_asked_twice_and_shows_nothing() {
    let db = TestDb::new().await;
    let typed = |again: &'static str| {
        let url = db.url();
        let answers = [("Password for ada: ", PASSWORD), ("Again: ", again)];
        tokio::task::spawn_blocking(move || at_a_terminal(&url, answers))
    };
    let (done, shown) = typed("other horse battery").await.expect("it ends");
    assert!(!done && shown.contains("the two passwords differ"), "{shown}");
    let (done, shown) = typed(PASSWORD).await.expect("it ends");
    assert!(done && shown.contains("added ada (owner)") && !shown.contains("horse"), "{shown}");
}
