//! Claiming the machine: when it can be, by whom, and making its first owner.

use std::time::Duration;

use sqlx::PgPool;

use super::{
    Client,
    client::Way,
    sign_in::{self, SignedIn},
    state::State,
};
use crate::{
    access::{InstanceRole, claim_code, password, throttle, token},
    base::{
        Error, Result,
        name::{DisplayName, Username},
    },
    config::{ClaimFrom, ClaimWindow, Config},
    store::{
        audit::Action,
        instance,
        sign_in::{self as tries, Tried},
        user::{self, NewUser},
    },
    system::clock,
};

/// Who wants to own the machine.
#[derive(Debug)]
pub struct Claim {
    /// The name to sign in with.
    pub username: Username,
    /// The password.
    pub password: String,
    /// The name to show.
    pub display_name: Option<DisplayName>,
    /// The code, where one is asked for.
    pub code: Option<String>,
}

/// Whether a stranger may claim the machine right now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Whether somebody owns it already.
    pub claimed: bool,
    /// How long it stays open; `None` once it is closed or claimed.
    pub left: Option<Duration>,
    /// Whether claiming asks for the code that the log shows.
    pub asks_code: bool,
}

/// How long ago that happened which can open the window, by a clock that nobody sets.
#[derive(Clone, Copy, Debug)]
struct Since {
    start: Duration,
    boot: Duration,
    /// The first start of all; none if it was before this power-up.
    install: Option<Duration>,
}

/// What is done about a claim at each start: the first one ever is noted, and
/// where a code is asked for, a new one is made and shown in the log.
pub async fn prepare(db: &PgPool, config: &Config) -> Result<Option<Duration>> {
    let boot = clock::boot_id();
    let first = instance::note_start(db, &boot, clock::since_boot()).await?;
    if config.claim_code && !instance::is_claimed(db).await? {
        let code = claim_code::new()?;
        instance::keep_claim_code(db, &claim_code::hash(&code)).await?;
        // As a warning, so that it is seen whatever else is not logged.
        tracing::warn!("nobody owns this machine yet; claiming it asks for the code {code}");
    }
    Ok(first.filter(|(first, _)| *first == boot).map(|(_, uptime)| uptime))
}

/// How the claim window stands.
pub async fn window(state: &State) -> Result<Window> {
    let claimed = instance::is_claimed(&state.db).await?;
    let boot = clock::since_boot();
    let install = state.first_start.map(|first| boot.saturating_sub(first));
    let since = Since { start: state.started.elapsed(), boot, install };
    let left = if claimed { None } else { time_left(state.config.claim_window, since) };
    Ok(Window { claimed, left, asks_code: !claimed && state.config.claim_code })
}

/// Refuses one who may not claim: from outside the LAN, or too late. Loopback
/// ignores the window: who can sign in to the machine holds it.
pub fn require_may_claim(window: Window, client: &Client) -> Result<()> {
    if window.claimed || client.is_this_machine() {
        return Ok(());
    }
    let refused = |why: &str| Err(Error::Forbidden(why.to_owned()));
    if client.way == Way::Unknown {
        return refused(
            "this comes through a proxy that does not say from whom or is not in trusted_proxies; claim the \
             machine from its own network without it",
        );
    }
    if !client.is_local() {
        return refused("the machine can be claimed only from its own network");
    }
    if window.left.is_none() {
        return refused(
            "the time to claim the machine is over; restart it, or claim it from the machine itself",
        );
    }
    Ok(())
}

/// Makes the first owner and signs them in.
pub async fn claim(state: &State, claim: Claim, client: &Client) -> Result<SignedIn> {
    let refused = || Error::Conflict("this machine is claimed already; sign in instead".to_owned());
    let claimed = instance::is_claimed(&state.db).await?;
    if !claimed {
        require_code(state, claim.code.as_deref()).await?;
    }
    password::check_strength(&claim.password, &claim.username)?;
    if claimed {
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
    let from = Tried { username: Some(claim.username), address: throttle::origin(client.address) };
    tries::succeeded(&mut *tx, owner, &from).await?;
    let expires_at =
        sign_in::opened((state, &mut tx), Action::InstanceClaim, (&user, &token), client).await?;
    tx.commit().await?;
    tracing::info!(user = %user.username, "the machine was claimed");
    Ok(SignedIn { user, token, expires_at })
}

/// Refuses who does not know the code, where one is asked for.
async fn require_code(state: &State, code: Option<&str>) -> Result<()> {
    if !state.config.claim_code {
        return Ok(());
    }
    let hashed = instance::claim_code(&state.db).await?;
    if hashed.is_some_and(|hashed| claim_code::is_right(code.unwrap_or_default(), &hashed)) {
        return Ok(());
    }
    Err(Error::invalid("claim_code", "is not the code that stands in PiCloud's log since its last start"))
}

fn time_left(window: ClaimWindow, since: Since) -> Option<Duration> {
    let since = match window.from {
        ClaimFrom::Start => since.start,
        ClaimFrom::Boot => since.boot,
        ClaimFrom::Install => since.install.map_or(since.boot, |install| install.min(since.boot)),
    };
    Duration::from_secs(u64::from(window.minutes) * 60).checked_sub(since).filter(|left| !left.is_zero())
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPEN: Window = Window { claimed: false, left: Some(Duration::from_secs(1)), asks_code: false };
    const CLOSED: Window = Window { claimed: false, left: None, asks_code: false };

    fn may(window: Window, address: &str, way: Way) -> bool {
        let address: std::net::IpAddr = address.parse().expect("an address");
        let client = Client { address: address.to_canonical(), way, secure: false, user_agent: None };
        require_may_claim(window, &client).is_ok()
    }

    #[test]
    fn only_the_local_network_may_claim_and_only_in_time() {
        for local in
            ["192.168.1.9", "10.0.0.1", "172.16.5.5", "169.254.1.1", "fe80::1", "fd00::7", "::ffff:10.0.0.1"]
        {
            assert!(may(OPEN, local, Way::Direct), "{local}");
            assert!(!may(CLOSED, local, Way::Direct), "{local}");
        }
        for foreign in ["8.8.8.8", "172.32.0.1", "2001:db8::1", "100.64.0.1", "::ffff:8.8.8.8"] {
            assert!(!may(OPEN, foreign, Way::Direct), "{foreign}");
        }
    }

    #[test]
    fn the_machine_itself_ignores_the_window() {
        assert!(may(CLOSED, "127.0.0.1", Way::Direct) && may(CLOSED, "::1", Way::Direct));
    }

    #[test]
    fn through_a_proxy_only_a_client_it_tells_of_may_claim() {
        assert!(may(OPEN, "192.168.1.9", Way::Proxied) && !may(CLOSED, "192.168.1.9", Way::Proxied));
        assert!(!may(OPEN, "8.8.8.8", Way::Proxied));
        for hidden in ["127.0.0.1", "192.168.1.9"] {
            assert!(!may(OPEN, hidden, Way::Unknown), "{hidden}");
        }
    }

    #[test]
    fn each_kind_of_window_opens_with_what_it_is_named_after() {
        let minutes = |minutes| Duration::from_secs(minutes * 60);
        let left = |from, since: (u64, u64, Option<u64>)| {
            let since =
                Since { start: minutes(since.0), boot: minutes(since.1), install: since.2.map(minutes) };
            time_left(ClaimWindow { minutes: 30, from }, since).map(|left| left.as_secs() / 60)
        };
        assert_eq!(left(ClaimFrom::Start, (10, 999, None)), Some(20));
        assert_eq!(left(ClaimFrom::Start, (30, 0, Some(0))), None);
        assert_eq!(left(ClaimFrom::Boot, (1, 10, Some(1))), Some(20), "a restart does not open it again");
        assert_eq!(left(ClaimFrom::Boot, (1, 31, Some(1))), None);
        assert_eq!(left(ClaimFrom::Install, (10, 999, Some(10))), Some(20), "on a machine that ran for long");
        assert_eq!(left(ClaimFrom::Install, (1, 999, Some(31))), None, "a restart does not open it again");
        assert_eq!(left(ClaimFrom::Install, (1, 10, None)), Some(20), "a power-up does");
        assert_eq!(left(ClaimFrom::Install, (1, 31, None)), None);
    }
}
