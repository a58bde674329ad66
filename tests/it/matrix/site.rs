//! Everybody the calls are made by, and what they are made about.

use std::collections::BTreeMap;

use serde_json::json;

use super::{ROLES, SCOPES};
use crate::{
    api_outbox,
    support::{
        app::{PASSWORD, TestApp},
        http::{Answer, Person},
    },
};

/// One kind of caller.
pub struct Who {
    /// What to call them when something is wrong.
    pub name: String,
    pub person: Person,
    pub id: String,
    /// The place in [`ROLES`]; nobody has none.
    pub role: Option<usize>,
    /// The scopes of a key; a session has no bounds.
    pub scopes: Option<Vec<&'static str>>,
    /// The app a key is bound to.
    pub bound: Option<&'static str>,
}

/// The instance the calls are made of: `garden`, in which everybody has the role they are named by,
/// and `elsewhere`, which all of them administer.
pub struct Site {
    pub test: TestApp,
    /// What stands for the parameters of a path.
    pub ids: BTreeMap<&'static str, String>,
    pub people: Vec<Who>,
}

/// Signs somebody in.
pub async fn sign_in(test: &TestApp, name: &str) -> Person {
    let login = json!({"username": name, "password": PASSWORD});
    let answer = test.nobody().post("/api/v1/auth/login", login).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    test.nobody().with_token(answer.json["token"].as_str().expect("a token"))
}

impl Person {
    /// Makes a user; their id.
    pub async fn user(&self, name: &str, role: &str) -> String {
        let new = json!({"username": name, "password": PASSWORD, "instance_role": role});
        let answer = self.post("/api/v1/admin/users", new).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.id()
    }

    /// Gives a user a role in an app.
    pub async fn member(&self, app: &str, user: &str, role: &str) {
        let path = format!("/api/v1/admin/apps/{app}/members/{user}");
        let answer = Answer::of(self.request("PUT", &path).json(&json!({"role": role}))).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    /// Somebody with a key of this person.
    pub async fn key(&self, scopes: &[&str], app: Option<&str>) -> Person {
        let new = json!({"name": "a key", "scopes": scopes, "app": app});
        let answer = self.post("/api/v1/admin/api-keys", new).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        self.with_token(answer.json["key"].as_str().expect("a key"))
    }
}

/// Somebody, by session, and by keys of all kinds.
async fn all_ways(name: &'static str, id: &str, session: &Person) -> Vec<Who> {
    let role = ROLES.iter().position(|role| *role == name);
    let who = |how: &str, person: Person, scopes: Option<Vec<&'static str>>, bound| Who {
        name: format!("{name}{how}"),
        person,
        id: id.to_owned(),
        role,
        scopes,
        bound,
    };
    let mut all = vec![who("", session.clone(), None, None)];
    for scope in SCOPES {
        let key = session.key(&[scope], None).await;
        all.push(who(&format!(" with a key for {scope}"), key, Some(vec![scope]), None));
    }
    // A stranger can bind no key to an app they do not know.
    for app in [None, Some("elsewhere"), Some("garden").filter(|_| name != "stranger")] {
        let key = session.key(&SCOPES, app).await;
        let how = format!(" with a key for all, bound to {app:?}");
        all.push(who(&how, key, Some(SCOPES.to_vec()), app));
    }
    all
}

/// Those whom nobody knows.
async fn nobodies(test: &TestApp, owner: &Person) -> Vec<Who> {
    let nobody = |name: &str, person| Who {
        name: name.to_owned(),
        person,
        id: String::new(),
        role: None,
        scopes: None,
        bound: None,
    };
    vec![
        nobody("nobody", test.nobody()),
        nobody("an unknown session", test.nobody().with_token("pics_unknown")),
        nobody("an unknown key", test.nobody().with_token("pic_abcdefgh_unknown")),
        nobody("a key in a cookie", {
            let key = owner.key(&SCOPES, None).await;
            test.nobody().with("cookie", &format!("picloud_session={}", key.token().expect("a key")))
        }),
    ]
}

/// Makes it.
pub async fn site() -> Site {
    let test = TestApp::start().await;
    let owner = test.owner().await;
    owner.app("garden").await;
    owner.app("elsewhere").await;
    let script = owner.script("garden", "run", "1").await;
    let route = owner.route(&script, "/run").await;
    let ran = owner.get("/~garden/run").await;
    let domain = owner.post("/api/v1/admin/apps/garden/domains", json!({"pattern": "g.local"})).await.id();
    let garden = owner.get("/api/v1/admin/apps/garden").await.id();
    let grace = owner.user("grace", "member").await;
    sign_in(&test, "grace").await;
    let sessions = owner.get(&format!("/api/v1/admin/users/{grace}/sessions")).await;
    let session = sessions.json["items"][0]["id"].as_str().expect("a session").to_owned();
    let row = api_outbox::put(test.pool(), &garden).await;
    let me = owner.get("/api/v1/auth/me").await.json["user"]["id"].as_str().expect("an id").to_owned();

    let mut people = nobodies(&test, &owner).await;
    for role in ROLES {
        let (id, person) = if role == "owner" {
            (me.clone(), owner.clone())
        } else {
            let in_instance = if role == "admin" { "admin" } else { "member" };
            let id = owner.user(role, in_instance).await;
            owner.member("elsewhere", &id, "app_admin").await;
            if !["stranger", "admin"].contains(&role) {
                owner.member("garden", &id, role).await;
            }
            (id, sign_in(&test, role).await)
        };
        people.extend(all_ways(role, &id, &person).await);
    }
    let ids = BTreeMap::from([
        ("app", "garden".to_owned()),
        ("script", script),
        ("route", route),
        ("domain", domain),
        ("row", row),
        ("execution", ran.header("x-execution-id").to_owned()),
        ("version", "1".to_owned()),
        ("user", grace),
        ("session", session),
        ("key", "0198c0de-0000-7000-8000-000000000000".to_owned()),
        ("owner", me),
    ]);
    Site { test, ids, people }
}
