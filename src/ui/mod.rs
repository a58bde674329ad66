//! Floor 8: the platform's pages, a front door that translates and does not decide.
//!
//! Each page is a file with a `const PAGE`: its path, its place in the menu,
//! what its visitor must hold, and its router. What a form does is a function
//! of `admin`, which the API calls too.

mod app;
mod audit;
mod claim;
mod editor;
mod home;
mod log;
mod logs;
mod people;
mod reference;
mod routes;
mod run;
mod scripts;
mod settings;
mod sign_in;
mod versions;

use axum::{Extension, Router, extract::Request, middleware, routing::any};

use crate::{
    base::Error,
    page::{Page, assets, layer, visit::Menu},
    web::{State, error::Problem},
};

/// The platform's pages, in the order in which the menu shows them.
pub const PAGES: &[Page] = &[
    home::PAGE,
    people::users::PAGE,
    people::user::PAGE,
    people::keys::PAGE,
    people::account::PAGE,
    audit::PAGE,
    reference::PAGE,
    claim::PAGE,
    sign_in::PAGE,
    app::PAGE,
    scripts::PAGE,
    editor::PAGE,
    run::PAGE,
    versions::PAGE,
    routes::PAGE,
    routes::TEST,
    logs::PAGE,
    log::PAGE,
    settings::PAGE,
    settings::domains::PAGE,
    settings::members::PAGE,
    settings::cors::PAGE,
];

/// Everything below `/admin`.
pub fn router(state: &State) -> Router<State> {
    let pages = PAGES.iter().fold(Router::new(), |all, page| all.merge((page.router)()));
    pages
        .merge(assets::router())
        .route("/admin/", any(unknown))
        .route("/admin/{*rest}", any(unknown))
        .method_not_allowed_fallback(wrong_method)
        .layer(Extension(Menu(PAGES)))
        .layer(middleware::from_fn_with_state(state.clone(), layer::around))
}

/// An address that no page has.
async fn unknown(request: Request) -> Error {
    Error::NotFound(format!("the page {}", request.uri().path()))
}

/// A page's address under a method it does not take.
async fn wrong_method(request: Request) -> Problem {
    Problem::new(http::StatusCode::METHOD_NOT_ALLOWED, format!("this address takes no {}", request.method()))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_page_has_a_path_of_its_own_below_admin() {
        let paths: HashSet<_> = PAGES.iter().map(|page| page.path).collect();
        assert_eq!(paths.len(), PAGES.len());
        assert!(paths.iter().all(|path| *path == "/admin" || path.starts_with("/admin/")));
    }
}
