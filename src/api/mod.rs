//! Floor 8: the API, version 1: a front door that translates and does not decide.
//!
//! Each noun is a file with `routes()`; the OpenAPI document is made from the
//! same routers, so it cannot drift from what is served.

mod abandoned;
mod access;
mod apps;
mod audit;
mod domains;
mod execute;
mod executions;
mod open;
mod openapi;
mod outbox;
mod routes;
mod script_fields;
mod scripts;
mod settings;
mod versions;

use aide::axum::ApiRouter;
use axum::{Router, extract::Request, http::StatusCode};

pub use openapi::document;

use crate::{
    base::Error,
    web::{State, error::Problem},
};

/// Everything the API serves, and the open endpoints beside it.
pub fn router() -> Router<State> {
    let document = openapi::serialized();
    let (router, _) = described();
    let router = router.route("/api/v1/openapi.json", axum::routing::get(async || openapi::answer(document)));
    router
        .route("/api/v1", axum::routing::any(unknown))
        .route("/api/v1/{*rest}", axum::routing::any(unknown))
        .method_not_allowed_fallback(wrong_method)
}

/// The routers of all nouns, and the document they describe.
fn described() -> (Router<State>, aide::openapi::OpenApi) {
    let admin = ApiRouter::new()
        .merge(apps::routes())
        .merge(domains::routes())
        .merge(scripts::routes())
        .merge(versions::routes())
        .merge(routes::routes())
        .merge(executions::routes())
        .merge(outbox::routes())
        .merge(abandoned::routes())
        .merge(settings::routes())
        .merge(access::admin())
        .merge(audit::routes());
    let mut document = openapi::head();
    let router = ApiRouter::new()
        .merge(open::routes())
        .nest("/api/v1", access::open().merge(execute::routes()))
        .nest("/api/v1/admin", admin)
        .finish_api_with(&mut document, openapi::defaults);
    crate::web::caller::describe_needs(&mut document);
    (router, document)
}

/// A path the API does not have.
async fn unknown(request: Request) -> Error {
    Error::NotFound(format!("the call {}", request.uri().path()))
}

/// A path the API has, under other methods; axum adds the `Allow` header.
async fn wrong_method(request: Request) -> Problem {
    let detail = format!("{} is not allowed here; the Allow header names what is", request.method());
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, detail)
}
