//! People and programs: claiming the machine, signing in, users, their
//! sessions and keys, and who belongs to which app.

mod auth;
mod keys;
mod members;
mod sessions;
mod setup;
mod users;

use aide::axum::ApiRouter;

use crate::web::State;

/// The calls under `/api/v1`.
pub(super) fn open() -> ApiRouter<State> {
    setup::routes().merge(auth::routes())
}

/// The calls under `/api/v1/admin`.
pub(super) fn admin() -> ApiRouter<State> {
    users::routes().merge(sessions::routes()).merge(keys::routes()).merge(members::routes())
}
