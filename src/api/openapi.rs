//! The OpenAPI document: what it says beyond what the handlers' types say.

use aide::{
    openapi::{ApiKeyLocation, Info, OpenApi, SecurityScheme, Server, Tag},
    transform::TransformOpenApi,
};
use axum::response::{IntoResponse as _, Response};
use http::header;

use crate::base::Error;

/// The whole document.
pub fn document() -> OpenApi {
    super::described().1
}

/// What the document starts as.
pub(super) fn head() -> OpenApi {
    let tag = |name: &str, description: &str| Tag {
        name: name.to_owned(),
        description: Some(description.to_owned()),
        ..Tag::default()
    };
    OpenApi {
        info: Info {
            title: "PiCloud".to_owned(),
            summary: Some("A private serverless cloud on a Raspberry Pi.".to_owned()),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            ..Info::default()
        },
        servers: vec![Server { url: "/".to_owned(), ..Server::default() }],
        tags: vec![
            tag("open", "Answers without credentials."),
            tag(
                "access",
                "Claiming the machine, signing in and out; users, their sessions and keys, members of apps.",
            ),
            tag("apps", "Apps and the hosts they answer on."),
            tag("scripts", "Scripts, their versions, and running them."),
            tag("routes", "Which script answers which address."),
            tag("executions", "What ran, when, and how it ended."),
            tag("dispatch", "What waits to run, and what nobody waited for."),
            tag("instance", "What holds for the whole machine."),
        ],
        ..OpenApi::default()
    }
}

/// What holds for every call: the ways to authenticate, and errors as problem details.
pub(super) fn defaults(api: TransformOpenApi<'_>) -> TransformOpenApi<'_> {
    api.security_scheme(
        "session",
        SecurityScheme::ApiKey {
            location: ApiKeyLocation::Cookie,
            name: crate::web::origin::SESSION_COOKIE.to_owned(),
            description: Some("The session cookie of a browser.".to_owned()),
            extensions: OpenApi::default().extensions,
        },
    )
    .security_scheme(
        "bearer",
        SecurityScheme::Http {
            scheme: "bearer".to_owned(),
            bearer_format: None,
            description: Some("A session's token or an API key.".to_owned()),
            extensions: OpenApi::default().extensions,
        },
    )
    .default_response::<Error>()
}

/// The document as text, made once.
pub(super) fn serialized() -> bytes::Bytes {
    serde_json::to_vec(&document()).unwrap_or_default().into()
}

/// Answers with the document.
pub(super) fn answer(document: bytes::Bytes) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], document).into_response()
}
