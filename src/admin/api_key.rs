//! Making and taking away API keys.

use serde_json::json;

use crate::{
    access::{Caller, Scopes, token},
    base::{
        Error, Result,
        id::{ApiKeyId, AppId},
        name::KeyName,
        time::Timestamp,
    },
    store::{
        api_key::{self, ApiKey, NewApiKey},
        app,
        audit::{self, Action, Entry},
    },
    web::State,
};

/// What a key is asked for with.
#[derive(Debug)]
pub struct Asked {
    /// What it is for.
    pub name: KeyName,
    /// What it may be used for.
    pub scopes: Scopes,
    /// The id or slug of the app to bind it to.
    pub app: Option<String>,
    /// From when on it is refused.
    pub expires_at: Option<Timestamp>,
}

/// Makes a key for the caller; returns it with its secret, which nobody can tell again.
pub async fn create(state: &State, caller: &Caller, asked: &Asked) -> Result<(ApiKey, String)> {
    caller.require_login()?;
    let app = match &asked.app {
        Some(name) => Some(bound(state, caller, name).await?),
        None => None,
    };
    state.disk.check()?;
    let key = token::new_key()?;
    let new = NewApiKey {
        user: caller.user.id,
        name: &asked.name,
        key: &key,
        scopes: &asked.scopes,
        app,
        expires_at: asked.expires_at,
    };
    let mut tx = state.begin(caller).await?;
    let made = api_key::create(&mut *tx, new).await?;
    audit::append(&mut tx, entry(caller, Action::ApiKeyCreate, &made)).await?;
    tx.commit().await?;
    Ok((made, key.key))
}

/// The app a key is to be bound to: one its owner has a role in.
async fn bound(state: &State, caller: &Caller, name: &str) -> Result<AppId> {
    let reached = app::named(&state.db, name, caller.user.id).await?.filter(|reached| !reached.renamed);
    let mine = reached.filter(|reached| caller.clone().in_app(reached.app.id, reached.role).is_some());
    let unknown = || Error::invalid("app", "is no app you have a role in");
    Ok(mine.ok_or_else(unknown)?.app.id)
}

/// Takes one of the caller's keys away.
pub async fn delete(state: &State, caller: &Caller, id: ApiKeyId) -> Result<()> {
    let mut tx = state.begin(caller).await?;
    let gone = api_key::delete(&mut *tx, caller.user.id, id).await?;
    let gone = gone.ok_or_else(|| Error::NotFound("key".to_owned()))?;
    audit::append(&mut tx, entry(caller, Action::ApiKeyDelete, &gone)).await?;
    tx.commit().await?;
    Ok(())
}

fn entry(caller: &Caller, action: Action, key: &ApiKey) -> Entry {
    Entry {
        actor: caller.actor(),
        action,
        target: Some(key.id.to_string()),
        app: key.app_id,
        details: json!({"name": key.name, "prefix": key.prefix, "scopes": key.scopes}),
    }
}
