//! The one task that holds the epoch's lock.

use std::{convert::Infallible, sync::Arc, time::Duration};

use tokio::time::{Instant, sleep, timeout};

use super::Shared;
use crate::{
    base::Result,
    db::Session,
    store::node::{self, Lock, NewNode},
};

/// The name of the lock's connection in `pg_stat_activity`.
const APPLICATION: &str = "picloud node";

/// The pause before trying again for the connection or the lock.
const PAUSE: Duration = Duration::from_millis(100);

/// The longest that saying farewell may take.
const FAREWELL: Duration = Duration::from_secs(2);

/// Holds the lock.
pub(super) struct Keeper {
    shared: Arc<Shared>,
    /// The connection the lock lies on, while it is there.
    session: Option<Session>,
    lock: Lock,
}

/// The connection the lock lies on, and the lock.
type Held = (Session, Lock);

/// Why the connection is watched no longer.
enum End {
    Lost,
    DeclaredDead,
    Leaving,
}

impl Keeper {
    /// Takes the first epoch.
    pub(super) async fn register(shared: Arc<Shared>) -> Result<Self> {
        let mut session = Session::open(shared.options.clone(), APPLICATION).await?;
        let connection = session.connection().await?;
        let epoch = node::new_epoch(&mut *connection).await?;
        let lock = node::lock(connection, epoch).await?.ok_or_else(node::pooled)?;
        if !node::is_held_alone(connection, &shared.db, lock).await? {
            return Err(node::pooled());
        }
        let (session, lock) = enter(&shared, session, lock).await?;
        shared.epoch.send_replace(Some(epoch));
        Ok(Self { shared, session: Some(session), lock })
    }

    /// The task: it ends when the node leaves.
    pub(super) async fn run(mut self) -> Result<(), Infallible> {
        let _left = self.shared.left.clone().drop_guard();
        loop {
            match self.until_something_happens().await {
                End::Lost => tracing::warn!(epoch = self.lock.epoch, "the node's connection is gone"),
                End::DeclaredDead => {
                    tracing::warn!(epoch = self.lock.epoch, "another node declared this one dead");
                }
                End::Leaving => {
                    self.leave().await;
                    return Ok(());
                }
            }
            self.shared.epoch.send_replace(None);
            self.session = None;
            if !self.regain().await {
                return Ok(());
            }
            *self.shared.back_since() = Some(Instant::now());
            self.shared.epoch.send_replace(Some(self.lock.epoch));
            // While the connection was away much may have happened.
            self.shared.look.notify_one();
        }
    }

    async fn until_something_happens(&mut self) -> End {
        let Some(session) = &mut self.session else { return End::Lost };
        tokio::select! {
            biased;
            () = self.shared.leaving.cancelled() => End::Leaving,
            () = session.lost() => End::Lost,
            () = self.shared.declared_dead.notified() => End::DeclaredDead,
        }
    }

    /// Connects again, however long that takes; false if the node leaves meanwhile.
    async fn regain(&mut self) -> bool {
        let leaving = self.shared.leaving.clone();
        loop {
            let regained = leaving.run_until_cancelled(regain(&self.shared, self.lock)).await;
            match regained {
                Some(Ok((session, lock))) => {
                    (self.session, self.lock) = (Some(session), lock);
                    return true;
                }
                Some(Err(error)) => tracing::debug!(%error, "the node's connection is still away"),
                None => return false,
            }
            if leaving.run_until_cancelled(sleep(PAUSE)).await.is_none() {
                return false;
            }
        }
    }

    async fn leave(&mut self) {
        self.shared.epoch.send_replace(None);
        match timeout(FAREWELL, node::retire(&self.shared.db, self.lock.epoch)).await {
            Ok(Ok(left)) => self.shared.count(&left.abandoned),
            Ok(Err(error)) => tracing::warn!(%error, "the node could not give its rows back"),
            Err(_) => tracing::warn!("the node could not give its rows back in time"),
        }
        let told = async {
            if let Some(mut session) = self.session.take() {
                // The end of the connection would do it too, a moment later.
                if let Ok(connection) = session.connection().await {
                    let _ = node::unlock(connection, self.lock).await;
                }
            }
            self.shared.tell_others().await;
        };
        let _ = timeout(FAREWELL, told).await;
    }
}

/// Makes a node visible to others whose epoch is locked.
async fn enter(shared: &Shared, mut session: Session, lock: Lock) -> Result<Held> {
    let new = NewNode {
        epoch: lock.epoch,
        name: &shared.name,
        version: env!("CARGO_PKG_VERSION"),
        boot_id: &shared.boot_id,
    };
    shared.own().push(lock.epoch);
    node::register(session.connection().await?, &new).await?;
    tracing::info!(epoch = lock.epoch, "the node holds its epoch");
    Ok((session, lock))
}

/// Locks the epoch again, or a new one if it is over or cannot be had in time.
async fn regain(shared: &Shared, before: Lock) -> Result<Held> {
    let mut session = Session::open(shared.options.clone(), APPLICATION).await?;
    let connection = session.connection().await?;
    let until = Instant::now() + shared.pace.patience;
    loop {
        if let Some(lock) = node::lock(connection, before.epoch).await? {
            if node::is_registered(&mut *connection, before.epoch).await? {
                tracing::info!(epoch = before.epoch, "the node holds its epoch again");
                return Ok((session, lock));
            }
            node::unlock(connection, lock).await?;
            break;
        }
        if Instant::now() >= until {
            break;
        }
        // The server may take a while to see that the old connection is gone.
        node::end_session(&mut *connection, before).await?;
        sleep(PAUSE).await;
    }
    let epoch = node::new_epoch(&mut *connection).await?;
    // Nobody else can have heard of it.
    let lock = node::lock(connection, epoch).await?.ok_or_else(node::pooled)?;
    let held = enter(shared, session, lock).await?;
    node::disown(&shared.db, before.epoch).await?;
    shared.count(&[]);
    Ok(held)
}
