//! Signing in and out: what the API and the pages share.

pub mod proof;

use http::HeaderValue;

use serde_json::json;
use sqlx::PgConnection;

use super::{Client, origin::SESSION_COOKIE, state::State};
use crate::{
    access::{Actor, Caller, token},
    base::{Error, Result, time::Timestamp},
    store::{
        audit::{self, Action, Entry},
        session::{self, NewSession},
        user::{self, User},
    },
};

/// Somebody who has just signed in.
#[derive(Debug)]
pub struct SignedIn {
    /// Who.
    pub user: User,
    /// The session's token, shown this once.
    pub token: String,
    /// When the session ends if it is not used.
    pub expires_at: Timestamp,
}

/// Signs somebody in. A wrong name takes as long as a wrong password and says the same.
pub async fn login(state: &State, username: &str, password: String, client: &Client) -> Result<SignedIn> {
    let wrong = || Error::Unauthenticated("the user name or the password is wrong".to_owned());
    let proven = proof::of(state, username, password, client.address).await?.ok_or_else(wrong)?;
    let token = token::new_session()?;
    let mut tx = state.db.begin().await?;
    let user = user::signed_in(&mut *tx, proven.user, &proven.hash).await?.ok_or_else(wrong)?;
    let expires_at = opened((state, &mut tx), Action::SessionCreate, (&user, &token), client).await?;
    tx.commit().await?;
    Ok(SignedIn { user, token, expires_at })
}

/// Ends the session a caller came with.
pub async fn logout(state: &State, caller: &Caller) -> Result<()> {
    let id = caller.require_login()?;
    let mut tx = state.db.begin().await?;
    session::close(&mut *tx, id).await?;
    let entry = Entry {
        actor: caller.actor(),
        action: Action::SessionDelete,
        target: Some(caller.user.id.to_string()),
        app: None,
        details: json!({"username": caller.user.username, "session": id}),
    };
    audit::append(&mut tx, entry).await?;
    tx.commit().await?;
    Ok(())
}

/// Opens a session and writes it down; returns when it ends if it is not used.
pub(super) async fn opened(
    (state, tx): (&State, &mut PgConnection),
    action: Action,
    (user, token): (&User, &str),
    client: &Client,
) -> Result<Timestamp> {
    let new = NewSession {
        user: user.id,
        token,
        address: client.address.to_string(),
        user_agent: client.user_agent.as_deref(),
        clock_is_right: state.clock.now().is_right(),
    };
    let (session, expires_at) = session::open(&mut *tx, new).await?;
    let entry = Entry {
        actor: Actor::person(user.id, &user.username, Some(client.address)),
        action,
        target: Some(user.id.to_string()),
        app: None,
        details: json!({"username": user.username, "session": session}),
    };
    audit::append(tx, entry).await?;
    Ok(expires_at)
}

/// The cookie that carries `token`; an empty token takes it away. What was set
/// over TLS is never sent without.
pub fn cookie(token: &str, client: &Client) -> HeaderValue {
    // As long as a session lives at most; the server ends one that is not used earlier.
    let age = if token.is_empty() { 0 } else { 90 * 24 * 60 * 60 };
    let secure = if client.secure { "; Secure" } else { "" };
    let text = format!("{SESSION_COOKIE}={token}; Path=/; Max-Age={age}; HttpOnly; SameSite=Lax{secure}");
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::client::Way;

    #[test]
    fn the_cookie_is_hidden_from_scripts_and_other_sites() {
        let address = std::net::Ipv4Addr::new(192, 168, 1, 9).into();
        let mut client = Client { address, way: Way::Proxied, secure: false, user_agent: None };
        let cookie_of = |client: &Client| cookie("pics_x", client).to_str().map(str::to_owned);
        let text = cookie_of(&client).expect("text");
        assert!(!text.contains("Secure"), "{text}");
        client.secure = true;
        assert!(cookie_of(&client).expect("text").ends_with("; Secure"));
        for part in ["picloud_session=pics_x;", "HttpOnly", "SameSite=Lax", "Path=/"] {
            assert!(text.contains(part), "{text}");
        }
    }
}
