//! A password, tried: slowed down where it was wrong too often, and in turn.
//!
//! Whatever is tried costs the same work and the same waits, whether somebody
//! has that user name or nobody.

use std::{net::IpAddr, time::Duration};

use crate::web::State;
use crate::{
    access::{password::Turn, throttle},
    base::{Error, Result, id::UserId},
    store::{
        sign_in::{self, Tried},
        user,
    },
};

/// Somebody whose password was right.
#[derive(Debug)]
pub struct Proven {
    /// Who.
    pub user: UserId,
    /// The hash of the password.
    pub hash: String,
}

/// Whose password it is that was tried from `address`; nobody's if it is wrong or the
/// user may not sign in.
///
/// The try is made to its end even if whoever made it hangs up: or they could
/// guess without being counted.
pub async fn of(state: &State, username: &str, password: String, address: IpAddr) -> Result<Option<Proven>> {
    let tried = Tried { username: username.parse().ok(), address: throttle::origin(address) };
    let made = tokio::spawn(make(state.clone(), tried, password)).await;
    made.map_err(|e| Error::internal_from("a password could not be tried", e))?
}

async fn make(state: State, tried: Tried, password: String) -> Result<Option<Proven>> {
    // Who has to wait does not take part in the queue.
    require_patience(&state, &tried).await?;
    let turn = Turn::take().await?;
    // Those before in the queue may have failed meanwhile.
    require_patience(&state, &tried).await?;
    let known = match &tried.username {
        Some(name) => user::sign_in_of(&state.db, name).await?,
        None => None,
    };
    let (user, hash) = known.unzip();
    let (right, turn) = turn.verify(state.password_cost, password, hash.clone()).await?;
    let proven = user.zip(hash).filter(|_| right).map(|(user, hash)| Proven { user, hash });
    match &proven {
        Some(proven) => sign_in::succeeded(&state.db, proven.user, &tried).await?,
        None => sign_in::failed(&state.db, &tried).await?,
    }
    // Only now: the next in the queue sees what this one did.
    drop(turn);
    Ok(proven)
}

async fn require_patience(state: &State, tried: &Tried) -> Result<()> {
    let left = sign_in::standing(&state.db, tried).await?.left();
    if left.is_zero() {
        return Ok(());
    }
    // Told in whole seconds: who waits as long as they are told is not refused again.
    let retry_after = Duration::from_secs(left.as_secs() + u64::from(left.subsec_nanos() > 0));
    let why = format!("too many sign-ins failed; try again in {} s", retry_after.as_secs());
    Err(Error::Quota { why, retry_after })
}
