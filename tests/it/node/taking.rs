//! Taking over what a dead epoch has left.

use picloud::{
    base::Result,
    store::node::{self, Heir, NewNode},
};
use sqlx::{Connection as _, PgConnection, PgPool};

use super::support::{Member, Row, abandoned, epochs, held_by, wait_for_lock};
use crate::{
    store_executions::an_app,
    support::{eventually, postgres::TestDb},
};

const HEIR: Heir = Heir { name: "testpi", boot_id: "today" };

/// The node of an epoch nobody holds.
async fn dead_node(db: &PgPool, epoch: i64, name: &str, boot_id: &str) -> Result<()> {
    node::register(db, &NewNode { epoch, name, version: "0", boot_id }).await
}

#[tokio::test]
async fn what_a_crash_left_is_taken_over_at_the_next_start() -> Result<()> {
    let test = TestDb::new().await;
    let app = an_app(&test.pool).await?;
    let dead = Member::start(&test).await;
    let epoch = dead.epoch();
    let (durable, sync) = (Row::durable(app, epoch), Row::sync(app, epoch));
    for row in [&durable, &sync] {
        row.insert(&test.pool).await?;
    }
    drop(dead);
    eventually("the lock is free", || async {
        held_by(&test.pool, epoch).await.ok()?.is_none().then_some(())
    })
    .await;
    let next = Member::start(&test).await;
    // It is done when the start is.
    assert_eq!(durable.claim(&test.pool).await?, Some((None, 1)), "freed, and the loss counts");
    assert_eq!(sync.claim(&test.pool).await?, None);
    assert_eq!(abandoned(&test.pool).await?, ["500 the process ended"]);
    assert_eq!(epochs(&test.pool).await?, [next.epoch()]);
    let counted = format!("picloud_abandoned_executions_total{{app_id=\"{app}\"}} 1");
    assert!(next.metrics.text().contains(&counted));
    assert!(!next.node.has_peers());
    Ok(())
}

#[tokio::test]
async fn rows_of_an_epoch_nobody_knows_are_taken_over_too() -> Result<()> {
    let test = TestDb::new().await;
    let app = an_app(&test.pool).await?;
    let member = Member::start(&test).await;
    let rows: Vec<Row> = (1000..1040).map(|epoch| Row::durable(app, epoch)).collect();
    for row in &rows {
        row.insert(&test.pool).await?;
    }
    let own = Row::durable(app, member.epoch());
    own.insert(&test.pool).await?;
    member.node.look();
    for row in &rows {
        eventually("the row is free", || async {
            row.claim(&test.pool).await.ok()?.filter(|row| row.0.is_none())
        })
        .await;
    }
    assert_eq!(own.claim(&test.pool).await?, Some((Some(own.epoch), 1)));
    Ok(())
}

#[tokio::test]
async fn nothing_is_taken_from_the_living() -> Result<()> {
    let test = TestDb::new().await;
    let app = an_app(&test.pool).await?;
    let mut living = PgConnection::connect_with(&test.options).await?;
    wait_for_lock(&mut living, 900).await?;
    dead_node(&test.pool, 900, "other", "").await?;
    dead_node(&test.pool, 901, "other", "").await?;
    let (theirs, free) = (Row::sync(app, 900), Row::sync(app, 901));
    for row in [&theirs, &free] {
        row.insert(&test.pool).await?;
    }
    let member = Member::start(&test).await;
    assert!(member.node.has_peers());
    assert_eq!(free.claim(&test.pool).await?, None);
    assert_eq!(theirs.claim(&test.pool).await?, Some((Some(900), 1)));
    assert_eq!(node::take_over(&test.pool, 900, HEIR).await?, None);
    assert_eq!(epochs(&test.pool).await?, [member.epoch(), 900]);
    living.close().await?;
    eventually("the row is abandoned", || async {
        theirs.claim(&test.pool).await.ok()?.is_none().then_some(())
    })
    .await;
    assert_eq!(abandoned(&test.pool).await?.len(), 2);
    Ok(())
}

#[tokio::test]
async fn a_take_over_happens_as_a_whole_or_not_at_all() -> Result<()> {
    let test = TestDb::new().await;
    let app = an_app(&test.pool).await?;
    dead_node(&test.pool, 7, "testpi", "today").await?;
    let (durable, sync) = (Row::durable(app, 7), Row::sync(app, 7));
    for row in [&durable, &sync] {
        row.insert(&test.pool).await?;
    }
    let refuse = "alter table abandoned_executions add constraint full_up check (false) not valid";
    sqlx::query(refuse).execute(&test.pool).await?;
    assert!(node::take_over(&test.pool, 7, HEIR).await.is_err());
    assert_eq!(durable.claim(&test.pool).await?, Some((Some(7), 1)));
    assert_eq!(sync.claim(&test.pool).await?, Some((Some(7), 1)));
    assert_eq!(epochs(&test.pool).await?, [7]);
    sqlx::query("alter table abandoned_executions drop constraint full_up").execute(&test.pool).await?;
    let taken = node::take_over(&test.pool, 7, HEIR).await?.expect("it is dead");
    assert_eq!((taken.freed, taken.abandoned), (1, vec![app]));
    assert_eq!(epochs(&test.pool).await?, Vec::<i64>::new());
    Ok(())
}

#[tokio::test]
async fn the_runs_of_an_app_that_is_gone_are_no_obstacle() -> Result<()> {
    let test = TestDb::new().await;
    let (gone, app) = (an_app(&test.pool).await?, an_app(&test.pool).await?);
    for row in [Row::sync(gone, 7), Row::durable(gone, 7), Row::sync(app, 7)] {
        row.insert(&test.pool).await?;
    }
    sqlx::query("update apps set deleted_at = now() where id = $1").bind(gone).execute(&test.pool).await?;
    let taken = node::take_over(&test.pool, 7, HEIR).await?.expect("it is dead");
    assert_eq!((taken.freed, taken.abandoned), (1, vec![app]));
    Ok(())
}

/// A row is to be blamed only for a process that ended while its machine went on.
#[tokio::test]
async fn a_machine_that_lost_power_is_not_the_rows_fault() -> Result<()> {
    let test = TestDb::new().await;
    let app = an_app(&test.pool).await?;
    let ours = [("testpi", "today", true)];
    let restarted = [("testpi", "yesterday", false)];
    // Another machine's boot tells nothing, and neither does one that is not known.
    let others = [("shed", "yesterday", true), ("testpi", "", true)];
    let cases = ours.into_iter().chain(restarted).chain(others);
    for (epoch, (name, boot_id, counts)) in (1..).zip(cases) {
        dead_node(&test.pool, epoch, name, boot_id).await?;
        let losses = |row: i32| if counts || row <= 2 { row } else { row - 1 };
        for lost in 1..=5 {
            let row = Row { lost, ..Row::durable(app, epoch) };
            row.insert(&test.pool).await?;
        }
        node::take_over(&test.pool, epoch, HEIR).await?.expect("it is dead");
        let mut now: Vec<i32> =
            sqlx::query_scalar("delete from outbox returning lost_count").fetch_all(&test.pool).await?;
        now.sort_unstable();
        assert_eq!(now, (1..=5).map(losses).collect::<Vec<_>>(), "{name} {boot_id}");
    }
    // Without a node, it was claimed by a process that lived on.
    let row = Row { lost: 4, ..Row::durable(app, 99) };
    row.insert(&test.pool).await?;
    node::take_over(&test.pool, 99, HEIR).await?.expect("it is dead");
    assert_eq!(row.claim(&test.pool).await?, Some((None, 3)));
    Ok(())
}

#[tokio::test]
async fn a_node_that_leaves_gives_back_what_it_holds() -> Result<()> {
    let test = TestDb::new().await;
    let app = an_app(&test.pool).await?;
    let member = Member::start(&test).await;
    let (durable, sync) = (Row::durable(app, member.epoch()), Row::sync(app, member.epoch()));
    for row in [&durable, &sync] {
        row.insert(&test.pool).await?;
    }
    member.node.leave().await;
    assert_eq!(durable.claim(&test.pool).await?, Some((None, 0)), "a stop is no loss");
    assert_eq!(sync.claim(&test.pool).await?, None);
    assert_eq!(abandoned(&test.pool).await?, ["500 the process ended"]);
    Ok(())
}
