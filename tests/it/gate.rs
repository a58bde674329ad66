//! The execution gate and how runs end, as callers, the log and the metrics see it.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::{io::AsyncWriteExt as _, net::TcpStream, task::JoinHandle};

use crate::support::{
    app::TestApp,
    eventually,
    http::{Answer, Person},
};

/// Naps for those who POST; a nap holds the only place in flight.
const NAP: &str = "if ctx.request.method == \"POST\" { sleep(3) }\n\"rested\"";

/// A gate through which one script passes at a time, and one request waits for it, this long.
async fn narrow(permit_wait: &str) -> TestApp {
    TestApp::start_with(&[
        ("max_concurrent_executions", "1"),
        ("max_in_flight_executions", "1"),
        ("sync_queue", "1"),
        ("permit_wait", permit_wait),
        // The wall clock comes before the operation budget even on a fast machine.
        ("max_operations", "10000000000"),
        ("max_operations_ceiling", "10000000000"),
    ])
    .await
}

/// The value of a metric, its labels included in the name; nought if it is not there yet.
async fn metric(person: &Person, name: &str) -> u64 {
    let text = person.get("/metrics").await.text;
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    value.map_or(0, |value| value.parse().expect("a whole number"))
}

async fn reaches(person: &Person, name: &str, value: u64) {
    let what = format!("{name} is {value}");
    eventually(&what, || async { (metric(person, name).await == value).then_some(()) }).await;
}

/// Calls in the background, with a nap.
fn napping(person: &Person) -> JoinHandle<Answer> {
    let person = person.clone();
    tokio::spawn(async move { person.call("POST", "/~garden/run").await })
}

fn assert_refused(answer: &Answer) {
    answer.problem(503);
    assert_eq!(answer.header("retry-after"), "1", "{answer:?}");
    assert!(!answer.headers.contains_key("x-execution-id"), "nothing was executed: {answer:?}");
}

#[tokio::test]
async fn a_request_that_gets_no_permit_in_time_is_503_and_the_next_is_answered() {
    let app = narrow("200ms").await;
    let owner = app.owner().await;
    assert_eq!(owner.run("garden", NAP).await.status, 200);
    let someone = app.nobody();
    let nap = napping(&someone);
    reaches(&someone, "picloud_gate_scripts{state=\"in_flight\"}", 1).await;

    let asked = Instant::now();
    assert_refused(&someone.get("/~garden/run").await);
    assert!(asked.elapsed() >= Duration::from_millis(200), "it waited for its permit");
    assert!(!nap.is_finished(), "it did not wait for the end of the other");
    assert_eq!(metric(&someone, "picloud_gate_refused_total").await, 1);

    let rested = nap.await.expect("no panic");
    assert_eq!((rested.status, rested.text.as_str()), (200, "\"rested\""));
    assert_eq!(someone.get("/~garden/run").await.status, 200);
    let log = owner.get("/api/v1/admin/apps/garden/executions").await;
    assert_eq!(log.json["items"].as_array().map(Vec::len), Some(3), "what did not run is no execution");
}

#[tokio::test]
async fn beyond_the_queue_a_request_is_503_at_once_and_what_waits_is_answered() {
    let app = narrow("60s").await;
    let owner = app.owner().await;
    assert_eq!(owner.run("garden", NAP).await.status, 200);
    let someone = app.nobody();
    let nap = napping(&someone);
    reaches(&someone, "picloud_gate_scripts{state=\"in_flight\"}", 1).await;
    let waiting = tokio::spawn({
        let someone = someone.clone();
        async move { someone.get("/~garden/run").await }
    });
    reaches(&someone, "picloud_gate_scripts{state=\"waiting\"}", 1).await;

    assert_refused(&someone.get("/~garden/run").await);
    assert!(!nap.is_finished() && !waiting.is_finished(), "it was refused without a wait");
    assert_eq!(metric(&someone, "picloud_gate_refused_total").await, 1);
    assert_eq!(nap.await.expect("no panic").status, 200);
    assert_eq!(waiting.await.expect("no panic").status, 200);
}

/// Makes a script with these settings, and a route of its name to it.
async fn script(owner: &Person, name: &str, source: &str, settings: Value) {
    let mut script = json!({"name": name, "source": source});
    let settings = settings.as_object().expect("settings").clone();
    script.as_object_mut().expect("a script").extend(settings);
    let made = owner.post("/api/v1/admin/apps/garden/scripts", script).await;
    assert_eq!(made.status, 201, "{made:?}");
    owner.route(&made.id(), &format!("/{name}")).await;
}

#[tokio::test]
async fn a_script_that_never_ends_is_504_and_leaves_the_gate_to_the_next() {
    let app = narrow("200ms").await;
    let owner = app.owner().await;
    owner.run("garden", "\"next\"").await;
    script(&owner, "endless", "loop { }", json!({"timeout_seconds": 1})).await;
    let someone = app.nobody();
    someone.get("/~garden/endless").await.problem(504);
    assert_eq!(someone.get("/~garden/run").await.text, "\"next\"", "the only permit is free again");
    assert_eq!(metric(&someone, "picloud_executions_total{outcome=\"timeout\",source=\"http\"}").await, 1);
    assert!(!someone.get("/metrics").await.text.contains("picloud_abandoned_executions_total{"));
}

#[tokio::test]
async fn every_limit_has_its_status_and_its_place_is_told_to_readers_of_the_app_and_the_log() {
    let app = narrow("1s").await;
    let owner = app.owner().await;
    owner.app("garden").await;
    let settings = json!({"timeout_seconds": 1});
    script(&owner, "timeout", "let n = 0;\nloop { n += 1; }", settings).await;
    let settings = json!({"sandbox": {"max_operations": 1000}});
    script(&owner, "operations", "let n = 0;\n\nloop { n += 1; }", settings).await;
    let settings = json!({"sandbox": {"max_call_depth": 8}});
    script(&owner, "call_depth", "\nfn down(n) { down(n + 1) } down(0)", settings).await;
    script(&owner, "throw", "let a = 1;\n  throw \"the well is dry\";", json!({})).await;
    for (kind, status, line) in
        [("timeout", 504, 2), ("operations", 507, 3), ("call_depth", 502, 2), ("throw", 502, 2)]
    {
        let path = format!("/~garden/{kind}");
        let told = owner.get(&path).await;
        told.problem(status);
        let error = &told.json["error"];
        assert_eq!((&error["kind"], &error["line"]), (&json!(kind), &json!(line)), "{told:?}");
        assert!(error["column"].as_u64() > Some(0), "{told:?}");
        let message = error["message"].as_str().expect("a message");
        assert_eq!(told.problem(status), message);

        let path_in_log = format!("/api/v1/admin/apps/garden/executions/{}", told.header("x-execution-id"));
        let logged = owner.get(&path_in_log).await;
        assert_eq!((&logged.json["status"], &logged.json["error"]), (&json!(status), error), "{logged:?}");
        assert!(logged.json["operations"].as_u64() > Some(0), "{logged:?}");

        for public in [app.nobody(), app.nobody().with_token("theirs")] {
            let public = public.get(&path).await;
            assert!(!public.problem(status).contains(message), "{public:?}");
            assert_eq!(public.json.get("error"), None, "{public:?}");
            assert!(!public.text.contains("line") && !public.text.contains("well"), "{public:?}");
            assert_eq!(public.json["execution_id"], public.header("x-execution-id"));
        }
    }
}

#[tokio::test]
async fn a_run_whose_caller_has_gone_ends_is_recorded_and_counted_as_abandoned() {
    let app = narrow("1s").await;
    let owner = app.owner().await;
    let garden = owner.app("garden").await;
    script(&owner, "slow", "sleep(1);\n#{ statusCode: 299 }", json!({})).await;
    let someone = app.nobody();
    let mut caller = TcpStream::connect(app.address).await.expect("a connection");
    caller.write_all(b"GET /~garden/slow HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("a request");
    reaches(&someone, "picloud_gate_scripts{state=\"in_flight\"}", 1).await;
    drop(caller);

    let abandoned = format!("picloud_abandoned_executions_total{{app_id=\"{garden}\"}}");
    reaches(&someone, &abandoned, 1).await;
    reaches(&someone, "picloud_gate_scripts{state=\"in_flight\"}", 0).await;
    reaches(&someone, "picloud_inbox_pending", 0).await;
    let log = owner.get("/api/v1/admin/apps/garden/executions").await;
    let [run] = log.json["items"].as_array().expect("items").as_slice() else { panic!("{log:?}") };
    assert_eq!((&run["status"], &run["error"]), (&json!(299), &json!(null)), "it ran to its end: {run}");
    assert_eq!(someone.get("/~garden/slow").await.status, 299);
    assert_eq!(metric(&someone, &abandoned).await, 1, "whoever waits is not counted");
}
