//! Users, their passwords and their sessions over HTTP.

use picloud::{
    access::InstanceRole,
    base::{Error, Result, id::UserId, name::Username},
    store::user::{self, UserChange},
};
use serde_json::{Value, json};
use sqlx::PgConnection;

use crate::{
    matrix::sign_in,
    support::{
        app::{PASSWORD, TestApp},
        eventually,
        http::{Answer, Person},
    },
};

const USERS: &str = "/api/v1/admin/users";
const OTHER: &str = "another long password";

fn at(id: &str) -> String {
    format!("{USERS}/{id}")
}

async fn my_id(who: &Person) -> String {
    let me = who.get("/api/v1/auth/me").await;
    me.json["user"]["id"].as_str().unwrap_or_else(|| panic!("nobody: {me:?}")).to_owned()
}

async fn login(test: &TestApp, name: &str, password: &str) -> Answer {
    test.nobody().post("/api/v1/auth/login", json!({"username": name, "password": password})).await
}

async fn set_password(who: &Person, id: &str, body: Value) -> Answer {
    who.post(&format!("{}/password", at(id)), body).await
}

async fn is_signed_in(who: &Person) -> bool {
    who.get("/api/v1/auth/me").await.status == 200
}

#[tokio::test]
async fn a_user_is_made_read_changed_and_deleted() {
    let test = TestApp::start().await;
    let owner = test.owner().await;
    let new = json!({"username": "Grace", "password": PASSWORD, "instance_role": "member",
                     "display_name": "Grace H.", "email": "grace@example.org"});
    let made = owner.post(USERS, new.clone()).await;
    assert_eq!(made.status, 201, "{made:?}");
    let id = made.id();
    let fields = [
        "active",
        "created_at",
        "display_name",
        "email",
        "id",
        "instance_role",
        "last_login_at",
        "updated_at",
        "username",
    ];
    let shown: Vec<&str> = made.json.as_object().expect("a user").keys().map(String::as_str).collect();
    assert_eq!(shown, fields);
    assert_eq!((&made.json["username"], &made.json["active"]), (&json!("grace"), &json!(true)));
    assert!(owner.post(USERS, new).await.problem(409).contains("grace"));
    assert_eq!(owner.get(&at(&id)).await.json, made.json);

    let changed = owner.patch(&at(&id), json!({"display_name": "Admiral", "email": null})).await;
    assert_eq!((changed.status, &changed.json["display_name"]), (200, &json!("Admiral")));
    assert_eq!(changed.json["email"], Value::Null);
    assert_eq!(changed.json["instance_role"], "member");

    sign_in(&test, "grace").await;
    assert!(owner.get(&at(&id)).await.json["last_login_at"].is_string());
    assert_eq!(owner.delete(&format!("{}?cascade=true", at(&id))).await.status, 204);
    owner.get(&at(&id)).await.problem(404);
    owner.delete(&at(&id)).await.problem(404);
    login(&test, "grace", PASSWORD).await.problem(401);
}

#[tokio::test]
async fn what_is_wrong_with_a_user_is_named() {
    let test = TestApp::start().await;
    let owner = test.owner().await;
    let right = json!({"username": "grace", "password": PASSWORD, "instance_role": "member"});
    for (field, value) in [
        ("username", json!("gr ace")),
        ("password", json!("short")),
        ("password", json!("password123")),
        ("instance_role", json!("king")),
        ("email", json!("nowhere")),
        ("email", json!("a@b\r\nbcc: c@d")),
        ("display_name", json!("")),
        ("nickname", json!("g")),
    ] {
        let mut wrong = right.clone();
        wrong[field] = value;
        assert_eq!(owner.post(USERS, wrong).await.fields(), [field]);
    }
    let own = json!({"username": "adalovelace", "password": "adalovelace", "instance_role": "member"});
    assert!(owner.post(USERS, own).await.problem(422).contains("user name"));
    let grace = owner.user("grace", "member").await;
    for (field, value) in [
        ("instance_role", Value::Null),
        ("active", Value::Null),
        ("active", json!("no")),
        ("username", json!("g")),
    ] {
        assert_eq!(owner.patch(&at(&grace), json!({field: value})).await.fields(), [field]);
    }
    for unknown in ["0198c0de-0000-7000-8000-000000000000", "grace"] {
        owner.get(&at(unknown)).await.problem(404);
    }
}

#[tokio::test]
async fn users_are_listed_by_name_a_page_at_a_time() {
    let test = TestApp::start().await;
    let owner = test.owner().await;
    for name in ["eve", "bob", "cleo"] {
        owner.user(name, "member").await;
    }
    let mut names = Vec::new();
    let mut next = format!("{USERS}?limit=3");
    loop {
        let page = owner.get(&next).await;
        let items = page.json["items"].as_array().expect("items");
        names.extend(items.iter().map(|user| user["username"].as_str().expect("a name").to_owned()));
        let Some(cursor) = page.json["next_cursor"].as_str() else { break };
        next = format!("{USERS}?limit=3&cursor={cursor}");
    }
    assert_eq!(names, ["ada", "bob", "cleo", "eve"]);
}

#[tokio::test]
async fn the_last_active_owner_stays() {
    let test = TestApp::start().await;
    let owner = test.owner().await;
    let ada = my_id(&owner).await;
    owner.user("admin", "admin").await;
    let inactive = owner.user("resting", "owner").await;
    assert_eq!(owner.patch(&at(&inactive), json!({"active": false})).await.status, 200);
    for change in
        [json!({"active": false}), json!({"instance_role": "admin"}), json!({"instance_role": "member"})]
    {
        assert!(owner.patch(&at(&ada), change).await.problem(409).contains("last active owner"));
    }
    owner.delete(&at(&ada)).await.problem(409);
    assert_eq!(owner.patch(&at(&ada), json!({"active": true, "instance_role": "owner"})).await.status, 200);
    // An inactive owner may go, and of two active ones either.
    assert_eq!(owner.patch(&at(&inactive), json!({"active": true})).await.status, 200);
    assert_eq!(owner.patch(&at(&ada), json!({"instance_role": "admin"})).await.status, 200);
    owner.delete(&at(&inactive)).await.problem(403);
    let other = sign_in(&test, "resting").await;
    other.delete(&at(&inactive)).await.problem(409);
}

/// An act that takes `id` from the active owners.
async fn removed(conn: &mut PgConnection, id: UserId, act: usize) -> Result<()> {
    let change = match act {
        0 => return user::delete(conn, id, |_| Ok(())).await.map(|_| ()),
        1 => UserChange { active: Some(false), ..UserChange::default() },
        _ => UserChange { instance_role: Some(InstanceRole::Admin), ..UserChange::default() },
    };
    user::update(conn, id, change, |_| Ok(())).await.map(|_| ())
}

#[tokio::test]
async fn of_owners_who_are_removed_at_once_one_is_left() -> Result<()> {
    let test = TestApp::start().await;
    let owner = test.owner().await;
    let ada: UserId = my_id(&owner).await.parse().expect("an id");
    for act in 0..3 {
        let rival: UserId = owner.user(&format!("rival{act}"), "owner").await.parse().expect("an id");
        let mut first = test.pool().begin().await?;
        removed(&mut first, rival, act).await?;
        let pool = test.pool().clone();
        let mut second = tokio::spawn(async move {
            let mut second = pool.begin().await?;
            removed(&mut second, ada, act).await?;
            second.commit().await.map_err(Error::from)
        });
        // The second has to wait for the first; one that does not is over before.
        let waiting = eventually("the second waits", || async {
            let waits: bool = sqlx::query_scalar(
                "select exists (select from pg_stat_activity
                                where datname = current_database() and wait_event_type = 'Lock')",
            )
            .fetch_one(test.pool())
            .await
            .expect("sql");
            waits.then_some(())
        });
        tokio::select! {
            () = waiting => {}
            done = &mut second => panic!("it did not wait: {done:?}"),
        }
        first.commit().await?;
        let refused = second.await.expect("it ends");
        assert!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");
    }
    Ok(())
}

#[tokio::test]
async fn each_demoting_themselves_at_once_leaves_one_owner() {
    let test = TestApp::start().await;
    let ada = test.owner().await;
    let ada_id = my_id(&ada).await;
    let grace_id = ada.user("grace", "owner").await;
    let grace = sign_in(&test, "grace").await;
    let (path_a, path_g) = (at(&ada_id), at(&grace_id));
    let demoted = json!({"instance_role": "member"});
    let (one, other) = tokio::join!(ada.patch(&path_a, demoted.clone()), grace.patch(&path_g, demoted));
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409], "{one:?} {other:?}");
}

#[tokio::test]
async fn one_changes_ones_own_password_with_the_present_one() {
    let test = TestApp::start().await;
    let owner = test.owner().await;
    let grace = owner.user("grace", "member").await;
    let (here, elsewhere) = (sign_in(&test, "grace").await, sign_in(&test, "grace").await);
    assert_eq!(set_password(&here, &grace, json!({"password": OTHER})).await.fields(), ["current_password"]);
    let wrong = json!({"password": OTHER, "current_password": "not the password"});
    assert_eq!(set_password(&here, &grace, wrong).await.fields(), ["current_password"]);
    let weak = json!({"password": "short", "current_password": PASSWORD});
    assert_eq!(set_password(&here, &grace, weak).await.fields(), ["password"]);
    assert!(is_signed_in(&elsewhere).await);

    let right = json!({"password": OTHER, "current_password": PASSWORD});
    assert_eq!(set_password(&here, &grace, right).await.status, 204);
    assert!(is_signed_in(&here).await && !is_signed_in(&elsewhere).await);
    login(&test, "grace", PASSWORD).await.problem(401);
    assert_eq!(login(&test, "grace", OTHER).await.status, 200);
}

#[tokio::test]
async fn an_admin_gives_others_a_password_and_all_their_sessions_end() {
    let test = TestApp::start().await;
    let owner = test.owner().await;
    let grace = owner.user("grace", "member").await;
    let signed_in = sign_in(&test, "grace").await;
    assert_eq!(set_password(&owner, &grace, json!({"password": OTHER})).await.status, 204);
    assert!(!is_signed_in(&signed_in).await && is_signed_in(&owner).await);
    assert_eq!(login(&test, "grace", OTHER).await.status, 200);
}

#[tokio::test]
async fn a_sign_in_that_a_new_password_overtakes_comes_to_nothing() -> Result<()> {
    let test = TestApp::start().await;
    let owner = test.owner().await;
    let grace = owner.user("grace", "member").await;
    let name: Username = "grace".parse().expect("a name");
    let (id, old) = user::sign_in_of(test.pool(), &name).await?.expect("a user");
    assert_eq!(set_password(&owner, &grace, json!({"password": OTHER})).await.status, 204);
    assert!(user::signed_in(test.pool(), id, &old).await?.is_none());
    let (id, new) = user::sign_in_of(test.pool(), &name).await?.expect("a user");
    assert!(user::signed_in(test.pool(), id, &new).await?.is_some());
    Ok(())
}

#[tokio::test]
async fn deactivation_and_another_role_end_sessions_and_put_keys_to_rest() {
    let test = TestApp::start().await;
    let owner = test.owner().await;
    let grace = owner.user("grace", "admin").await;
    let session = sign_in(&test, "grace").await;
    let key = session.key(&["script:read"], None).await;
    assert_eq!(owner.patch(&at(&grace), json!({"display_name": "G"})).await.status, 200);
    assert!(is_signed_in(&session).await, "another name ends nothing");
    assert_eq!(owner.patch(&at(&grace), json!({"instance_role": "member"})).await.status, 200);
    assert!(!is_signed_in(&session).await && is_signed_in(&key).await);

    let session = sign_in(&test, "grace").await;
    assert_eq!(owner.patch(&at(&grace), json!({"active": false})).await.status, 200);
    assert!(!is_signed_in(&session).await && !is_signed_in(&key).await);
    login(&test, "grace", PASSWORD).await.problem(401);
    assert_eq!(owner.patch(&at(&grace), json!({"active": true})).await.status, 200);
    assert!(!is_signed_in(&session).await && is_signed_in(&key).await, "a session does not come back");

    // One's own present session outlives a change of one's own role.
    let ada = my_id(&owner).await;
    owner.user("second", "owner").await;
    let elsewhere = sign_in(&test, "ada").await;
    assert_eq!(owner.patch(&at(&ada), json!({"instance_role": "admin"})).await.status, 200);
    assert!(is_signed_in(&owner).await && !is_signed_in(&elsewhere).await);
    owner
        .post(USERS, json!({"username": "x", "password": PASSWORD, "instance_role": "owner"}))
        .await
        .problem(403);
}

#[tokio::test]
async fn admins_make_admins_and_only_owners_make_owners() {
    let test = TestApp::start().await;
    let owner = test.owner().await;
    owner.user("admin", "admin").await;
    let admin = sign_in(&test, "admin").await;
    let other = admin.user("other", "admin").await;
    let new = json!({"username": "x", "password": PASSWORD, "instance_role": "owner"});
    assert!(admin.post(USERS, new).await.problem(403).contains("owner"));
    admin.patch(&at(&other), json!({"instance_role": "owner"})).await.problem(403);
    assert_eq!(admin.patch(&at(&other), json!({"instance_role": "member"})).await.status, 200);
    assert_eq!(owner.patch(&at(&other), json!({"instance_role": "owner"})).await.status, 200);
    admin.patch(&at(&other), json!({"instance_role": "member"})).await.problem(403);
    set_password(&admin, &other, json!({"password": OTHER})).await.problem(403);
    admin.delete(&at(&other)).await.problem(403);
}

#[tokio::test]
async fn a_lost_laptops_session_is_found_and_ended() {
    let test = TestApp::start().await;
    let owner = test.owner().await;
    let grace = owner.user("grace", "member").await;
    let here = sign_in(&test, "grace").await;
    let login = json!({"username": "grace", "password": PASSWORD});
    let lost = test.nobody().with("user-agent", "Laptop/1").post("/api/v1/auth/login", login).await;
    let lost = test.nobody().with_token(lost.json["token"].as_str().expect("a token"));
    let path = format!("{}/sessions", at(&grace));
    let listed = here.get(&path).await;
    let items = listed.json["items"].as_array().expect("items");
    assert_eq!(items.len(), 2, "{listed:?}");
    let fields = ["address", "created_at", "current", "expires_at", "id", "last_used_at", "user_agent"];
    let shown: Vec<&str> = items[0].as_object().expect("a session").keys().map(String::as_str).collect();
    assert_eq!(shown, fields);
    assert_eq!((&items[0]["user_agent"], &items[0]["address"]), (&json!("Laptop/1"), &json!("127.0.0.1")));
    assert_eq!((&items[0]["current"], &items[1]["current"]), (&json!(false), &json!(true)));
    let first = here.get(&format!("{path}?limit=1")).await;
    let cursor = first.json["next_cursor"].as_str().expect("a second page");
    let second = here.get(&format!("{path}?limit=1&cursor={cursor}")).await;
    assert_eq!((&second.json["items"][0], &second.json["next_cursor"]), (&items[1], &Value::Null));

    let id = items[0]["id"].as_str().expect("an id");
    let strange = format!("{}/sessions/{id}", at(&my_id(&owner).await));
    owner.delete(&strange).await.problem(404);
    assert!(is_signed_in(&lost).await, "it is not one of hers");
    assert_eq!(here.delete(&format!("{path}/{id}")).await.status, 204);
    assert!(!is_signed_in(&lost).await && is_signed_in(&here).await);
    here.delete(&format!("{path}/{id}")).await.problem(404);
    here.delete(&format!("{path}/nothing")).await.problem(404);
    assert_eq!(owner.delete(&path).await.status, 204);
    assert!(!is_signed_in(&here).await);
}
