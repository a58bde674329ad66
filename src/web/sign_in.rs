//! Claiming the machine, signing in and out: what the API and the pages share.

use std::time::Duration;

use http::HeaderValue;

use super::{Client, client::Way, origin::SESSION_COOKIE, state::State};
use crate::{
    access::{Caller, InstanceRole, password, token},
    base::{
        Error, Result,
        name::{DisplayName, Username},
        time::Timestamp,
    },
    config::{ClaimFrom, ClaimWindow},
    store::{
        instance,
        session::{self, NewSession},
        user::{self, NewUser, User},
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

/// How the claim window stands.
pub async fn window(state: &State) -> Result<Window> {
    let claimed = instance::is_claimed(&state.db).await?;
    let left = if claimed { None } else { time_left(state.config.claim_window, state) };
    Ok(Window { claimed, left })
}

/// Refuses one who may not claim: from outside the LAN, or too late. Loopback
/// ignores the window: who can sign in to the machine holds it.
pub fn require_may_claim(window: Window, client: &Client) -> Result<()> {
    if window.claimed || client.is_this_machine() {
        return Ok(());
    }
    if client.way == Way::Unknown {
        return Err(Error::Forbidden(
            "this comes through a proxy that does not say from whom or is not in trusted_proxies; claim the \
             machine from its own network without it"
                .to_owned(),
        ));
    }
    if !client.is_local() {
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
    let expires_at = session::open(&mut *tx, new_session(&user, &token, client)).await?;
    tx.commit().await?;
    tracing::info!(user = %user.username, "the machine was claimed");
    Ok(SignedIn { user, token, expires_at })
}

/// Signs somebody in. A wrong name takes as long as a wrong password and says the same.
pub async fn login(state: &State, username: &str, password: String, client: &Client) -> Result<SignedIn> {
    let known = match username.parse::<Username>() {
        Ok(name) => user::sign_in_of(&state.db, &name).await?,
        Err(_) => None,
    };
    let (id, hash) = known.unzip();
    let right = password::verify(state.password_cost, password, hash.clone()).await?;
    let wrong = || Error::Unauthenticated("the user name or the password is wrong".to_owned());
    let (id, hash) = id.zip(hash).filter(|_| right).ok_or_else(wrong)?;
    let token = token::new_session()?;
    let mut tx = state.db.begin().await?;
    let user = user::signed_in(&mut *tx, id, &hash).await?.ok_or_else(wrong)?;
    let expires_at = session::open(&mut *tx, new_session(&user, &token, client)).await?;
    tx.commit().await?;
    Ok(SignedIn { user, token, expires_at })
}

/// Ends the session a caller came with.
pub async fn logout(state: &State, caller: &Caller) -> Result<()> {
    session::close(&state.db, caller.require_login()?).await
}

fn new_session<'a>(user: &User, token: &'a str, client: &'a Client) -> NewSession<'a> {
    NewSession {
        user: user.id,
        token,
        address: client.address.to_string(),
        user_agent: client.user_agent.as_deref(),
    }
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

fn time_left(window: ClaimWindow, state: &State) -> Option<Duration> {
    let since = match window.from {
        ClaimFrom::Start => state.started.elapsed(),
        ClaimFrom::Boot => crate::system::clock::since_boot(),
    };
    Duration::from_secs(u64::from(window.minutes) * 60).checked_sub(since).filter(|left| !left.is_zero())
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPEN: Window = Window { claimed: false, left: Some(Duration::from_secs(1)) };
    const CLOSED: Window = Window { claimed: false, left: None };

    fn client(address: &str, way: Way) -> Client {
        let address: std::net::IpAddr = address.parse().expect("an address");
        Client { address: address.to_canonical(), way, secure: false, user_agent: None }
    }

    fn may(window: Window, address: &str) -> bool {
        require_may_claim(window, &client(address, Way::Direct)).is_ok()
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
    fn through_a_proxy_only_a_client_it_tells_of_may_claim() {
        let may = |window, address, way| require_may_claim(window, &client(address, way)).is_ok();
        assert!(may(OPEN, "192.168.1.9", Way::Proxied) && !may(CLOSED, "192.168.1.9", Way::Proxied));
        assert!(!may(OPEN, "8.8.8.8", Way::Proxied));
        for hidden in ["127.0.0.1", "192.168.1.9"] {
            assert!(!may(OPEN, hidden, Way::Unknown), "{hidden}");
        }
    }

    #[test]
    fn the_cookie_is_hidden_from_scripts_and_other_sites() {
        let mut client = client("192.168.1.9", Way::Proxied);
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
