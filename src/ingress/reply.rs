//! From a run's outcome to the response, and the answers for which nothing runs.

use std::time::Duration;

use axum::{
    Json,
    body::Body,
    response::{Html, IntoResponse as _, Redirect, Response},
};
use http::{HeaderMap, HeaderValue, StatusCode, header};

use crate::{
    base::{Error, Result, id::ExecutionId, time::Timestamp},
    engine::{self, Failure, FailureKind, Outcome},
    events::settle,
    store::execution::AttemptError,
    web::{error::Problem, layers::EXECUTION_ID},
};

/// When a caller who found no room should try again.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// How a run is answered.
pub(super) struct Reply {
    pub(super) execution_id: ExecutionId,
    /// Whether the caller may read the app, and so what went wrong in its script.
    pub(super) shows_errors: bool,
}

/// What a caller sees of a run that failed.
#[derive(serde::Serialize)]
struct Failed {
    #[serde(flatten)]
    problem: Problem,
    execution_id: ExecutionId,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<AttemptError>,
}

impl Reply {
    /// The response to a run.
    pub(super) fn to(&self, ran: Result<Outcome>) -> Response {
        let mut response = match ran {
            Ok(outcome) => self.outcome(outcome),
            // It did not run: there is no execution to name.
            Err(error @ (Error::Busy { .. } | Error::Unavailable(_) | Error::NotFound(_))) => {
                return error.into_response();
            }
            Err(error) => error.into_response(),
        };
        if let Ok(id) = HeaderValue::try_from(self.execution_id.to_string()) {
            response.headers_mut().insert(EXECUTION_ID, id);
        }
        response
    }

    fn outcome(&self, outcome: Outcome) -> Response {
        let failure = match outcome.result {
            Ok(response) => return sent(response),
            Err(failure) => failure,
        };
        match failure {
            Failure { response: Some(response), .. } => sent(response),
            failure => self.failed(&failure),
        }
    }

    fn failed(&self, failure: &Failure) -> Response {
        let status = StatusCode::from_u16(failure.kind.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let detail =
            if self.shows_errors { failure.message.clone() } else { public_words(failure.kind).to_owned() };
        let body = Failed {
            problem: Problem::new(status, detail),
            execution_id: self.execution_id,
            error: self.shows_errors.then(|| settle::error(failure)),
        };
        let mut response = (status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, RETRY_AFTER.as_secs().into());
        }
        response
    }
}

/// What the public learns of a failure: that it is not the caller's, and nothing of the script.
fn public_words(kind: FailureKind) -> &'static str {
    match kind.status() {
        504 => "the script took too long",
        507 => "the script used up its operations",
        422 => "the script cannot be read",
        503 if kind == FailureKind::MemoryOfAll => "scripts hold all the memory there is for them right now",
        503 => "PiCloud is stopping",
        500 => "internal error",
        _ => "the script failed",
    }
}

/// A response as the script made it.
fn sent(made: engine::Response) -> Response {
    let mut response = Response::new(Body::from(made.body));
    *response.status_mut() = StatusCode::from_u16(made.status).unwrap_or(StatusCode::BAD_GATEWAY);
    for (name, value) in made.headers {
        response.headers_mut().append(name, value);
    }
    response
}

/// What the caller of an async route gets.
#[derive(serde::Serialize)]
struct Accepted {
    accepted_at: Timestamp,
    execution_id: ExecutionId,
}

/// The answer to a request whose run is sure to happen.
pub(super) fn accepted(execution_id: ExecutionId) -> Response {
    let body = Accepted { accepted_at: Timestamp::now(), execution_id };
    let mut response = (StatusCode::ACCEPTED, Json(body)).into_response();
    if let Ok(id) = HeaderValue::try_from(execution_id.to_string()) {
        response.headers_mut().insert(EXECUTION_ID, id);
    }
    response
}

/// Sends a person to the administration.
pub(super) fn administration() -> Response {
    Redirect::to("/admin").into_response()
}

/// Says that nothing is here: to a browser as a page, to others as a problem.
pub(super) fn not_found(headers: &HeaderMap) -> Response {
    if !wants_html(headers) {
        return Problem::new(StatusCode::NOT_FOUND, "nothing answers at this address").into_response();
    }
    let page = maud::html! {
        (maud::DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "Not found" }
            }
            body {
                h1 { "Not found" }
                p { "Nothing answers at this address." }
            }
        }
    };
    (StatusCode::NOT_FOUND, Html(page.into_string())).into_response()
}

/// Whether the client is a browser that wants a page: `Accept` names text/html.
fn wants_html(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepted.flat_map(|line| line.split(',')).any(|media| {
        let essence = media.split(';').next().unwrap_or_default();
        essence.trim().eq_ignore_ascii_case("text/html")
    })
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http_body_util::BodyExt as _;

    use super::*;
    use crate::{base::time::Timestamp, engine::BodyKind};

    fn outcome(result: Result<engine::Response, Failure>) -> Outcome {
        Outcome {
            result,
            waited: Duration::ZERO,
            started_at: Timestamp::now(),
            duration: Duration::ZERO,
            operations: 0,
            logs: Vec::new(),
            lost_log_lines: 0,
        }
    }

    fn failure(kind: FailureKind) -> Failure {
        let message = "secret words".to_owned();
        Failure { kind, message, line: Some(3), column: Some(7), response: None }
    }

    fn reply(shows_errors: bool) -> Reply {
        Reply { execution_id: ExecutionId::new(), shows_errors }
    }

    async fn text(response: Response) -> String {
        let body = response.into_body().collect().await.expect("a whole body").to_bytes();
        String::from_utf8(body.to_vec()).expect("text")
    }

    fn page() -> engine::Response {
        let csp = (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'self'"));
        let cookie = |value| (header::SET_COOKIE, HeaderValue::from_static(value));
        engine::Response {
            status: 201,
            headers: vec![csp, cookie("a=1"), cookie("b=2")],
            body: Bytes::from_static(b"hi"),
            body_kind: BodyKind::Text,
        }
    }

    #[tokio::test]
    async fn a_response_is_sent_as_the_script_made_it() {
        let reply = reply(false);
        let response = reply.to(Ok(outcome(Ok(page()))));
        assert_eq!(response.status(), 201);
        assert_eq!(response.headers()["x-execution-id"], reply.execution_id.to_string().as_str());
        assert_eq!(response.headers().get_all(header::SET_COOKIE).iter().count(), 2);
        assert_eq!(response.headers().get_all(header::CONTENT_SECURITY_POLICY).iter().count(), 1);
        assert_eq!(text(response).await, "hi");
    }

    #[tokio::test]
    async fn the_public_learns_the_execution_and_no_more() {
        let reply = reply(false);
        let response = reply.to(Ok(outcome(Err(failure(FailureKind::Throw)))));
        assert_eq!(response.status(), 502);
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
        let body = text(response).await;
        assert!(body.contains(&reply.execution_id.to_string()), "{body}");
        assert!(!body.contains("secret") && !body.contains("line"), "{body}");
    }

    #[tokio::test]
    async fn who_may_read_the_app_is_told_message_line_and_column() {
        let response = reply(true).to(Ok(outcome(Err(failure(FailureKind::Timeout)))));
        assert_eq!(response.status(), 504);
        let body = text(response).await;
        assert!(body.contains("secret words") && body.contains("\"line\":3,\"column\":7"), "{body}");
    }

    #[test]
    fn a_thrown_response_is_the_response() {
        let thrown = Failure { response: Some(page()), ..failure(FailureKind::Throw) };
        assert_eq!(reply(false).to(Ok(outcome(Err(thrown)))).status(), 201);
    }

    #[test]
    fn a_full_gate_names_no_execution_and_says_when_to_come_back() {
        let busy = Error::Busy { why: "full".to_owned(), retry_after: Duration::from_secs(1) };
        let response = reply(false).to(Err(busy));
        assert_eq!(
            (response.status().as_u16(), &response.headers()[header::RETRY_AFTER]),
            (503, &HeaderValue::from(1))
        );
        assert!(!response.headers().contains_key(EXECUTION_ID));
        let stopped = reply(false).to(Ok(outcome(Err(failure(FailureKind::Stopped)))));
        assert_eq!(
            (stopped.status().as_u16(), &stopped.headers()[header::RETRY_AFTER]),
            (503, &HeaderValue::from(1))
        );
    }

    #[tokio::test]
    async fn scripts_without_memory_are_no_stop_and_say_when_to_come_back() {
        let response = reply(false).to(Ok(outcome(Err(failure(FailureKind::MemoryOfAll)))));
        assert_eq!(
            (response.status().as_u16(), &response.headers()[header::RETRY_AFTER]),
            (503, &HeaderValue::from(1))
        );
        let body = text(response).await;
        assert!(body.contains("scripts hold all the memory"), "{body}");
    }

    #[tokio::test]
    async fn a_browser_gets_a_page_and_others_a_problem() {
        let accept =
            |value: &'static str| HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(value))]);
        let page = not_found(&accept("application/xhtml+xml, Text/HTML;q=0.9, */*"));
        assert_eq!(
            (page.status().as_u16(), &page.headers()[header::CONTENT_TYPE]),
            (404, &HeaderValue::from_static("text/html; charset=utf-8"))
        );
        assert!(text(page).await.starts_with("<!DOCTYPE html>"));
        for other in [accept("*/*"), accept("application/json"), HeaderMap::new()] {
            assert_eq!(not_found(&other).headers()[header::CONTENT_TYPE], "application/problem+json");
        }
    }
}
