//! How often the dispatcher asks while it cannot get on: now and then.

use std::time::{Duration, Instant};

use picloud::{base::Result, store::outbox::ALONE_FROM};

use super::{alone::Alone, no_row_is_left};
use crate::{
    node::support::{Member, pace},
    store_executions::an_app,
    store_outbox::{put, row},
    support::{cable::Cable, eventually, postgres::TestDb},
};

/// A run has ended that cannot be written down, and more rows may be due. With
/// the node's own connection the epoch goes; without that every statement fails.
#[tokio::test]
async fn while_the_database_is_away_the_loop_stands_still() -> Result<()> {
    for node_too in [true, false] {
        let test = TestDb::new().await;
        put(&test.pool, &[row(an_app(&test.pool).await?, "http")]).await;
        let (mut of_node, _) = Cable::to(&test).await;
        let (mut of_queue, _) = Cable::to(&test).await;
        let member = Member::start_on(of_node.options(&test), "testpi", pace()).await;
        let alone = Alone::start(&member, of_queue.options(&test), &test.pool, "1").await;
        alone.bell.reached().await;
        of_queue.cut();
        if node_too {
            of_node.cut();
            eventually("there is no epoch", || async { member.node.epoch().is_none().then_some(()) }).await;
        }
        alone.bell.open();
        eventually("it has run", || async {
            alone.metrics.text().contains("picloud_executions_total{").then_some(())
        })
        .await;
        alone.durable.wake();
        let busy = alone.busy().await;
        assert!(busy < 0.5, "it is busy {busy} of the time");
        of_queue.mend();
        if node_too {
            of_node.mend();
        }
        no_row_is_left(&test.pool).await;
    }
    Ok(())
}

/// What is due and locked is in another node's hands, whether it is to run alone or not.
#[tokio::test]
async fn a_row_that_is_locked_elsewhere_is_not_asked_for_again_and_again() -> Result<()> {
    for lost in [0, ALONE_FROM] {
        let test = TestDb::new().await;
        put(&test.pool, &[row(an_app(&test.pool).await?, "http")]).await;
        let lose = sqlx::query("update outbox set lost_count = $1, attempt = $1").bind(lost);
        lose.execute(&test.pool).await?;
        let mut other = test.pool.begin().await?;
        sqlx::query("select from outbox for update").execute(&mut *other).await?;
        let member = Member::start(&test).await;
        let alone = Alone::start(&member, test.options.clone(), &test.pool, "1").await;
        let asks = |times: u64| {
            let (alone, until) = (&alone, alone.asked() + times);
            async move { eventually("it asks", || async { (alone.asked() >= until).then_some(()) }).await }
        };
        asks(10).await;
        let begun = Instant::now();
        asks(80).await;
        let took = begun.elapsed();
        // At most four times in each 50 ms.
        assert!(took > Duration::from_millis(500), "lost {lost} times: 80 statements within {took:?}");
        other.rollback().await?;
        alone.bell.open();
        no_row_is_left(&test.pool).await;
    }
    Ok(())
}
