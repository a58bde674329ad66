//! From a path to a person, for one who may look at them or change them.

use std::marker::PhantomData;

use aide::{OperationInput, generate::GenContext, openapi::Operation};
use axum::extract::FromRequestParts;
use http::request::Parts;

use super::{document_capability, document_needs, not_found, path_param, words_for};
use crate::{
    access::{Caller, Capability, capability::needs::InstanceManageUsers},
    base::{Error, Result},
    store::user::{self, User},
    web::State,
};

/// The person a path names, for a caller who may do `T` with them.
///
/// Whether somebody exists is told only to those who may know of all.
#[derive(Debug)]
pub struct OnUser<T> {
    /// The person.
    pub user: User,
    /// Who calls.
    pub caller: Caller,
    touch: PhantomData<T>,
}

/// What a call does with a person.
pub trait Touch: Send + Sync + 'static {
    /// Whether everybody may do it with themselves, once signed in.
    const OF_ONESELF: bool;
    /// Whether it changes something, which only an owner may with an owner.
    const CHANGES: bool;
}

/// Declares the ways of touching a person.
macro_rules! touches {
    ($($(#[$doc:meta])* $name:ident: $of_oneself:literal, $changes:literal;)+) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name;

        impl Touch for $name {
            const OF_ONESELF: bool = $of_oneself;
            const CHANGES: bool = $changes;
        }
    )+};
}

touches! {
    /// Looks at a person.
    Reads: false, false;
    /// Changes or removes a person.
    Changes: false, true;
    /// Looks at a person's sessions.
    ReadsAccount: true, false;
    /// Changes a person's password, ends their sessions.
    ChangesAccount: true, true;
}

impl<T: Touch> FromRequestParts<State> for OnUser<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self> {
        let caller = Caller::from_request_parts(parts, state).await?;
        let id = path_param(parts, "user").await?.parse().ok();
        let oneself = id == Some(caller.user.id);
        if !(T::OF_ONESELF && oneself && caller.session().is_some()) {
            caller.require(Capability::InstanceManageUsers)?;
        }
        let found = match id {
            Some(id) => user::get(&state.db, id).await?,
            None => None,
        };
        let user = found.ok_or_else(|| not_found("user"))?;
        if T::CHANGES {
            caller.require_over(user.instance_role)?;
        }
        Ok(Self { user, caller, touch: PhantomData })
    }
}

impl<T: Touch> OperationInput for OnUser<T> {
    fn operation_input(ctx: &mut GenContext, operation: &mut Operation) {
        crate::web::query::document_path_param(ctx, operation, ("user", "The user's id."));
        if T::OF_ONESELF {
            let others = words_for::<InstanceManageUsers>();
            document_needs(operation, format!("For oneself a session will do. {others}"));
        } else {
            document_capability::<InstanceManageUsers>(operation);
        }
    }
}
