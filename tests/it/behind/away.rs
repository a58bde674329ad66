//! Recording behind while the database is away.

use std::time::{Duration, Instant};

use picloud::base::{Result, id::AppId};

use super::{STOP, a_run, become_rows, begin, outcome, rows};
use crate::{
    node::support::{Held, Member, abandoned, pace},
    store_executions::an_app,
    support::{cable::Cable, eventually, postgres::TestDb},
};

/// A node on a cable.
async fn on_a_cable(test: &TestDb) -> Result<(Cable, Member, AppId)> {
    let app = an_app(&test.pool).await?;
    let (cable, _) = Cable::to(test).await;
    let member = Member::start_on(cable.options(test), "testpi", pace()).await;
    Ok((cable, member, app))
}

#[tokio::test]
async fn what_happens_meanwhile_is_recorded_afterwards() -> Result<()> {
    let test = TestDb::new().await;
    let (mut cable, member, app) = on_a_cable(&test).await?;
    let behind = member.behind(cable.options(&test)).await;
    let (goes_on, _ending) = begin(&behind, app);
    let (ends, ending) = begin(&behind, app);
    become_rows(&test.pool, &[goes_on, ends]).await;

    cable.cut();
    eventually("the epoch is not held", || async { member.node.epoch().is_none().then_some(()) }).await;
    drop(ending);
    let (begins, _ending) = begin(&behind, app);
    let (comes_and_goes, ending) = begin(&behind, app);
    behind.abandoned(outcome(ending.row(), "late"));
    drop(ending);
    assert_eq!(rows(&test.pool).await?, [goes_on, ends]);

    cable.mend();
    become_rows(&test.pool, &[goes_on, begins]).await;
    eventually("the outcome is written", || async {
        (abandoned(&test.pool).await.ok()? == ["200 late"]).then_some(())
    })
    .await;
    assert!(!rows(&test.pool).await?.contains(&comes_and_goes));
    Ok(())
}

/// A statement is carried out though the connection was lost before it could say so.
#[tokio::test]
async fn a_statement_of_unknown_outcome_leaves_nothing_behind() -> Result<()> {
    let test = TestDb::new().await;
    let app = an_app(&test.pool).await?;
    let (mut cable, _) = Cable::to(&test).await;
    let member = Member::start(&test).await;
    let deaf = cable.options(&test).options([("client_connection_check_interval", "0")]);
    let behind = member.behind(deaf).await;
    let held = Held::app(&test.pool, app).await?;
    let (goes_on, _ending) = begin(&behind, app);
    let (ends, ending) = begin(&behind, app);
    held.somebody_waits().await;
    cable.cut();
    drop(ending);
    held.release().await?;
    eventually("the lost statement writes its rows", || async {
        rows(&test.pool).await.ok()?.contains(&goes_on).then_some(())
    })
    .await;
    cable.mend();
    let (begins, _ending) = begin(&behind, app);
    become_rows(&test.pool, &[goes_on, begins]).await;
    assert!(!rows(&test.pool).await?.contains(&ends));
    Ok(())
}

#[tokio::test]
async fn what_does_not_fit_is_dropped_and_counted_and_nobody_waits() -> Result<()> {
    let test = TestDb::new().await;
    let (mut cable, member, app) = on_a_cable(&test).await?;
    let behind = member.behind(cable.options(&test)).await;
    cable.cut();
    eventually("the epoch is not held", || async { member.node.epoch().is_none().then_some(()) }).await;
    let start = Instant::now();
    for _ in 0..50_000 {
        drop(begin(&behind, app));
    }
    for _ in 0..5000 {
        behind.abandoned(outcome(&a_run(app), "late"));
    }
    assert!(start.elapsed() < Duration::from_secs(5), "noting never waits");
    let dropped = |what: &str| member.metrics.behind_dropped.with_label_values(&[what]).get();
    // The writer may have taken as many as fit before.
    let outcomes = dropped("abandoned");
    assert!((3000..=4000).contains(&outcomes), "{outcomes}");
    assert_eq!(dropped("run"), 0, "runs that have ended take no room");
    cable.mend();
    let expected = usize::try_from(5000 - outcomes).expect("few");
    eventually("what fitted is written", || async {
        (abandoned(&test.pool).await.ok()?.len() == expected).then_some(())
    })
    .await;
    assert_eq!(rows(&test.pool).await?, []);
    Ok(())
}

#[tokio::test]
async fn the_end_comes_though_the_database_is_away() -> Result<()> {
    let test = TestDb::new().await;
    let (mut cable, member, app) = on_a_cable(&test).await?;
    let behind = member.behind(cable.options(&test)).await;
    let (id, ending) = begin(&behind, app);
    become_rows(&test.pool, &[id]).await;
    cable.cut();
    behind.abandoned(outcome(ending.row(), "late"));
    drop(ending);
    behind.stop(Duration::from_millis(200)).await;
    assert_eq!(member.metrics.behind_dropped.with_label_values(&["abandoned"]).get(), 1);
    let start = Instant::now();
    member.node.leave().await;
    assert!(start.elapsed() < STOP);
    assert_eq!(member.node.epoch(), None);
    Ok(())
}
