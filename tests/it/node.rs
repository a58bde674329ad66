//! Epochs: who holds which, what becomes of the rows of one that is over, and who looks when.

mod peers;
pub mod support;
mod taking;

use std::time::Duration;

use picloud::{
    base::Result,
    store::node::{self, CHANGED, Lock},
};
use sqlx::{Connection as _, PgConnection, postgres::PgListener};

use self::support::{Member, NEVER, Row, held_by, pace, terminate};
use crate::{
    store_executions::an_app,
    support::{DEADLINE, eventually, postgres::TestDb},
};

#[tokio::test]
async fn a_node_holds_its_epoch_and_leaves_nothing_behind() -> Result<()> {
    let test = TestDb::new().await;
    let member = Member::start(&test).await;
    let epoch = member.epoch();
    assert!(held_by(&test.pool, epoch).await?.is_some());
    let (name, version): (String, String) =
        sqlx::query_as("select name, version from nodes where epoch = $1")
            .bind(epoch)
            .fetch_one(&test.pool)
            .await?;
    assert_eq!((name.as_str(), version.as_str()), ("testpi", env!("CARGO_PKG_VERSION")));
    assert!(!member.node.has_peers());

    member.node.leave().await;
    assert_eq!(member.node.epoch(), None);
    assert_eq!(held_by(&test.pool, epoch).await?, None);
    let nodes: i64 = sqlx::query_scalar("select count(*) from nodes").fetch_one(&test.pool).await?;
    assert_eq!(nodes, 0);
    assert!(Member::start(&test).await.epoch() > epoch, "every start has an epoch of its own");
    Ok(())
}

#[tokio::test]
async fn one_whose_connection_is_lost_goes_on_under_its_epoch() -> Result<()> {
    let test = TestDb::new().await;
    let app = an_app(&test.pool).await?;
    let member = Member::start(&test).await;
    let epoch = member.epoch();
    let (durable, sync) = (Row::durable(app, epoch), Row::sync(app, epoch));
    for row in [&durable, &sync] {
        row.insert(&test.pool).await?;
    }
    for _ in 0..3 {
        let before = held_by(&test.pool, epoch).await?.expect("it is held");
        terminate(&test.pool, before).await?;
        eventually("the lock is held by another session", || async {
            held_by(&test.pool, epoch).await.ok()?.filter(|now| *now != before)
        })
        .await;
        eventually("the epoch is the same", || async { (member.node.epoch()? == epoch).then_some(()) }).await;
    }
    assert_eq!(durable.claim(&test.pool).await?, Some((Some(epoch), 1)));
    assert_eq!(sync.claim(&test.pool).await?, Some((Some(epoch), 1)));
    Ok(())
}

#[tokio::test]
async fn one_who_was_declared_dead_meanwhile_begins_anew_and_clears_up_after_itself() -> Result<()> {
    let test = TestDb::new().await;
    let app = an_app(&test.pool).await?;
    let member = Member::start(&test).await;
    let (epoch, freed) = (member.epoch(), member.node.freed());
    // Whoever waits for a lock gets it before anybody who tries for it.
    let mut other = test.pool.begin().await?;
    let waiter = support::backend(&mut other).await?;
    let holder = held_by(&test.pool, epoch).await?.expect("it is held");
    let (durable, sync) = (Row::durable(app, epoch), Row::sync(app, epoch));
    let taken = async {
        support::lock_for_the_transaction(&mut other, epoch).await?;
        sqlx::query("delete from nodes").execute(&mut *other).await?;
        // They come late: written by the living node, after it was declared dead.
        for row in [&durable, &sync] {
            row.insert(&test.pool).await?;
        }
        other.commit().await?;
        Ok(())
    };
    let ended = async {
        eventually("the other waits", || async {
            let waits = "select exists (select from pg_locks where pid = $1 and not granted)";
            let waits = sqlx::query_scalar(waits).bind(waiter).fetch_one(&test.pool).await.ok()?;
            Some(()).filter(|()| waits)
        })
        .await;
        terminate(&test.pool, holder).await
    };
    tokio::try_join!(taken, ended)?;
    let new = eventually("a new epoch", || async { member.node.epoch().filter(|now| *now != epoch) }).await;
    assert!(new > epoch);
    assert_eq!(durable.claim(&test.pool).await?, Some((None, 0)), "freed, and not counted as lost");
    assert_eq!(sync.claim(&test.pool).await?, None);
    tokio::time::timeout(DEADLINE, freed.notified()).await.expect("the dispatcher hears of it");

    // And what comes later still is found in the rows.
    let (durable, sync) = (Row::durable(app, epoch), Row::sync(app, epoch));
    for row in [&durable, &sync] {
        row.insert(&test.pool).await?;
    }
    member.node.look();
    eventually("the late row is freed", || async {
        durable.claim(&test.pool).await.ok()?.filter(|row| *row == (None, 0))
    })
    .await;
    assert_eq!(sync.claim(&test.pool).await?, None);
    assert_eq!(
        support::abandoned(&test.pool).await?,
        Vec::<String>::new(),
        "its caller is answered all the same"
    );
    assert!(!member.metrics.text().contains("picloud_abandoned_executions_total{"));
    Ok(())
}

/// The connection seems to be there and the epoch is gone: cut off by a network, say.
#[tokio::test]
async fn one_who_is_declared_dead_unawares_finds_out_when_it_looks() -> Result<()> {
    let test = TestDb::new().await;
    let member = Member::start(&test).await;
    let epoch = member.epoch();
    sqlx::query("delete from nodes").execute(&test.pool).await?;
    member.node.look();
    let new = eventually("a new epoch", || async { member.node.epoch().filter(|now| *now != epoch) }).await;
    assert!(held_by(&test.pool, new).await?.is_some());
    eventually("the old lock is free", || async {
        held_by(&test.pool, epoch).await.ok()?.is_none().then_some(())
    })
    .await;
    Ok(())
}

/// The server has not noticed that the old connection is gone, and a lock of ours is in our own way.
#[tokio::test]
async fn a_lock_that_cannot_be_had_again_is_given_up() -> Result<()> {
    let test = TestDb::new().await;
    let app = an_app(&test.pool).await?;
    let member =
        Member::start_with(&test, "testpi", support::Pace { patience: Duration::ZERO, ..pace() }).await;
    let epoch = member.epoch();
    let row = Row::durable(app, epoch);
    row.insert(&test.pool).await?;
    let mut other = PgConnection::connect_with(&test.options).await?;
    let waiting = support::wait_for_lock(&mut other, epoch);
    let ended = async {
        eventually("the other waits", || async {
            let waits = "select exists (select from pg_locks where locktype = 'advisory' and not granted
                         and database = (select oid from pg_database where datname = current_database()))";
            let waits = sqlx::query_scalar(waits).fetch_one(&test.pool).await.ok()?;
            Some(()).filter(|()| waits)
        })
        .await;
        terminate(&test.pool, held_by(&test.pool, epoch).await?.expect("it is held")).await
    };
    tokio::try_join!(waiting, ended)?;
    let new = eventually("a new epoch", || async { member.node.epoch().filter(|now| *now != epoch) }).await;
    assert!(held_by(&test.pool, new).await?.is_some());
    assert_eq!(row.claim(&test.pool).await?, Some((None, 0)));
    assert_eq!(support::epochs(&test.pool).await?, [new]);
    other.close().await?;
    Ok(())
}

#[tokio::test]
async fn a_session_of_ours_is_ended_and_no_other() -> Result<()> {
    let test = TestDb::new().await;
    let mut stale = PgConnection::connect_with(&test.options).await?;
    let lock = node::lock(&mut stale, 5).await?.expect("it is free");
    for other in [Lock { backend: lock.backend + 1, ..lock }, Lock { epoch: 6, ..lock }] {
        assert!(!node::end_session(&test.pool, other).await?);
    }
    stale.ping().await?;
    assert!(node::end_session(&test.pool, lock).await?);
    assert!(stale.ping().await.is_err());
    Ok(())
}

#[tokio::test]
async fn others_are_told_of_who_comes_and_who_goes() -> Result<()> {
    let test = TestDb::new().await;
    let mut ear = PgListener::connect_with(&test.pool).await?;
    ear.listen(CHANGED).await?;
    let alone = Member::start(&test).await;
    sqlx::query("select pg_notify($1, 'mark')").bind(CHANGED).execute(&test.pool).await?;
    let first = tokio::time::timeout(DEADLINE, ear.recv()).await.expect("the mark comes")?;
    assert_eq!(first.payload(), "mark", "nobody was there to hear of the first");
    let other = Member::start(&test).await;
    assert!(other.node.has_peers());
    tokio::time::timeout(DEADLINE, ear.recv()).await.expect("one came")?;
    other.node.leave().await;
    tokio::time::timeout(DEADLINE, ear.recv()).await.expect("one went")?;
    alone.node.look();
    eventually("it is alone", || async { (!alone.node.has_peers()).then_some(()) }).await;
    Ok(())
}

#[tokio::test]
async fn alone_a_node_writes_nothing_and_asks_nothing() -> Result<()> {
    let test = TestDb::new().await;
    let member = Member::start_with(&test, "testpi", support::Pace { beat: Duration::ZERO, ..pace() }).await;
    support::note_writes(&test.pool).await?;
    let mut looked = support::last_look(&test.pool).await?;
    for _ in 0..5 {
        member.node.look();
        looked = eventually("it looks", || async {
            support::last_look(&test.pool).await.ok().filter(|now| *now > looked)
        })
        .await;
    }
    tokio::time::sleep(pace().look * 10).await;
    assert_eq!(support::last_look(&test.pool).await?, looked, "it looks only when it is told to");
    assert_eq!(support::writes(&test.pool).await?, Vec::<String>::new());

    // The same eyes see what one does who is not alone.
    let _other = Member::start_with(&test, "testpi", support::Pace { beat: NEVER, ..pace() }).await;
    member.node.look();
    eventually("it beats", || async {
        support::writes(&test.pool).await.ok()?.contains(&"UPDATE nodes".to_owned()).then_some(())
    })
    .await;
    Ok(())
}

/// Behind a pooler in transaction mode two transactions of one session meet two
/// connections, or those of two sessions one.
#[tokio::test]
async fn a_pooler_in_transaction_mode_is_seen() -> Result<()> {
    let test = TestDb::new().await;
    let mut session = PgConnection::connect_with(&test.options).await?;
    let lock = node::lock(&mut session, 1).await?.expect("it is free");
    assert!(node::is_held_alone(&mut session, &test.pool, lock).await?);
    let mut elsewhere = PgConnection::connect_with(&test.options).await?;
    assert!(!node::is_held_alone(&mut elsewhere, &test.pool, lock).await?);
    node::unlock(&mut session, lock).await?;
    assert!(!node::is_held_alone(&mut session, &test.pool, lock).await?);

    let lock = Lock { epoch: 1, backend: 10 };
    assert!(lock.is_plausible(10, true, 11));
    assert!(!lock.is_plausible(10, true, 10), "another session came to the same connection");
    assert!(!lock.is_plausible(11, true, 12));
    assert!(!lock.is_plausible(10, false, 11));
    let words = format!("{:?}", node::pooled());
    assert!(words.contains("pooler in transaction mode") && words.contains("database_url"), "{words}");
    Ok(())
}
