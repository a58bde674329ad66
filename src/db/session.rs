//! A session of our own: for what lives exactly as long as a connection does.

use std::time::Duration;

use sqlx::{
    Acquire as _, PgConnection,
    postgres::{PgConnectOptions, PgListener, PgPoolOptions},
};

use crate::base::Result;

/// The longest that opening one may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// One connection beside the pool's, whose end is noticed at once.
pub struct Session(PgListener);

impl Session {
    /// Opens one that `name` can be told by in `pg_stat_activity`.
    ///
    /// Nothing ends it for being idle. The server looks soon whether a silent
    /// client's machine is still there; through a socket of the file system it
    /// knows anyway.
    pub async fn open(options: PgConnectOptions, name: &str) -> Result<Self> {
        let options = options.application_name(name).options([
            ("statement_timeout", "0"),
            ("lock_timeout", "10s"),
            ("idle_in_transaction_session_timeout", "0"),
            ("idle_session_timeout", "0"),
            ("tcp_keepalives_idle", "20"),
            ("tcp_keepalives_interval", "5"),
            ("tcp_keepalives_count", "3"),
        ]);
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .max_lifetime(None)
            .idle_timeout(None)
            .acquire_timeout(PATIENCE)
            .connect_lazy_with(options);
        let mut listener = PgListener::connect_with(&pool).await?;
        // A connection made anew would be another session.
        listener.eager_reconnect(false);
        Ok(Self(listener))
    }

    /// The connection, for statements; no longer to be used once it [was lost](Self::lost).
    pub async fn connection(&mut self) -> Result<&mut PgConnection> {
        Ok(self.0.acquire().await?)
    }

    /// Returns when the connection is gone. It may be dropped and called again.
    pub async fn lost(&mut self) {
        // It listens to nothing, so whatever comes is its end, with an error or without.
        while let Ok(Some(_)) = self.0.try_recv().await {}
    }
}
