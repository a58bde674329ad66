//! Nodes that watch one another.

use std::time::Duration;

use picloud::{
    base::Result,
    store::node::{self, NewNode},
};
use sqlx::{Connection as _, PgConnection};

use super::support::{
    Member, NEVER, Pace, Row, abandoned, epochs, held_by, pace, terminate, terminate_all, wait_for_lock,
};
use crate::{
    store_executions::an_app,
    support::{cable::Cable, eventually, postgres::TestDb},
};

#[tokio::test]
async fn who_stays_takes_over_at_once_from_who_crashes() -> Result<()> {
    let test = TestDb::new().await;
    let app = an_app(&test.pool).await?;
    let stays = Member::start(&test).await;
    let crashes = Member::start(&test).await;
    stays.node.look();
    eventually("they know each other", || async {
        (stays.node.has_peers() && crashes.node.has_peers()).then_some(())
    })
    .await;
    let (durable, sync) = (Row::durable(app, crashes.epoch()), Row::sync(app, crashes.epoch()));
    for row in [&durable, &sync] {
        row.insert(&test.pool).await?;
    }
    drop(crashes);
    // Nobody tells it.
    eventually("the row is free", || async {
        durable.claim(&test.pool).await.ok()?.filter(|row| *row == (None, 1))
    })
    .await;
    assert_eq!(abandoned(&test.pool).await?, ["500 the process ended"]);
    assert_eq!(epochs(&test.pool).await?, [stays.epoch()]);
    eventually("it is alone", || async { (!stays.node.has_peers()).then_some(()) }).await;
    Ok(())
}

/// A connection is lost more often than a process ends.
#[tokio::test]
async fn who_was_alive_a_moment_ago_has_until_the_next_look() -> Result<()> {
    let test = TestDb::new().await;
    let mut other = PgConnection::connect_with(&test.options).await?;
    wait_for_lock(&mut other, 900).await?;
    node::register(&test.pool, &NewNode { epoch: 900, name: "other", version: "0", boot_id: "" }).await?;
    let watching =
        Member::start_with(&test, "watching", Pace { look: Duration::from_secs(2), ..pace() }).await;
    assert!(watching.node.has_peers());
    terminate(&test.pool, held_by(&test.pool, 900).await?.expect("it is held")).await?;
    eventually("the lock is free", || async { held_by(&test.pool, 900).await.ok()?.is_none().then_some(()) })
        .await;
    // Nobody knew this one alive, and it comes after the other.
    node::register(&test.pool, &NewNode { epoch: 901, name: "other", version: "0", boot_id: "" }).await?;
    watching.node.look();
    eventually("it looks", || async { (!epochs(&test.pool).await.ok()?.contains(&901)).then_some(()) }).await;
    assert_eq!(epochs(&test.pool).await?, [watching.epoch(), 900]);
    eventually("it looks again", || async {
        (epochs(&test.pool).await.ok()? == [watching.epoch()]).then_some(())
    })
    .await;
    Ok(())
}

/// The server is away for longer than anybody is given grace, and comes back for one before the other.
#[tokio::test]
async fn nodes_whose_server_was_away_all_go_on() -> Result<()> {
    let test = TestDb::new().await;
    let (mut cable, _) = Cable::to(&test).await;
    let patient = Pace { grace: Duration::from_secs(1), ..pace() };
    let one = Member::start_on(cable.options(&test), "one", patient).await;
    let two = Member::start_on(cable.options(&test), "two", patient).await;
    one.node.look();
    eventually("they know each other", || async { one.node.has_peers().then_some(()) }).await;
    let before = [one.epoch(), two.epoch()];
    for _ in 0..2 {
        cable.cut();
        tokio::time::sleep(patient.grace).await;
        assert_eq!((one.node.epoch(), two.node.epoch()), (None, None));
        cable.mend();
        eventually("both go on", || async { one.node.epoch().and(two.node.epoch()) }).await;
        assert_eq!([one.epoch(), two.epoch()], before);
    }
    Ok(())
}

/// The server lets all go at once, and nobody is declared dead for it.
#[tokio::test]
async fn nodes_that_lose_their_connections_together_all_go_on() -> Result<()> {
    let test = TestDb::new().await;
    let patient = Pace { grace: Duration::from_secs(1), ..pace() };
    let one = Member::start_with(&test, "one", patient).await;
    let two = Member::start_with(&test, "two", patient).await;
    one.node.look();
    eventually("they know each other", || async { one.node.has_peers().then_some(()) }).await;
    let before = [one.epoch(), two.epoch()];
    for _ in 0..5 {
        let mut holders = Vec::new();
        for epoch in before {
            holders.push(held_by(&test.pool, epoch).await?.expect("it is held"));
        }
        terminate_all(&test.pool, &holders).await?;
        for (epoch, holder) in before.into_iter().zip(holders) {
            eventually("the lock is held by another session", || async {
                held_by(&test.pool, epoch).await.ok()?.filter(|now| *now != holder)
            })
            .await;
        }
    }
    eventually("both go on", || async { ([one.node.epoch()?, two.node.epoch()?] == before).then_some(()) })
        .await;
    assert_eq!(epochs(&test.pool).await?, before);
    Ok(())
}

#[tokio::test]
async fn who_stands_still_loses_its_session_and_who_beats_does_not() -> Result<()> {
    let test = TestDb::new().await;
    let app = an_app(&test.pool).await?;
    let mut frozen = PgConnection::connect_with(&test.options).await?;
    wait_for_lock(&mut frozen, 900).await?;
    node::register(&test.pool, &NewNode { epoch: 900, name: "frozen", version: "0", boot_id: "" }).await?;
    let row = Row::durable(app, 900);
    row.insert(&test.pool).await?;

    let beats = Pace { beat: Duration::from_millis(20), ..pace() };
    let watches = Pace { beat: NEVER, silence: Duration::from_secs(2), ..pace() };
    let beating = Member::start_with(&test, "beating", beats).await;
    let watching = Member::start_with(&test, "watching", watches).await;
    beating.node.look();
    let holder = held_by(&test.pool, beating.epoch()).await?;
    eventually("the row is free", || async {
        row.claim(&test.pool).await.ok()?.filter(|row| row.0.is_none())
    })
    .await;
    assert!(frozen.ping().await.is_err(), "its session was ended");
    assert_eq!(epochs(&test.pool).await?, [beating.epoch(), watching.epoch()]);
    assert_eq!(held_by(&test.pool, 900).await?, None);
    assert_eq!(held_by(&test.pool, beating.epoch()).await?, holder, "nobody ended this one's");
    Ok(())
}
