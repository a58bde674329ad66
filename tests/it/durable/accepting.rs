//! What is accepted while a node is not itself, or the database is not there.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use picloud::{
    base::{Error, Result, id::AppId},
    events::{Acceptor, accept},
    system::tasks::Tasks,
};
use sqlx::{PgPool, postgres::PgPoolOptions};

use super::{alone::Alone, no_row_is_left};
use crate::{
    node::support::{Member, pace},
    store_executions::an_app,
    store_outbox::row,
    support::{cable::Cable, eventually, postgres::TestDb},
};

fn acceptor(alone: &Alone, db: &PgPool) -> Acceptor {
    let (durable, node) = (alone.durable.clone(), alone.node.clone());
    Acceptor::start(accept::Parts { db: db.clone(), durable, node, quota: 1_000 }, &Tasks::new())
}

/// Hands in an event of an app whose script is at hand.
async fn accept(acceptor: &Acceptor, alone: &Alone, app: AppId) -> Result<()> {
    let row = row(app, "http");
    let work = alone.bell.work(app, row.execution_id, 1);
    acceptor.accept(row, work).await
}

/// Notes from now on under which epoch rows are put.
async fn note_epochs(db: &PgPool) -> Result<()> {
    sqlx::raw_sql(
        "create table put (nth serial, epoch bigint);
         create function note() returns trigger language plpgsql as $$
         begin insert into put (epoch) values (new.claimed_epoch); return null; end $$;
         create trigger note after insert on outbox for each row execute function note();",
    )
    .execute(db)
    .await?;
    Ok(())
}

/// The epoch under which the last row was put; none if it was put to be claimed.
async fn last_put(db: &PgPool) -> Result<Option<i64>> {
    Ok(sqlx::query_scalar("select epoch from put order by nth desc limit 1").fetch_one(db).await?)
}

/// Its epoch may be over, and its rows another's: what it held for its own would run twice.
#[tokio::test]
async fn a_node_without_its_epoch_takes_nothing_in_hand_of_what_it_accepts() -> Result<()> {
    let test = TestDb::new().await;
    let app = an_app(&test.pool).await?;
    note_epochs(&test.pool).await?;
    let (mut cable, _) = Cable::to(&test).await;
    let member = Member::start_on(cable.options(&test), "testpi", pace()).await;
    let epoch = member.epoch();
    let alone = Alone::start(&member, test.options.clone(), &test.pool, "1").await;
    let acceptor = acceptor(&alone, &test.pool);
    alone.compile().await;
    alone.bell.open();
    eventually("a row is put in hand", || async {
        accept(&acceptor, &alone, app).await.expect("it is accepted");
        last_put(&test.pool).await.ok()?.filter(|of| *of == epoch)
    })
    .await;
    no_row_is_left(&test.pool).await;

    cable.cut();
    eventually("there is no epoch", || async { member.node.epoch().is_none().then_some(()) }).await;
    for _ in 0..3 {
        accept(&acceptor, &alone, app).await?;
        assert_eq!(last_put(&test.pool).await?, None);
    }
    let waiting = "select count(*) from outbox where claimed_epoch is null and attempt = 0";
    let waiting: i64 = sqlx::query_scalar(waiting).fetch_one(&test.pool).await?;
    assert_eq!(waiting, 3, "nobody has run them");
    cable.mend();
    no_row_is_left(&test.pool).await;
    Ok(())
}

/// One caller finds out that the database is away. The others hear of it and do
/// not each wait for themselves, whether their app's quota is known or to be asked for.
#[tokio::test]
async fn when_the_database_goes_away_every_caller_of_a_batch_is_answered() -> Result<()> {
    const PATIENCE: Duration = Duration::from_millis(500);
    let test = TestDb::new().await;
    let known = an_app(&test.pool).await?;
    let member = Member::start(&test).await;
    let alone = Alone::start(&member, test.options.clone(), &test.pool, "1").await;
    alone.compile().await;
    alone.bell.open();
    let small = PgPoolOptions::new().max_connections(1).acquire_timeout(PATIENCE);
    let small = small.connect_lazy_with(test.options.clone());
    let acceptor = acceptor(&alone, &small);
    accept(&acceptor, &alone, known).await?;

    // No connection can be had: a server that does not answer is not quicker.
    let only = small.acquire().await?;
    let begun = Instant::now();
    let callers = (0..40).map(|n| if n % 4 == 0 { known } else { AppId::new() });
    let answers = join_all(callers.map(|app| accept(&acceptor, &alone, app))).await;
    for answer in &answers {
        assert!(matches!(answer, Err(Error::Unavailable(_))), "{answer:?}");
    }
    let took = begun.elapsed();
    assert!(took < 10 * PATIENCE, "40 callers were answered after {took:?}, one after the other");
    drop(only);
    accept(&acceptor, &alone, known).await?;
    no_row_is_left(&test.pool).await;
    Ok(())
}
