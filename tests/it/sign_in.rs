//! Signing in: guessing is slowed down, and nobody is locked out.

use picloud::{access::throttle::LONGEST, system::clock::Clock, upkeep::sweep_all};
use serde_json::{Value, json};
use sqlx::PgPool;
use tokio::{io::AsyncWriteExt as _, net::TcpStream};

use crate::{
    support::{
        app::{PASSWORD, TestApp},
        eventually,
        http::{Answer, Person},
    },
    ui::Browser,
};

const ELSEWHERE: [u8; 4] = [127, 0, 0, 9];

async fn login(who: &Person, username: &str, password: &str) -> Answer {
    who.post("/api/v1/auth/login", json!({"username": username, "password": password})).await
}

/// Fails to sign in so many times; the statuses.
async fn guess(who: &Person, username: &str, times: usize) -> Vec<u16> {
    let mut statuses = Vec::new();
    for n in 0..times {
        statuses.push(login(who, username, &format!("wrong horse {n}")).await.status);
    }
    statuses
}

/// The seconds a 429 says to wait.
fn wait(answer: &Answer) -> u64 {
    answer.problem(429);
    answer.header("retry-after").parse().expect("seconds")
}

/// Lets time pass, or go back, for what failed.
async fn pass(db: &PgPool, seconds: f64) {
    let moved = "update sign_in_failures
                 set last_at = last_at - make_interval(secs => $1), first_at = first_at - make_interval(secs => $1)";
    sqlx::query(moved).bind(seconds).execute(db).await.expect("sql");
}

/// So many failures of `key`, the last just now.
async fn failures(db: &PgPool, (kind, key): (&str, &str), count: i32) {
    sqlx::query(
        "insert into sign_in_failures (kind, key, failures) values ($1, $2, $3)
         on conflict (kind, key) do update set failures = $3, last_at = now(), first_at = now()",
    )
    .bind(kind)
    .bind(key)
    .bind(count)
    .execute(db)
    .await
    .expect("sql");
}

#[tokio::test]
async fn the_sixth_try_waits_and_each_further_one_longer_up_to_a_minute() {
    let test = TestApp::start().await;
    test.owner().await;
    let nobody = test.nobody();
    assert_eq!(guess(&nobody, "ada", 5).await, [401; 5]);
    let refused = login(&nobody, "ada", PASSWORD).await;
    let first = wait(&refused);
    assert!((1..=5).contains(&first), "{refused:?}");
    assert!(refused.problem(429).contains("try again in"), "{refused:?}");
    let mut waits = vec![first];
    for _ in 0..6 {
        pass(test.pool(), LONGEST.as_secs_f64()).await;
        assert_eq!(guess(&nobody, "ada", 1).await, [401]);
        waits.push(wait(&login(&nobody, "ada", PASSWORD).await));
    }
    assert!(waits.is_sorted() && waits[6] > 50 && waits.iter().all(|wait| *wait <= 60), "{waits:?}");
    // What was refused did not count, and the right password works once the wait is over.
    pass(test.pool(), LONGEST.as_secs_f64()).await;
    assert_eq!(login(&nobody, "ada", PASSWORD).await.status, 200);
    assert_eq!(guess(&nobody, "ada", 4).await, [401; 4], "in a row means in a row");
    assert_eq!(login(&nobody, "ada", PASSWORD).await.status, 200);
}

#[tokio::test]
async fn a_name_that_nobody_has_is_answered_like_one_that_somebody_has() {
    let test = TestApp::start().await;
    test.owner().await;
    let told = async |username: &str| {
        let mut told = Vec::new();
        for _ in 0..6 {
            let answer = login(&test.nobody(), username, "wrong horse battery").await;
            let same: Value = match answer.status {
                429 => Value::Null,
                _ => answer.json.clone(),
            };
            let headers: Vec<String> = answer.headers.keys().map(ToString::to_string).collect();
            told.push((answer.status, same, headers));
        }
        told
    };
    let known = told("ada").await;
    assert_eq!(known.iter().map(|one| one.0).collect::<Vec<_>>(), [401, 401, 401, 401, 401, 429]);
    assert_eq!(told("nobody").await, known);
    assert_eq!(told("NoBody.2").await, known, "names are lower case");
    assert_eq!(guess(&test.nobody(), "nobody.2", 1).await, [429]);
    // What can be no name is nobody's, and only its address is slowed down.
    assert_eq!(guess(&test.nobody(), "no\0body !", 6).await, [401; 6]);
}

#[tokio::test]
async fn a_restart_forgives_nothing() {
    let test = TestApp::start().await;
    test.owner().await;
    guess(&test.nobody(), "ada", 5).await;
    failures(test.pool(), ("user_at", "ada 127.0.0.1"), 20).await;
    let test = TestApp::start_on(test.stop().await, &[]).await;
    assert!(wait(&login(&test.nobody(), "ada", PASSWORD).await) > 5);
}

#[tokio::test]
async fn strangers_cannot_keep_the_owner_out_where_the_owner_has_signed_in_before() {
    let test = TestApp::start().await;
    test.owner().await;
    assert_eq!(login(&test.nobody(), "ada", PASSWORD).await.status, 200);
    let stranger = test.nobody().calling_from(ELSEWHERE);
    assert_eq!(guess(&stranger, "ada", 7).await, [401, 401, 401, 401, 401, 429, 429]);
    failures(test.pool(), ("user", "ada"), 1000).await;
    failures(test.pool(), ("address", "127.0.0.1"), 1000).await;
    assert_eq!(login(&test.nobody(), "ada", PASSWORD).await.status, 200);
    // Elsewhere the owner comes before whoever has failed there.
    failures(test.pool(), ("user", "ada"), 1000).await;
    failures(test.pool(), ("user_at", "ada 127.0.0.9"), 1000).await;
    let third = test.nobody().calling_from([127, 0, 0, 10]);
    assert!(wait(&login(&third, "ada", PASSWORD).await) <= 30);
    pass(test.pool(), 31.0).await;
    assert!(wait(&login(&stranger, "ada", PASSWORD).await) > 20);
    assert_eq!(login(&third, "ada", PASSWORD).await.status, 200);
}

#[tokio::test]
async fn an_address_that_failed_fifty_times_in_ten_minutes_waits_whatever_the_name() {
    let test = TestApp::start().await;
    test.owner().await;
    let stranger = test.nobody().calling_from(ELSEWHERE);
    failures(test.pool(), ("address", "127.0.0.9"), 49).await;
    assert_eq!(guess(&stranger, "somebody", 1).await, [401]);
    assert!(wait(&login(&stranger, "another", "wrong horse battery").await) <= 5);
    assert!(wait(&login(&stranger, "ada", PASSWORD).await) <= 5);
    assert_eq!(guess(&test.nobody(), "somebody", 1).await, [401], "others do not wait");
    pass(test.pool(), 6.0).await;
    assert_eq!(login(&stranger, "ada", PASSWORD).await.status, 200);
    // An account of one's own buys no guesses at others'.
    assert_eq!(guess(&stranger, "another", 2).await, [401, 429]);
    pass(test.pool(), 601.0).await;
    assert_eq!(guess(&stranger, "third", 2).await, [401; 2], "ten minutes later it begins anew");
}

#[tokio::test]
async fn a_clock_that_is_set_keeps_nobody_out() {
    let test = TestApp::start().await;
    test.owner().await;
    guess(&test.nobody(), "ada", 5).await;
    failures(test.pool(), ("address", "127.0.0.1"), 60).await;
    // As if the clock had been years ahead.
    pass(test.pool(), -1e8).await;
    assert_eq!(
        guess(&test.nobody(), "ada", 2).await,
        [401, 429],
        "one try is free, and is counted by the new time"
    );
    assert!(wait(&login(&test.nobody(), "ada", PASSWORD).await) <= 10);
    pass(test.pool(), 1e8).await;
    assert_eq!(login(&test.nobody(), "ada", PASSWORD).await.status, 200);
}

#[tokio::test]
async fn twenty_at_once_all_get_in() {
    let test = TestApp::start().await;
    test.owner().await;
    let nobody = test.nobody();
    let twenty = futures_util::future::join_all((0..20).map(|_| login(&nobody, "ada", PASSWORD))).await;
    let statuses: Vec<u16> = twenty.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses, [200; 20]);
}

#[tokio::test]
async fn guesses_made_at_once_count_one_by_one() {
    let test = TestApp::start().await;
    test.owner().await;
    let nobody = test.nobody();
    let guesses = (0..20).map(|n| {
        let nobody = nobody.clone();
        async move { login(&nobody, "ada", &format!("wrong horse {n}")).await.status }
    });
    let statuses = futures_util::future::join_all(guesses).await;
    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 5, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 15, "{statuses:?}");
}

#[tokio::test]
async fn whoever_hangs_up_is_counted_all_the_same() {
    let test = TestApp::start().await;
    test.owner().await;
    let body = json!({"username": "ada", "password": "wrong horse battery"}).to_string();
    let request = format!(
        "POST /api/v1/auth/login HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    let counted = async || {
        let mut stream = TcpStream::connect(test.address).await.expect("a connection");
        stream.write_all(request.as_bytes()).await.expect("sent");
        // Long before the password is hashed.
        drop(stream);
        sqlx::query_scalar::<_, i32>("select failures from sign_in_failures where kind = 'user'")
            .fetch_optional(test.pool())
            .await
            .expect("sql")
    };
    eventually("a guess is counted", counted).await;
}

#[tokio::test]
async fn the_present_password_cannot_be_guessed_faster_with_a_session() {
    let test = TestApp::start().await;
    let owner = test.owner().await;
    let me = owner.get("/api/v1/auth/me").await.json["user"]["id"].as_str().expect("an id").to_owned();
    let path = format!("/api/v1/admin/users/{me}/password");
    let change = async |current: &str| {
        owner.post(&path, json!({"password": "new horse battery", "current_password": current})).await
    };
    for _ in 0..5 {
        assert_eq!(change("wrong horse battery").await.fields(), ["current_password"]);
    }
    wait(&change(PASSWORD).await);
    pass(test.pool(), 6.0).await;
    assert_eq!(change(PASSWORD).await.status, 204);
    assert_eq!(login(&test.nobody(), "ada", "new horse battery").await.status, 200);
}

#[tokio::test]
async fn the_page_says_how_long_to_wait() {
    let test = TestApp::start().await;
    test.owner().await;
    guess(&test.nobody(), "ada", 5).await;
    let mut browser = Browser::of(&test);
    let form = [("username", "ada"), ("password", PASSWORD), ("next", "/admin")];
    let refused = browser.post("/admin/login", &form).await;
    assert_eq!(refused.status, 429, "{refused:?}");
    assert!(refused.header("retry-after").parse::<u64>().is_ok(), "{refused:?}");
    assert!(
        refused.text.contains("try again in") && refused.text.contains("name=\"password\""),
        "{refused:?}"
    );
}

#[tokio::test]
async fn what_failed_long_ago_is_swept_once_the_clock_is_right() {
    let test = TestApp::start().await;
    failures(test.pool(), ("user", "old"), 3).await;
    pass(test.pool(), 90_000.0).await;
    failures(test.pool(), ("user", "new"), 3).await;
    let left = async || {
        let keys = sqlx::query_scalar::<_, String>("select key from sign_in_failures order by key");
        keys.fetch_all(test.pool()).await.expect("sql")
    };
    let retention = crate::upkeep::KEPT;
    sweep_all(test.pool(), &retention, Clock::Unknown).await;
    assert_eq!(left().await, ["new", "old"]);
    sweep_all(test.pool(), &retention, Clock::Synchronised).await;
    assert_eq!(left().await, ["new"]);
    sqlx::query("insert into sign_in_failures (kind, key, failures) select 'user', 'u' || n, 1 from generate_series(1, 50010) n")
        .execute(test.pool())
        .await
        .expect("sql");
    sweep_all(test.pool(), &retention, Clock::Unknown).await;
    assert_eq!(left().await.len(), 50_000);
}
