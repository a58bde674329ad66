//! The examples of the manual's prose run, and answer what it says.

use super::*;
use crate::engine::{body::decode_request, reference::GUIDE};

/// The fenced blocks of a language, each with what follows it.
fn blocks<'a>(text: &'a str, language: &str) -> Vec<(&'a str, &'a str)> {
    let fence = format!("```{language}\n");
    text.split(&fence).skip(1).filter_map(|rest| rest.split_once("```\n")).collect()
}

/// The request all examples answer, as the manual shows it.
async fn shown_request() -> Request {
    let raw = bytes::Bytes::from_static(
        br#"{"name":"Ada","items":[{"price":2.5,"count":2},{"price":1.0,"count":3}]}"#,
    );
    Request {
        method: "POST".to_owned(),
        path: "/orders/7".to_owned(),
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        query: vec![("tag".to_owned(), "a".to_owned()), ("tag".to_owned(), "b".to_owned())],
        params: vec![("id".to_owned(), Some("7".to_owned()))],
        body: decode_request(Some("application/json"), raw).await.expect("a body"),
        ..request()
    }
}

/// An outcome as the manual writes it: the status and the body, or the kind of failure and its words.
fn shown(outcome: &Outcome) -> String {
    match &outcome.result {
        Ok(response) | Err(Failure { response: Some(response), .. }) => shown_response(response),
        Err(failure) => {
            let line = failure.line.map(|line| format!(" (line {line})")).unwrap_or_default();
            format!("{} {}: {}{line}", failure.kind.status(), failure.kind.name(), failure.message)
        }
    }
}

fn shown_response(response: &Response) -> String {
    format!("{} {}", response.status, String::from_utf8_lossy(&response.body)).trim_end().to_owned()
}

#[tokio::test]
async fn every_example_answers_what_the_manual_says() {
    let engine = engine(|_| ());
    let examples = blocks(GUIDE, "rhai");
    assert!(examples.len() > 10, "{} examples", examples.len());
    for (source, after) in examples {
        let expected = after.trim_start().strip_prefix("```text\n").and_then(|rest| rest.split_once("\n```"));
        let Some((expected, _)) = expected else { panic!("no answer stands below this example:\n{source}") };
        let request = shown_request().await;
        let outcome = run_on(&engine, source, |job| job.invocation.request = request);
        assert_eq!(shown(&outcome), expected, "of this example:\n{source}");
    }
}
