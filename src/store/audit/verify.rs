//! Whether the chain is whole.

use futures_util::TryStreamExt as _;
use sqlx::PgConnection;

use super::chain::{Hash, Link, NOTHING};
use crate::base::Result;

/// How far a chain is whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// How many entries are as they were written, from the first on.
    pub entries: i64,
    /// The first that is not.
    pub broken: Option<Broken>,
}

/// The first entry that is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// Its number.
    pub seq: i64,
    /// What is wrong with it.
    pub why: &'static str,
}

#[derive(sqlx::FromRow)]
struct Stored {
    #[sqlx(flatten)]
    link: Link,
    hash: Hash,
}

/// Goes along the whole chain, an entry at a time, as it was at one moment.
pub async fn verify(db: &mut PgConnection) -> Result<Verified> {
    use sqlx::Acquire as _;
    let mut tx = db.begin().await?;
    sqlx::query("set transaction isolation level repeatable read read only").execute(&mut *tx).await?;
    let head: Option<(i64, Hash)> =
        sqlx::query_as("select seq, hash from audit_head").fetch_optional(&mut *tx).await?;
    let mut entries = sqlx::query_as(
        "select seq, id, at, actor_id, actor, address, action, target, app_id, details::text as details,
                previous, hash
         from audit order by seq",
    )
    .fetch(&mut *tx);
    let (mut last, mut hash) = (0, NOTHING.to_vec());
    while let Some(stored) = entries.try_next().await? {
        if let Some(broken) = look(last, &hash, &stored) {
            return Ok(Verified { entries: last, broken: Some(broken) });
        }
        (last, hash) = (stored.link.seq, stored.hash);
    }
    let broken = match head {
        Some(head) if head == (last, hash) => None,
        _ => Some(Broken { seq: last + 1, why: "it is missing, and whatever came after it" }),
    };
    Ok(Verified { entries: last, broken })
}

/// What is wrong with an entry that follows the one numbered `last` with this hash.
fn look(last: i64, hash: &Hash, stored: &Stored) -> Option<Broken> {
    let Stored { link, hash: own } = stored;
    let broken = |seq, why| Some(Broken { seq, why });
    if link.seq != last + 1 {
        broken(last + 1, "it is missing")
    } else if link.previous != *hash {
        broken(link.seq, "it does not follow the entry before it")
    } else if link.hash() != *own {
        broken(link.seq, "it was changed")
    } else {
        None
    }
}
