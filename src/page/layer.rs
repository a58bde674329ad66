//! What is done around every page: its security policy, and errors as pages.
//!
//! A stranger is sent to claim the machine or to sign in, and from there to
//! where they wanted to go.

use axum::{
    extract::{Request, State as AxumState},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use maud::{Markup, html};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::{Visit, layout::Frame, notice};
use crate::web::{State, claim, error::Problem};

/// What a page may load and do. Scripts of apps answer on the same host names, so
/// that `'self'` would let their files run here: no page of ours needs any.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'self'; script-src 'none'; object-src 'none'; base-uri 'none'; form-action 'self'; \
     frame-ancestors 'none'",
);

/// Answers a request for a page: an error becomes a page of its own.
pub async fn around(AxumState(state): AxumState<State>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let visit = Visit::of(&parts, &state);
    let (method, uri) = (parts.method.clone(), parts.uri.clone());
    let mut response = next.run(Request::from_parts(parts, body)).await;
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        response = if response.status() == StatusCode::UNAUTHORIZED && method.is_safe() {
            to_sign_in(&state, &visit, (&uri, &problem)).await
        } else {
            page(response.headers().clone(), &visit, (&method, &problem))
        };
    }
    if visit.notice.is_some() && response.status().is_success() && is_html(response.headers()) {
        response.headers_mut().append(header::SET_COOKIE, notice::said());
    }
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, POLICY);
    response
}

fn is_html(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|media| media.as_bytes().starts_with(b"text/html"))
}

/// Sends a stranger to claim the machine while nobody owns it, later to sign in.
async fn to_sign_in(state: &State, visit: &Visit, (uri, why): (&Uri, &Problem)) -> Response {
    match claim::window(state).await {
        Ok(window) if !window.claimed => notice::see("/admin/claim"),
        Ok(_) => {
            let wanted = uri.path_and_query().map_or("/admin", |asked| asked.as_str());
            let wanted = utf8_percent_encode(wanted, NON_ALPHANUMERIC);
            // What the API says in words; the page has its own.
            let reason = if why.detail.starts_with("clock:") { "&reason=clock" } else { "" };
            notice::see(&format!("/admin/login?next={wanted}{reason}"))
        }
        Err(error) => {
            let mut response = error.into_response();
            match response.extensions_mut().remove::<Problem>() {
                Some(problem) => page(response.headers().clone(), visit, (&Method::GET, &problem)),
                None => response,
            }
        }
    }
}

/// An error as a page, with the headers its status asks for.
fn page(mut headers: HeaderMap, visit: &Visit, (method, problem): (&Method, &Problem)) -> Response {
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    // A page that has moved is not shown, only left.
    if headers.contains_key(header::LOCATION) {
        headers.remove(header::CONTENT_TYPE);
        headers.remove(header::CONTENT_LENGTH);
        return (status, headers).into_response();
    }
    let quiet = Visit { notice: None, ..visit.clone() };
    let drawn = Frame::of_stranger(&quiet, title(status)).around(&explained(status, method, problem));
    headers.remove(header::CONTENT_LENGTH);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    (status, headers, drawn.into_string()).into_response()
}

fn title(status: StatusCode) -> &'static str {
    match status {
        StatusCode::UNAUTHORIZED => "Signed out",
        StatusCode::FORBIDDEN => "Not allowed",
        StatusCode::NOT_FOUND => "Not found",
        StatusCode::METHOD_NOT_ALLOWED => "Nothing to send here",
        StatusCode::PAYLOAD_TOO_LARGE => "Too large",
        StatusCode::SERVICE_UNAVAILABLE => "Not available right now",
        status if status.is_client_error() => "That did not work",
        _ => "Something broke",
    }
}

/// What happened, in the error's own words, and what to do now.
fn explained(status: StatusCode, method: &Method, problem: &Problem) -> Markup {
    let advice = match status {
        StatusCode::UNAUTHORIZED => {
            "Nothing was saved. Sign in in another window, come back here with the browser's back button and \
             send the form again."
        }
        StatusCode::NOT_FOUND => "It may have been deleted or renamed.",
        StatusCode::FORBIDDEN => "Ask an owner of this machine for the role that allows it.",
        StatusCode::SERVICE_UNAVAILABLE => {
            "PiCloud goes on by itself as soon as it can; try again in a moment."
        }
        StatusCode::INTERNAL_SERVER_ERROR => "The fault is PiCloud's. Its log has the details.",
        _ if *method == Method::POST => "Nothing was saved. Go back, correct it and send it again.",
        _ => "",
    };
    html! {
        p { (super::parts::sentence(&problem.detail)) }
        @if !advice.is_empty() { p { (advice) } }
        p { a.button href="/admin" { "To the start page" } }
        p.hint { "Status " (problem.status) ", " (problem.title) "." }
    }
}
