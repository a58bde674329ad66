//! The only place that turns an error into a response: problem details for
//! HTTP APIs (RFC 9457).

use aide::{OperationOutput, generate::GenContext, openapi};
use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};

use crate::base::{Error, FieldError};

/// What a client sees of an error. Its response carries it as an extension too,
/// for the layer that shows errors as pages.
#[derive(Clone, Debug, serde::Serialize, schemars::JsonSchema)]
pub struct Problem {
    /// Always `about:blank`: the status says what kind of problem it is.
    pub r#type: &'static str,
    /// The status in words.
    pub title: String,
    /// The status code, as in the response.
    pub status: u16,
    /// What was wrong with this request, for a person.
    pub detail: String,
    /// The fields that were wrong, if it was about fields.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub errors: Option<Vec<FieldError>>,
}

impl Problem {
    /// A problem of `status` without field errors.
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        let title = status.canonical_reason().unwrap_or("Error").to_owned();
        Self { r#type: "about:blank", title, status: status.as_u16(), detail: detail.into(), errors: None }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let media = HeaderValue::from_static("application/problem+json");
        let mut response = (status, Json(&self)).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, media);
        response.extensions_mut().insert(self);
        response
    }
}

/// The status an error is answered with.
pub fn status_of(error: &Error) -> StatusCode {
    match error {
        Error::Malformed(_) => StatusCode::BAD_REQUEST,
        Error::Unauthenticated(_) => StatusCode::UNAUTHORIZED,
        Error::Forbidden(_) => StatusCode::FORBIDDEN,
        Error::NotFound(_) => StatusCode::NOT_FOUND,
        Error::Moved(_) => StatusCode::PERMANENT_REDIRECT,
        Error::MethodNotAllowed { .. } => StatusCode::METHOD_NOT_ALLOWED,
        Error::Conflict(_) => StatusCode::CONFLICT,
        Error::Misdirected(_) => StatusCode::MISDIRECTED_REQUEST,
        Error::Slow { .. } => StatusCode::REQUEST_TIMEOUT,
        Error::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        Error::UnsupportedMedia(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Error::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
        Error::Quota { .. } => StatusCode::TOO_MANY_REQUESTS,
        Error::Busy { .. } | Error::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        Error::Internal { .. } => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// The header an error's status asks for, such as `Retry-After` with a 503.
fn header_of(error: &Error) -> Option<(header::HeaderName, String)> {
    match error {
        Error::Unauthenticated(_) => Some((header::WWW_AUTHENTICATE, "Bearer realm=\"picloud\"".to_owned())),
        Error::Moved(to) => Some((header::LOCATION, to.clone())),
        Error::MethodNotAllowed { allow } => Some((header::ALLOW, allow.join(", "))),
        Error::Busy { retry_after, .. } | Error::Quota { retry_after, .. } => {
            Some((header::RETRY_AFTER, retry_after.as_secs().max(1).to_string()))
        }
        Error::Unavailable(_) => Some((header::RETRY_AFTER, "1".to_owned())),
        _ => None,
    }
}

/// Logs what only the log may know, once.
fn log(error: &Error) {
    match error {
        Error::Internal { context, source } => {
            let source = source.as_deref().map(ToString::to_string);
            tracing::error!(context, source, "internal error");
        }
        Error::Unavailable(source) => tracing::warn!(%source, "the database is away"),
        _ => {}
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        log(&self);
        let mut problem = Problem::new(status_of(&self), self.to_string());
        let header = header_of(&self);
        if let Error::Invalid(errors) = self {
            problem.errors = Some(errors);
        }
        let mut response = problem.into_response();
        if let Some((name, value)) = header.and_then(|(n, v)| Some((n, HeaderValue::try_from(v).ok()?))) {
            response.headers_mut().insert(name, value);
        }
        // A body that was not read to its end cannot be followed by another request.
        if response.status() == StatusCode::REQUEST_TIMEOUT {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

impl OperationOutput for Error {
    type Inner = Problem;

    fn operation_response(
        ctx: &mut GenContext,
        operation: &mut openapi::Operation,
    ) -> Option<openapi::Response> {
        let mut response = Json::<Problem>::operation_response(ctx, operation)?;
        response.content = response
            .content
            .into_values()
            .map(|media| ("application/problem+json".to_owned(), media))
            .collect();
        "What was wrong, as RFC 9457 describes it.".clone_into(&mut response.description);
        Some(response)
    }

    fn inferred_responses(
        ctx: &mut GenContext,
        operation: &mut openapi::Operation,
    ) -> Vec<(Option<u16>, openapi::Response)> {
        Self::operation_response(ctx, operation).map(|r| (None, r)).into_iter().collect()
    }
}
