//! The pool, the migrations and the nudges, against the server PiCloud starts.

use picloud::db;

use crate::support::postgres::TestDb;

#[tokio::test]
async fn each_test_has_an_empty_migrated_database() {
    let (one, two) = (TestDb::new().await, TestDb::new().await);
    sqlx::raw_sql("update instance set claimed_at = now()").execute(&one.pool).await.unwrap();
    let claimed: bool =
        sqlx::query_scalar("select claimed_at is not null from instance").fetch_one(&two.pool).await.unwrap();
    assert!(!claimed);
    assert!(db::migrate(&two.pool).await.unwrap() >= 4);
}
