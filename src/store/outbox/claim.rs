//! Claiming rows, fairly between apps.

use std::time::Duration;

use serde_json::value::RawValue;
use sqlx::{FromRow as _, PgExecutor, Row as _, postgres::PgRow, types::Json};

use super::{Claimed, Origin, OriginUser, RetryPolicy};
use crate::base::{
    Result,
    id::{AppId, OutboxId},
};

/// The most rows one claim takes.
pub const LARGEST_CLAIM: u32 = 512;

/// What is read of a row that was claimed, from `taken` and the user of its principal.
macro_rules! claimed {
    () => {
        "select taken.*, u.username, u.instance_role, u.active
         from taken left join users u on u.id = taken.origin_principal"
    };
}

// Two forms keep the plan from depending on statistics. `= any(array(..))` in
// place of a join: a join may read the whole table by its index. `is not
// distinct from` in place of `=`: the index by epoch is full of rows that are gone.
// A row that is locked stays where it is, so it is changed by its place, without a second search.

/// What a claim does to the rows it has locked, and reads of them.
macro_rules! taken {
    () => {
        "taken as (
             update outbox o
             set claimed_epoch = $2, attempt = o.attempt + 1, lost_count = o.lost_count + 1
             where o.ctid = any(array(select ctid from locked)) and exists (select from nodes where epoch = $2)
             returning o.id, o.claimed_epoch, o.event_id, o.app_id, o.source_kind, o.op, o.trigger_id, o.script_id,
                       o.payload::text as payload, o.body, o.origin_principal, o.trigger_depth,
                       o.root_execution_id, o.execution_id, o.retry_max_attempts, o.retry_backoff,
                       o.retry_base_ms, o.attempt, o.attempt_count, o.lost_count, o.errors
         )"
    };
}

/// A loose scan over the apps that have rows waiting, in the order of their
/// ids: one probe of the index for each.
macro_rules! apps {
    ($name:literal, $first:literal, $all:literal) => {
        concat!(
            $name,
            "(app_id) as (
                 (select app_id from outbox
                  where claimed_epoch is null and lost_count < 2",
            $first,
            "     order by app_id limit 1)
                 union all
                 select (select o.app_id from outbox o
                         where o.claimed_epoch is null and o.lost_count < 2 and o.app_id > before.app_id",
            $all,
            "            order by o.app_id limit 1)
                 from ",
            $name,
            " before where before.app_id is not null
             )"
        )
    };
}

/// The claim of at most `$limit` rows, a literal so that the plan is made for it.
///
/// Apps with rows that are due take turns, beginning after the one that was
/// served last. Of each at most its share four times over is looked at, so that
/// what one does not use another can, and no claim looks at many times what it takes.
/// A claim takes no further row once it has 8 MiB of bodies.
macro_rules! claim {
    ($limit:literal) => {
        concat!(
            "with recursive
             acknowledged as (delete from outbox where id = any($1) and claimed_epoch is not distinct from $2),",
            apps!("ahead", " and app_id > $4", ""),
            ",",
            apps!("around", " and app_id <= $4", " and o.app_id <= $4"),
            ", due as materialized (
                 select app_id, row_number() over () as place
                 from (
                     select app_id
                     from (select app_id from ahead union all select app_id from around) as apps
                     where app_id is not null and exists (
                         select from unnest($3::text[]) as known (kind) cross join lateral (
                             select from outbox o
                             where o.app_id = apps.app_id and o.source_kind = known.kind
                               and o.claimed_epoch is null and o.lost_count < 2 and o.next_attempt_at <= now()
                             limit 1
                         ) as any_row
                     )
                     limit ",
            $limit,
            "    ) as apps
             ),
             share as materialized (
                 select greatest(1, least(",
            $limit,
            ", 4 * ",
            $limit,
            " / greatest(count(*), 1))) as rows from due
             ),
             chosen as materialized (
                 select id from (
                 select candidates.id, candidates.turn, due.place,
                        sum(candidates.bytes) over (order by candidates.turn, due.place) - candidates.bytes as before
                 from due cross join lateral (
                     select id, bytes, row_number() over (order by next_attempt_at) as turn
                     from unnest($3::text[]) as known (kind) cross join lateral (
                         select o.id, o.next_attempt_at,
                                coalesce(octet_length(o.body), 0) + pg_column_size(o.payload) as bytes
                         from outbox o
                         where o.app_id = due.app_id and o.source_kind = known.kind
                           and o.claimed_epoch is null and o.lost_count < 2 and o.next_attempt_at <= now()
                         order by o.next_attempt_at
                         limit (select rows from share)
                     ) as of_kind
                     order by next_attempt_at
                     limit (select rows from share)
                 ) as candidates
                 ) as weighed
                 where before < 8388608
                 order by turn, place
                 limit ",
            $limit,
            "),
             locked as (
                 select ctid from outbox
                 where id = any(array(select id from chosen)) and claimed_epoch is null
                 for update skip locked
             ),",
            taken!(),
            claimed!()
        )
    };
}

/// The claims there are, from small to large.
const CLAIMS: [(u32, &str); 5] =
    [(1, claim!("1")), (8, claim!("8")), (32, claim!("32")), (128, claim!("128")), (512, claim!("512"))];

/// Acknowledges what has run under `epoch`, and claims rows of the given kinds
/// that are due: at most `most`, which is rounded down to 1, 8, 32, 128 or 512.
///
/// Apps take turns, beginning with the one after `after`. Nothing is claimed
/// under an epoch that is dead.
pub async fn claim(
    db: impl PgExecutor<'_>,
    (epoch, done): (i64, &[OutboxId]),
    kinds: &[&str],
    after: Option<AppId>,
    most: u32,
) -> Result<Vec<Claimed>> {
    let [smallest, ..] = CLAIMS;
    let (_, statement) = CLAIMS.into_iter().rfind(|(rows, _)| *rows <= most).unwrap_or(smallest);
    let rows = sqlx::query(statement)
        .bind(done)
        .bind(epoch)
        .bind(kinds)
        .bind(after.unwrap_or(AppId::LOWEST))
        .fetch_all(db)
        .await?;
    Ok(rows.iter().map(Claimed::from_row).collect::<sqlx::Result<_>>()?)
}

/// Claims one row that was lost twice or oftener: for a node with no other durable row in flight.
pub async fn claim_suspect(db: impl PgExecutor<'_>, epoch: i64, kinds: &[&str]) -> Result<Option<Claimed>> {
    let row = sqlx::query(concat!(
        "with locked as (
             select ctid from outbox
             where claimed_epoch is null and lost_count >= 2 and next_attempt_at <= now() and source_kind = any($1)
             order by next_attempt_at
             limit 1
             for update skip locked
         ),",
        taken!(),
        claimed!()
    ))
    .bind(kinds)
    .bind(epoch)
    .fetch_optional(db)
    .await?;
    Ok(row.map(|row| Claimed::from_row(&row)).transpose()?)
}

/// What will be due next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Next {
    /// The time until a row is due; none if no row waits.
    pub due_in: Option<Duration>,
    /// How long the row has been due that has been longest.
    pub overdue: Duration,
    /// Whether a row that must run alone is due.
    pub suspect: bool,
}

/// Looks when the next row of the given kinds is due.
pub async fn next(db: impl PgExecutor<'_>, kinds: &[&str]) -> Result<Next> {
    let (seconds, suspect): (Option<f64>, bool) = sqlx::query_as(concat!(
        "with recursive ",
        apps!("apps", "", ""),
        "select extract(epoch from least(
                    (select min(first.next_attempt_at)
                     from apps cross join unnest($1::text[]) as known (kind) cross join lateral (
                         select o.next_attempt_at from outbox o
                         where o.app_id = apps.app_id and o.source_kind = known.kind
                           and o.claimed_epoch is null and o.lost_count < 2
                         order by o.next_attempt_at
                         limit 1
                     ) as first),
                    (select min(next_attempt_at) from outbox
                     where claimed_epoch is null and lost_count >= 2 and source_kind = any($1))
                ) - now())::double precision,
                exists (select from outbox
                        where claimed_epoch is null and lost_count >= 2 and source_kind = any($1)
                          and next_attempt_at <= now())",
    ))
    .bind(kinds)
    .fetch_one(db)
    .await?;
    let span = |seconds: f64| Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX);
    Ok(Next { due_in: seconds.map(span), overdue: span(-seconds.unwrap_or_default()), suspect })
}

/// How many rows one statement of [`bound_waits`] changes at most.
pub const BOUNDED: u64 = 5_000;

/// After a step of the clock: no row waits longer than its wait is. Says how
/// many would have; as long as those are [`BOUNDED`] there may be more.
pub async fn bound_waits(db: impl PgExecutor<'_>) -> Result<u64> {
    let done = sqlx::query(
        "with late as (
             select id from outbox
             where claimed_epoch is null and lost_count < 2 and next_attempt_at > now()
               and next_attempt_at > now() + wait_ms * interval '1 ms'
             limit 5000 for update skip locked
         ), late_suspects as (
             select id from outbox
             where claimed_epoch is null and lost_count >= 2 and next_attempt_at > now()
               and next_attempt_at > now() + wait_ms * interval '1 ms'
             limit 5000 for update skip locked
         )
         update outbox set next_attempt_at = now() + wait_ms * interval '1 ms'
         where id = any(array(select id from late union all select id from late_suspects))",
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}

impl<'r> sqlx::FromRow<'r, PgRow> for Claimed {
    fn from_row(row: &'r PgRow) -> sqlx::Result<Self> {
        let username: Option<String> = row.try_get("username")?;
        let user = match username {
            Some(username) => Some(OriginUser {
                username,
                role: row.try_get("instance_role")?,
                active: row.try_get("active")?,
            }),
            None => None,
        };
        let principal: Option<_> = row.try_get("origin_principal")?;
        let errors: Json<Box<RawValue>> = row.try_get("errors")?;
        Ok(Self {
            id: row.try_get("id")?,
            epoch: row.try_get("claimed_epoch")?,
            event_id: row.try_get("event_id")?,
            app_id: row.try_get("app_id")?,
            source_kind: row.try_get("source_kind")?,
            op: row.try_get("op")?,
            cause: row.try_get("trigger_id")?,
            script_id: row.try_get("script_id")?,
            payload: row.try_get("payload")?,
            body: row.try_get("body")?,
            principal: principal.map(|id| Origin { id, user }),
            trigger_depth: row.try_get("trigger_depth")?,
            root_execution_id: row.try_get("root_execution_id")?,
            execution_id: row.try_get("execution_id")?,
            policy: RetryPolicy {
                max_attempts: row.try_get("retry_max_attempts")?,
                backoff: row.try_get::<String, _>("retry_backoff")?.parse().unwrap_or_default(),
                base_ms: row.try_get("retry_base_ms")?,
            },
            attempt: row.try_get("attempt")?,
            attempt_count: row.try_get("attempt_count")?,
            lost_count: row.try_get("lost_count")?,
            // What cannot be read was written past this code: the run matters more than its history.
            errors: serde_json::from_str(errors.get()).unwrap_or_default(),
        })
    }
}
