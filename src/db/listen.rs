//! Nudges: one listening connection, fanned out to everybody in this process.
//!
//! A nudge says "look again" and carries nothing: what there is to do is found
//! by a query, so one that is lost or comes twice does no harm. While the
//! connection was away nudges were lost, so its return nudges everyone.

use std::{convert::Infallible, future::Future, sync::Arc, time::Duration};

use sqlx::{
    PgPool,
    postgres::{PgConnectOptions, PgListener, PgPoolOptions},
};
use tokio::sync::watch;

/// The pause before connecting again.
const PAUSE: Duration = Duration::from_millis(200);

/// The channels of this process; clones share them.
#[derive(Clone, Debug)]
pub struct Nudges {
    channels: Arc<[(&'static str, watch::Sender<()>)]>,
}

impl Nudges {
    /// Listens to a channel from now on; none if it is not among those listened to.
    pub fn subscribe(&self, channel: &str) -> Option<watch::Receiver<()>> {
        self.sender(channel).map(watch::Sender::subscribe)
    }

    /// Nudges those in this process who listen to `channel`, without the way through the server.
    pub fn nudge(&self, channel: &str) {
        if let Some(sender) = self.sender(channel) {
            sender.send_replace(());
        }
    }

    fn nudge_all(&self) {
        for (_, sender) in self.channels.iter() {
            sender.send_replace(());
        }
    }

    fn sender(&self, channel: &str) -> Option<&watch::Sender<()>> {
        self.channels.iter().find(|(name, _)| *name == channel).map(|(_, sender)| sender)
    }
}

/// Makes the fan-out of `channels` and the work behind it, which never ends:
/// it belongs in a background task.
pub fn listen(
    options: PgConnectOptions,
    channels: &[&'static str],
) -> (Nudges, impl Future<Output = Infallible> + Send + use<>) {
    let channels = channels.iter().map(|name| (*name, watch::Sender::new(()))).collect();
    let nudges = Nudges { channels };
    (nudges.clone(), work(options.application_name("picloud listen"), nudges))
}

async fn work(options: PgConnectOptions, nudges: Nudges) -> Infallible {
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .max_lifetime(None)
        .idle_timeout(None)
        // The pool's own pauses between attempts grow with what it is given.
        .acquire_timeout(Duration::from_secs(1))
        .connect_lazy_with(options);
    loop {
        match listen_once(&pool, &nudges).await {
            Ok(()) => tracing::debug!("the listening connection is gone"),
            Err(error) => tracing::debug!(%error, "could not listen"),
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Listens until the connection is gone.
async fn listen_once(pool: &PgPool, nudges: &Nudges) -> sqlx::Result<()> {
    let mut listener = PgListener::connect_with(pool).await?;
    // Connecting again is ours, for everybody must hear of it.
    listener.eager_reconnect(false);
    listener.listen_all(nudges.channels.iter().map(|(name, _)| *name)).await?;
    nudges.nudge_all();
    while let Some(notification) = listener.try_recv().await? {
        nudges.nudge(notification.channel());
    }
    Ok(())
}
