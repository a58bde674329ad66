//! Claiming the machine, signing in and out: what the API and the pages share.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use axum::extract::FromRequestParts;
use http::{HeaderValue, header, request::Parts};
use serde_json::json;
use sqlx::PgConnection;

use super::{origin::SESSION_COOKIE, proof, server::Peer, state::State};
use crate::{
    access::{Actor, Caller, InstanceRole, password, throttle, token},
    base::{
        Error, Result,
        name::{DisplayName, Username},
        time::Timestamp,
    },
    config::{ClaimFrom, ClaimWindow},
    store::{
        audit::{self, Action, Entry},
        instance,
        session::{self, NewSession},
        sign_in::{self as tries, Tried},
        user::{self, NewUser, User},
    },
};

/// Where a request comes from, as a new session remembers it.
#[derive(Clone, Debug)]
pub struct Client {
    /// The address at the other end.
    pub address: SocketAddr,
    /// The browser, as it names itself.
    pub user_agent: Option<String>,
}

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

/// Who wants to own the machine.
#[derive(Debug)]
pub struct Claim {
    /// The name to sign in with.
    pub username: Username,
    /// The password.
    pub password: String,
    /// The name to show.
    pub display_name: Option<DisplayName>,
}

/// Whether a stranger may claim the machine right now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Whether somebody owns it already.
    pub claimed: bool,
    /// How long it stays open; `None` once it is closed or claimed.
    pub left: Option<Duration>,
}

impl<S: Sync> FromRequestParts<S> for Client {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        let peer = parts.extensions.get::<Peer>();
        let address = peer.ok_or_else(|| Error::internal("a request without a connection"))?.0;
        let agent = parts.headers.get(header::USER_AGENT).and_then(|v| v.to_str().ok());
        let user_agent = agent.map(|text| crate::base::name::truncated(text.to_owned(), 256));
        Ok(Self { address, user_agent })
    }
}

impl aide::OperationInput for Client {}

/// How the claim window stands.
pub async fn window(state: &State) -> Result<Window> {
    let claimed = instance::is_claimed(&state.db).await?;
    let left = if claimed { None } else { time_left(state.config.claim_window, state) };
    Ok(Window { claimed, left })
}

/// Refuses one who may not claim: from outside the LAN, or too late. Loopback
/// ignores the window: who can sign in to the machine holds it.
pub fn require_may_claim(window: Window, address: IpAddr) -> Result<()> {
    let address = address.to_canonical();
    if window.claimed || address.is_loopback() {
        return Ok(());
    }
    if !is_local(address) {
        return Err(Error::Forbidden("the machine can be claimed only from its own network".to_owned()));
    }
    if window.left.is_none() {
        return Err(Error::Forbidden(
            "the time to claim the machine is over; restart it, or claim it from the machine itself"
                .to_owned(),
        ));
    }
    Ok(())
}

/// Makes the first owner and signs them in.
pub async fn claim(state: &State, claim: Claim, client: &Client) -> Result<SignedIn> {
    let refused = || Error::Conflict("this machine is claimed already; sign in instead".to_owned());
    password::check_strength(&claim.password, &claim.username)?;
    if instance::is_claimed(&state.db).await? {
        return Err(refused());
    }
    let hash = password::hash(state.password_cost, claim.password).await?;
    let token = token::new_session()?;
    let mut tx = state.db.begin().await?;
    if !instance::claim(&mut *tx).await? {
        return Err(refused());
    }
    let new = NewUser {
        username: &claim.username,
        display_name: claim.display_name.as_ref(),
        email: None,
        password_hash: &hash,
        instance_role: InstanceRole::Owner,
    };
    let owner = user::create(&mut *tx, new).await?.id;
    let user = user::signed_in(&mut *tx, owner, &hash).await?.ok_or_else(refused)?;
    let from = Tried { username: Some(claim.username), address: throttle::origin(client.ip()) };
    tries::succeeded(&mut *tx, owner, &from).await?;
    let expires_at = opened((state, &mut tx), Action::InstanceClaim, (&user, &token), client).await?;
    tx.commit().await?;
    tracing::info!(user = %user.username, "the machine was claimed");
    Ok(SignedIn { user, token, expires_at })
}

/// Signs somebody in. A wrong name takes as long as a wrong password and says the same.
pub async fn login(state: &State, username: &str, password: String, client: &Client) -> Result<SignedIn> {
    let wrong = || Error::Unauthenticated("the user name or the password is wrong".to_owned());
    let proven = proof::of(state, username, password, client.ip()).await?.ok_or_else(wrong)?;
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
async fn opened(
    (state, tx): (&State, &mut PgConnection),
    action: Action,
    (user, token): (&User, &str),
    client: &Client,
) -> Result<Timestamp> {
    let new = NewSession {
        user: user.id,
        token,
        address: client.ip().to_string(),
        user_agent: client.user_agent.as_deref(),
        clock_is_right: state.clock.now().is_right(),
    };
    let (session, expires_at) = session::open(&mut *tx, new).await?;
    let entry = Entry {
        actor: Actor::person(user.id, &user.username, Some(client.ip())),
        action,
        target: Some(user.id.to_string()),
        app: None,
        details: json!({"username": user.username, "session": session}),
    };
    audit::append(tx, entry).await?;
    Ok(expires_at)
}

impl Client {
    /// Its address without the port, an IPv4 one in IPv6 as what it is.
    pub fn ip(&self) -> IpAddr {
        self.address.ip().to_canonical()
    }
}

/// The cookie that carries `token`; an empty token takes it away.
pub fn cookie(token: &str) -> HeaderValue {
    // As long as a session lives at most; the server ends one that is not used earlier.
    let age = if token.is_empty() { 0 } else { 90 * 24 * 60 * 60 };
    let text = format!("{SESSION_COOKIE}={token}; Path=/; Max-Age={age}; HttpOnly; SameSite=Lax");
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

fn time_left(window: ClaimWindow, state: &State) -> Option<Duration> {
    let since = match window.from {
        ClaimFrom::Start => state.started.elapsed(),
        ClaimFrom::Boot => crate::system::clock::since_boot(),
    };
    Duration::from_secs(u64::from(window.minutes) * 60).checked_sub(since).filter(|left| !left.is_zero())
}

/// Whether an address is of the local network: private or link-local, of either family.
fn is_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_private() || v4.is_link_local() || v4.is_loopback(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPEN: Window = Window { claimed: false, left: Some(Duration::from_secs(1)) };
    const CLOSED: Window = Window { claimed: false, left: None };

    fn may(window: Window, address: &str) -> bool {
        address.parse().is_ok_and(|address| require_may_claim(window, address).is_ok())
    }

    #[test]
    fn only_the_local_network_may_claim_and_only_in_time() {
        for local in
            ["192.168.1.9", "10.0.0.1", "172.16.5.5", "169.254.1.1", "fe80::1", "fd00::7", "::ffff:10.0.0.1"]
        {
            assert!(may(OPEN, local), "{local}");
            assert!(!may(CLOSED, local), "{local}");
        }
        for foreign in ["8.8.8.8", "172.32.0.1", "2001:db8::1", "100.64.0.1", "::ffff:8.8.8.8"] {
            assert!(!may(OPEN, foreign), "{foreign}");
        }
    }

    #[test]
    fn the_machine_itself_ignores_the_window() {
        assert!(may(CLOSED, "127.0.0.1") && may(CLOSED, "::1"));
    }

    #[test]
    fn the_cookie_is_hidden_from_scripts_and_other_sites() {
        let cookie = cookie("pics_x");
        let text = cookie.to_str().unwrap_or_default();
        for part in ["picloud_session=pics_x;", "HttpOnly", "SameSite=Lax", "Path=/"] {
            assert!(text.contains(part), "{text}");
        }
    }
}
