//! Sign-ins that failed, and where people have signed in from.
//!
//! They are kept in the database, so that a restart forgives nothing.

use std::time::Duration;

use sqlx::PgExecutor;

use crate::{
    access::throttle::{Failures, Standing, WINDOW},
    base::{Result, id::UserId, name::Username},
};

/// How many addresses of one person are remembered.
const REMEMBERED: i64 = 20;

/// Whose password is tried, and from where.
#[derive(Clone, Debug)]
pub struct Tried {
    /// The user name, if what was given can be one. Nobody need have it: failures
    /// of a name nobody has count too, or they would tell that nobody has it.
    pub username: Option<Username>,
    /// The address, as [`crate::access::throttle::origin`] has it.
    pub address: String,
}

impl Tried {
    /// The kinds and keys it is counted under, in the order in which rows are locked.
    fn counted(&self) -> (Vec<&'static str>, Vec<String>) {
        let mut rows = vec![("address", self.address.clone())];
        if let Some(name) = &self.username {
            rows.push(("user", name.to_string()));
            rows.push(("user_at", format!("{name} {}", self.address)));
        }
        rows.into_iter().unzip()
    }
}

/// How things stand for a try.
pub async fn standing(db: impl PgExecutor<'_>, tried: &Tried) -> Result<Standing> {
    let (kinds, keys) = tried.counted();
    let rows: Vec<(String, i32, Option<f64>, bool)> = sqlx::query_as(
        "select kind, failures,
                case when last_at <= now() then extract(epoch from now() - last_at)::float8 end,
                first_at between now() - make_interval(secs => $3) and now()
         from sign_in_failures
         where (kind, key) in (select * from unnest($1::text[], $2::text[]))
         union all
         select 'known', 0, null, true
         from sign_in_addresses join users on users.id = user_id
         where username = $4 and address = $5",
    )
    .bind(kinds)
    .bind(keys)
    .bind(WINDOW.as_secs_f64())
    .bind(&tried.username)
    .bind(&tried.address)
    .fetch_all(db)
    .await?;
    let mut standing = Standing::default();
    for (kind, count, since, is_recent) in rows {
        let since = since.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        let failures = Failures { count, since };
        match kind.as_str() {
            "known" => standing.is_known = true,
            "user" => standing.user = failures,
            "user_at" => standing.user_there = failures,
            "address" if is_recent => standing.address = failures,
            _ => {}
        }
    }
    Ok(standing)
}

/// Counts a try that failed. What an address failed before its window, and a user
/// more than a day ago, is forgotten with that.
pub async fn failed(db: impl PgExecutor<'_>, tried: &Tried) -> Result<()> {
    let (kinds, keys) = tried.counted();
    sqlx::query(
        "insert into sign_in_failures as old (kind, key, failures)
         select kind, key, 1 from unnest($1::text[], $2::text[]) as tried (kind, key)
         on conflict (kind, key) do update set
             (failures, first_at, last_at) = (
                 select case when goes_on then least(old.failures, 1000000) + 1 else 1 end,
                        case when goes_on then old.first_at else now() end,
                        now()
                 from (select case when old.kind = 'address'
                                   then old.first_at between now() - make_interval(secs => $3) and now()
                                   else old.last_at > now() - interval '1 day' end as goes_on) as judged
             )",
    )
    .bind(kinds)
    .bind(keys)
    .bind(WINDOW.as_secs_f64())
    .execute(db)
    .await?;
    Ok(())
}

/// Notes that somebody signed in from there: the user's failures in a row are
/// over. Those of the address are not, or an account of one's own would buy guesses at others'.
pub async fn succeeded(db: impl PgExecutor<'_>, user: UserId, tried: &Tried) -> Result<()> {
    let (kinds, keys) = tried.counted();
    sqlx::query(
        "with over as (
             delete from sign_in_failures
             where (kind, key) in (select * from unnest($1::text[], $2::text[])) and kind <> 'address'
         ), forgotten as (
             delete from sign_in_addresses
             where user_id = $3 and address in (
                 select address from sign_in_addresses
                 where user_id = $3 and address <> $4
                 order by last_at desc offset $5
             )
         )
         insert into sign_in_addresses (user_id, address) select id, $4 from users where id = $3
         on conflict (user_id, address) do update set last_at = now()
             where sign_in_addresses.last_at not between now() - interval '1 day' and now()",
    )
    .bind(kinds)
    .bind(keys)
    .bind(user)
    .bind(&tried.address)
    .bind(REMEMBERED - 1)
    .execute(db)
    .await?;
    Ok(())
}

/// Forgets what failed with a user, who has got another password.
pub async fn forget(db: impl PgExecutor<'_>, username: &Username) -> Result<()> {
    sqlx::query(
        "delete from sign_in_failures
         where kind = 'user' and key = $1 or kind = 'user_at' and starts_with(key, $1 || ' ')",
    )
    .bind(username)
    .execute(db)
    .await?;
    Ok(())
}
