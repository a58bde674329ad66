//! Rows with large bodies: a few at a time are in hand, however many could run.

use picloud::base::Result;

use super::{alone::Alone, no_row_is_left};
use crate::{
    node::support::Member,
    store_executions::an_app,
    store_outbox::{put, row},
    support::postgres::TestDb,
};

const MIB: usize = 1 << 20;

#[tokio::test]
async fn a_hand_holds_bodies_up_to_a_bound() -> Result<()> {
    let test = TestDb::new().await;
    let app = an_app(&test.pool).await?;
    for _ in 0..12 {
        let mut row = row(app, "http");
        row.body = Some(vec![b'x'; 4 * MIB].into());
        put(&test.pool, &[row]).await;
    }
    sqlx::raw_sql(
        "create table held (bytes bigint);
         create function note() returns trigger language plpgsql as $$
         begin
             insert into held select sum(octet_length(body)) from outbox where claimed_epoch is not null;
             return null;
         end $$;
         create trigger note after update on outbox for each statement execute function note();",
    )
    .execute(&test.pool)
    .await?;
    let member = Member::start(&test).await;
    let alone = Alone::start(&member, test.options.clone(), &test.pool, "sleep(0.5)").await;
    alone.bell.open();
    no_row_is_left(&test.pool).await;
    let most: i64 = sqlx::query_scalar("select max(bytes) from held").fetch_one(&test.pool).await?;
    let most = usize::try_from(most).expect("a sum of lengths");
    // A hand that is not full yet takes what one claim brings: 8 MiB, and the row with which it has them.
    assert!((4 * MIB..=(8 + 8 + 4) * MIB).contains(&most), "{} MiB of 48", most / MIB);
    Ok(())
}
