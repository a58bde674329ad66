//! The API against its own document, call by call, made up by schemathesis.
//!
//! All its checks are on: no 500, no status, header, media type or body that the document does not name, no call that
//! works without credentials that it asks for. What it makes up fits the document and may still be refused with 422,
//! since much of what a field may hold (a name that is free, a script that parses) is no matter of its form.

use std::{fs, path::Path, process::Stdio};

use tokio::process::Command;

use crate::support::app::TestApp;

/// A round within `make test`: the deterministic cases, and a few at random.
const FEW: &str = "1";

const CONFIGURATION: &str = r#"
[auth.openapi.session]
api_key = "${PICLOUD_TOKEN}"
[auth.openapi.bearer]
bearer = "${PICLOUD_TOKEN}"
[parameters]
"path.app" = "garden"
"path.user" = "USER"
[checks]
positive_data_acceptance.expected-statuses = ["2xx", "3xx", "401", "403", "404", "409", "422", "429"]
"#;

/// Calls that are left out: they end the very session that is used, or go on for ever.
const LEFT_OUT: &str = "^(logout|streamExecutions)$";

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "make hands over how much to do; the tests have no flags")]
async fn the_api_keeps_to_its_document() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    owner.run("garden", "1").await;
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/schemathesis/bin/schemathesis");
    assert!(program.exists(), "schemathesis is needed: `make deps-test` installs it");
    let directory = tempfile::tempdir().expect("a temporary directory");
    // Whatever is done to people is done to her, so that the owner stays who calls.
    let mallory = app.stranger().await.get("/api/v1/auth/me").await.json["user"]["id"].clone();
    let configuration = CONFIGURATION.replace("USER", mallory.as_str().expect("an id"));
    fs::write(directory.path().join("schemathesis.toml"), configuration).expect("written");

    let asked = std::env::var("SCHEMA_EXAMPLES").ok();
    let phases = if asked.is_some() { "examples,coverage,fuzzing,stateful" } else { "coverage,fuzzing" };
    let base = format!("http://{}", app.address);
    let mut command = Command::new(program);
    command.args(["run", &format!("{base}/api/v1/openapi.json"), "--header", &format!("Origin: {base}")]);
    command.args(["--checks", "all", "--phases", phases, "--max-examples", asked.as_deref().unwrap_or(FEW)]);
    command.args(["--exclude-operation-id-regex", LEFT_OUT, "--generation-database", "none"]);
    command.args(["--request-timeout", "30", "--continue-on-failure", "--no-color"]);
    let run = command
        .env("PICLOUD_TOKEN", owner.token().expect("a token"))
        .current_dir(directory.path())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .expect("it runs");
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success(), "{said}\n{}", String::from_utf8_lossy(&run.stderr));
    assert!(said.contains(" passed"), "{said}");
    assert_eq!(owner.get("/api/v1/auth/me").await.status, 200, "the session held to the end");
}
