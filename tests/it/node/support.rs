//! Nodes in tests, and rows in their hands.

use std::time::Duration;

pub use picloud::events::node::Pace;
use picloud::{
    base::{
        Result,
        id::{AppId, EventId, ExecutionId, InboxId, OutboxId, ScriptId},
    },
    events::{
        Behind,
        node::{Node, Parts},
    },
    system::{metrics::Metrics, tasks::Tasks},
};
use sqlx::{
    PgConnection, PgPool, Postgres, Transaction,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tokio::runtime::Runtime;

use crate::support::{eventually, postgres::TestDb};

/// Long enough that it does not come while a test runs.
pub const NEVER: Duration = Duration::from_secs(3600);

/// The class of the locks, as it is written down for people at a prompt: "PICL".
const CLASS: i64 = 0x5049_434C;

/// Looks often, and beats never.
pub fn pace() -> Pace {
    let look = Duration::from_millis(20);
    Pace { look, beat: NEVER, silence: NEVER, grace: Duration::ZERO, ..Pace::default() }
}

/// A node with what is around it.
pub struct Member {
    pub node: Node,
    pub metrics: Metrics,
    /// A runtime of its own, which ends as a process ends: with nothing put in order.
    runtime: Option<Runtime>,
}

impl Member {
    pub async fn start(test: &TestDb) -> Self {
        Self::start_with(test, "testpi", pace()).await
    }

    pub async fn start_with(test: &TestDb, name: &str, pace: Pace) -> Self {
        Self::start_on(test.options.clone(), name, pace).await
    }

    pub async fn start_on(options: PgConnectOptions, name: &str, pace: Pace) -> Self {
        let metrics = Metrics::new();
        let (name, counted) = (name.to_owned(), metrics.clone());
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        let runtime = builder.worker_threads(1).enable_all().build().expect("a runtime can be made");
        let registering = runtime.spawn(async move {
            let db = PgPoolOptions::new().max_connections(2).connect_lazy_with(options.clone());
            Node::register(Parts { db, options, name, metrics: counted, pace }, &Tasks::new()).await
        });
        let node = registering.await.expect("no panic").expect("it registers");
        Self { node, metrics, runtime: Some(runtime) }
    }

    /// What records its synchronous runs.
    pub async fn behind(&self, options: PgConnectOptions) -> Behind {
        let (node, metrics) = (self.node.clone(), self.metrics.clone());
        let starting = self.runtime.as_ref().expect("it runs").spawn(async move {
            let patience = Duration::from_millis(500);
            let pool = PgPoolOptions::new().max_connections(2).acquire_timeout(patience);
            Behind::start(pool.connect_lazy_with(options), node, metrics, &Tasks::new())
        });
        starting.await.expect("no panic")
    }

    /// The epoch it holds.
    pub fn epoch(&self) -> i64 {
        self.node.epoch().expect("it holds its epoch")
    }
}

impl Drop for Member {
    /// It ends as a crash ends it.
    fn drop(&mut self) {
        self.runtime.take().expect("it runs").shutdown_background();
    }
}

/// A row somebody has claimed.
pub struct Row {
    pub id: OutboxId,
    pub app: AppId,
    pub reply_to: Option<InboxId>,
    pub epoch: i64,
    pub lost: i32,
}

impl Row {
    pub fn durable(app: AppId, epoch: i64) -> Self {
        Self { id: OutboxId::new(), app, reply_to: None, epoch, lost: 1 }
    }

    pub fn sync(app: AppId, epoch: i64) -> Self {
        Self { reply_to: Some(InboxId::new()), ..Self::durable(app, epoch) }
    }

    pub async fn insert(&self, db: &PgPool) -> Result<()> {
        sqlx::query(
            "insert into outbox (id, event_id, app_id, source_kind, op, script_id, reply_to, payload, root_execution_id,
                                 execution_id, retry_max_attempts, retry_backoff, retry_base_ms, attempt, lost_count,
                                 claimed_epoch)
             values ($1, $2, $3, 'http', 'GET', $4, $5, '{}', $6, $6, 3, 'constant', 10, 1, $7, $8)",
        )
        .bind(self.id)
        .bind(EventId::new())
        .bind(self.app)
        .bind(ScriptId::new())
        .bind(self.reply_to)
        .bind(ExecutionId::new())
        .bind(self.lost)
        .bind(self.epoch)
        .execute(db)
        .await?;
        Ok(())
    }

    /// The epoch that holds it and how often it was lost; none if it is gone.
    pub async fn claim(&self, db: &PgPool) -> Result<Option<(Option<i64>, i32)>> {
        let row = sqlx::query_as("select claimed_epoch, lost_count from outbox where id = $1");
        Ok(row.bind(self.id).fetch_optional(db).await?)
    }
}

/// The server process that holds an epoch's lock.
pub async fn held_by(db: &PgPool, epoch: i64) -> Result<Option<i32>> {
    let holder = sqlx::query_scalar(
        "select pid from pg_locks
         where locktype = 'advisory' and granted and classid = $1::bigint::oid and objid = $2::oid
           and database = (select oid from pg_database where datname = current_database())",
    );
    Ok(holder.bind(CLASS).bind(epoch).fetch_optional(db).await?)
}

/// Ends a session.
pub async fn terminate(db: &PgPool, backend: i32) -> Result<()> {
    sqlx::query("select pg_terminate_backend($1)").bind(backend).execute(db).await?;
    Ok(())
}

/// Ends several at once, as a restart does.
pub async fn terminate_all(db: &PgPool, backends: &[i32]) -> Result<()> {
    let ended = sqlx::query("select pg_terminate_backend(pid) from unnest($1::integer[]) as pid");
    ended.bind(backends).execute(db).await?;
    Ok(())
}

/// The server process of a session.
pub async fn backend(connection: &mut PgConnection) -> Result<i32> {
    Ok(sqlx::query_scalar("select pg_backend_pid()").fetch_one(connection).await?)
}

/// Waits for an epoch's lock and holds it for the transaction.
pub async fn lock_for_the_transaction(tx: &mut PgConnection, epoch: i64) -> Result<()> {
    let lock = sqlx::query("select pg_advisory_xact_lock($1::integer, $2::integer)");
    lock.bind(CLASS).bind(epoch).execute(tx).await?;
    Ok(())
}

/// Waits for an epoch's lock and holds it.
pub async fn wait_for_lock(session: &mut PgConnection, epoch: i64) -> Result<()> {
    let lock = sqlx::query("select pg_advisory_lock($1::integer, $2::integer)");
    lock.bind(CLASS).bind(epoch).execute(session).await?;
    Ok(())
}

/// What the abandoned executions say, oldest first.
pub async fn abandoned(db: &PgPool) -> Result<Vec<String>> {
    let entries = sqlx::query_scalar("select status || ' ' || summary from abandoned_executions order by id");
    Ok(entries.fetch_all(db).await?)
}

/// The epochs of the nodes there are.
pub async fn epochs(db: &PgPool) -> Result<Vec<i64>> {
    Ok(sqlx::query_scalar("select epoch from nodes order by epoch").fetch_all(db).await?)
}

/// Notes from now on what is written to the tables of nodes.
pub async fn note_writes(db: &PgPool) -> Result<()> {
    sqlx::raw_sql(
        "create table written (what text not null);
         create function note() returns trigger language plpgsql as $$
         begin insert into written values (tg_op || ' ' || tg_table_name); return null; end $$;
         create trigger note after insert or update or delete on nodes for each statement execute function note();
         create trigger note after insert or update or delete on outbox for each statement execute function note();",
    )
    .execute(db)
    .await?;
    Ok(())
}

/// What was written since then.
pub async fn writes(db: &PgPool) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar("select what from written").fetch_all(db).await?)
}

/// When a node looked last, in microseconds.
pub async fn last_look(db: &PgPool) -> Result<i64> {
    let at = sqlx::query_scalar(
        "select coalesce(max((extract(epoch from query_start) * 1e6)::bigint), 0) from pg_stat_activity
         where datname = current_database() and state = 'idle' and query like 'with recursive claimed%'",
    );
    Ok(at.fetch_one(db).await?)
}

/// Something of the database that is held, so that nobody else gets on.
pub struct Held {
    db: PgPool,
    holder: Transaction<'static, Postgres>,
}

impl Held {
    /// Holds the outbox against whoever writes to it.
    pub async fn outbox(db: &PgPool) -> Result<Self> {
        let mut holder = db.begin().await?;
        sqlx::query("lock table outbox in share mode").execute(&mut *holder).await?;
        Ok(Self { db: db.clone(), holder })
    }

    /// Holds an app against whoever refers to it.
    pub async fn app(db: &PgPool, app: AppId) -> Result<Self> {
        let mut holder = db.begin().await?;
        sqlx::query("select from apps where id = $1 for update").bind(app).execute(&mut *holder).await?;
        Ok(Self { db: db.clone(), holder })
    }

    /// Waits until somebody wants it.
    pub async fn somebody_waits(&self) {
        eventually("somebody waits", || async {
            let waits = "select exists (select from pg_stat_activity
                                        where datname = current_database() and wait_event_type = 'Lock')";
            sqlx::query_scalar(waits).fetch_one(&self.db).await.ok().filter(|waits: &bool| *waits)
        })
        .await;
    }

    /// Lets it go.
    pub async fn release(self) -> Result<()> {
        Ok(self.holder.commit().await?)
    }
}
