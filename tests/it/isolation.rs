//! No call as a member of one app returns or changes anything of another:
//! calls at random, with ids that are guessed, and ids that are right.

use std::{borrow::Cow, collections::BTreeSet};

use rand::{
    Rng as _, SeedableRng as _,
    rngs::StdRng,
    seq::{IndexedRandom as _, SliceRandom as _},
};
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::{
    api_outbox,
    contract::{Call, calls, document},
    matrix::{Needs, SCOPES, needs_of, sign_in},
    support::{
        app::TestApp,
        http::{Answer, Person},
    },
};

/// How often a caller makes each call.
const ROUNDS: usize = 4;

/// What is known of an app from outside, or can be guessed.
#[derive(Default)]
struct Known {
    slug: String,
    id: String,
    scripts: Vec<String>,
    routes: Vec<String>,
    domains: Vec<String>,
    rows: Vec<String>,
    executions: Vec<String>,
    hosts: Vec<String>,
    cursors: Vec<String>,
}

impl Known {
    /// Whatever of it must not be told.
    fn secrets(&self) -> BTreeSet<String> {
        let lists = [&self.scripts, &self.routes, &self.domains, &self.rows, &self.executions, &self.hosts];
        let ids = lists.into_iter().flatten().cloned();
        ids.chain([self.slug.clone(), self.id.clone(), format!("secret of {}", self.slug)]).collect()
    }
}

/// Makes an app with resources of every kind, in random numbers; all text in it names its slug.
async fn fill(test: &TestApp, owner: &Person, rng: &mut StdRng, slug: &str) -> Known {
    let mut known = Known { slug: slug.to_owned(), id: owner.app(slug).await, ..Known::default() };
    let secret = format!("secret of {slug}");
    let base = format!("/api/v1/admin/apps/{slug}");
    owner.patch(&base, json!({"name": secret, "description": secret})).await;
    for n in 0..rng.random_range(2..4) {
        let host = format!("{slug}{n}.local");
        known.domains.push(owner.post(&format!("{base}/domains"), json!({"pattern": host})).await.id());
        known.hosts.push(host);
    }
    for n in 0..rng.random_range(2..4) {
        let script = owner.script(slug, &format!("{secret} {n}"), &format!("\"{secret}\"")).await;
        let path = format!("/api/v1/admin/scripts/{script}");
        owner
            .patch(&path, json!({"source": format!("log::info(\"{secret}\"); {n}"), "description": secret}))
            .await;
        known.routes.push(owner.route(&script, &format!("/{slug}/{n}")).await);
        let ran = owner.get(&format!("/~{slug}/{slug}/{n}")).await;
        known.executions.push(ran.header("x-execution-id").to_owned());
        known.scripts.push(script);
    }
    for _ in 0..2 {
        known.rows.push(api_outbox::put(test.pool(), &known.id).await);
    }
    for list in ["scripts", "routes", "domains", "executions", "outbox"] {
        let page = owner.get(&format!("{base}/{list}?limit=1")).await;
        known.cursors.extend(page.json["next_cursor"].as_str().map(str::to_owned));
    }
    owner.key(&SCOPES, Some(slug)).await;
    known
}

/// Everything stored that belongs to an app.
async fn rows_of(db: &PgPool, app: &str) -> String {
    let tables: Vec<String> = sqlx::query_scalar(
        "select table_name::text from information_schema.columns
         where table_schema = 'public' and column_name = 'app_id' order by table_name",
    )
    .fetch_all(db)
    .await
    .expect("tables");
    let mut statement =
        format!("select jsonb_build_array('apps', t.*)::text as row from apps t where id = '{app}'");
    for table in tables {
        let rows = format!(
            " union all select jsonb_build_array('{table}', t.*)::text from {table} t where app_id = '{app}'"
        );
        statement.push_str(&rows);
    }
    let statement = format!("select string_agg(row, E'\\n' order by row) from ({statement}) as all_rows");
    sqlx::query_scalar(&statement).fetch_one(db).await.expect("rows")
}

/// An id near another, as somebody would guess it.
fn guessed(rng: &mut StdRng, id: &str) -> String {
    let mut digits: Vec<char> = id.chars().collect();
    let last = digits.len() - 1;
    digits[last] = *['0', '7', 'a', 'f'].choose(rng).expect("a digit");
    digits.into_iter().collect()
}

/// One of `own`, one of `other`, or one that is guessed.
fn pick(rng: &mut StdRng, own: &[String], other: &[String]) -> String {
    let (own, other) = (own.choose(rng), other.choose(rng).expect("something to guess"));
    match (rng.random_range(0..10), own) {
        (0..4, Some(own)) => own.clone(),
        (0..9, _) => other.clone(),
        _ => guessed(rng, other),
    }
}

/// The two apps, as a random call sees them.
struct Aims<'a> {
    own: &'a Known,
    other: &'a Known,
    users: &'a [String],
}

impl Aims<'_> {
    fn path(&self, rng: &mut StdRng, call: &Call) -> String {
        let (own, other) = (self.own, self.other);
        // What is deleted is missing later: of the own resources only a few.
        let spared = Known { id: own.id.clone(), slug: own.slug.clone(), ..Known::default() };
        let own = if call.method == "DELETE" && rng.random_range(0..8) > 0 { &spared } else { own };
        let mut parts = Vec::new();
        for part in call.path.split('/') {
            parts.push(match part {
                "{app}" => {
                    pick(rng, &[own.id.clone(), own.slug.clone()], &[other.id.clone(), other.slug.clone()])
                }
                "{script}" => pick(rng, &own.scripts, &other.scripts),
                "{route}" => pick(rng, &own.routes, &other.routes),
                "{domain}" => pick(rng, &own.domains, &other.domains),
                "{row}" => pick(rng, &own.rows, &other.rows),
                "{execution}" => pick(rng, &own.executions, &other.executions),
                "{version}" => "1".to_owned(),
                "{user}" => pick(rng, self.users, self.users),
                "{key}" | "{session}" => pick(rng, &other.scripts, &other.scripts),
                part => part.to_owned(),
            });
        }
        let query = match rng.random_range(0..12) {
            0 => format!("?script_id={}", pick(rng, &own.scripts, &other.scripts)),
            1 => format!("?root={}", pick(rng, &own.executions, &other.executions)),
            2 => format!("?cursor={}", other.cursors.choose(rng).expect("a cursor")),
            3 => "?cascade=true".to_owned(),
            4 => format!("?confirm={}", other.slug),
            _ => String::new(),
        };
        format!("{}{query}", parts.join("/"))
    }

    fn body(&self, rng: &mut StdRng, call: &Call) -> Value {
        let (own, other) = (self.own, self.other);
        let host = pick(rng, &own.hosts, &other.hosts);
        let tail = call.path.rsplit('/').find(|part| !part.starts_with('{')).unwrap_or_default();
        let route = json!({"host_kind": "exact", "host": host, "path_kind": "exact", "path": format!("/{}", rng.random::<u16>())});
        match (call.method.as_str(), tail) {
            ("POST", "domains") => {
                let free = format!("m{}.local", rng.random::<u16>());
                let taken = other.hosts[0].clone();
                json!({"pattern": *[&taken, "*.local", &free].choose(rng).expect("one")})
            }
            ("PUT", "members") => json!({"role": *["viewer", "editor"].choose(rng).expect("a role")}),
            ("POST", "scripts") => json!({"name": format!("n{}", rng.random::<u16>()), "source": "1"}),
            ("POST", "check") => json!({"source": "1"}),
            ("PATCH", "scripts") => json!({"source": format!("{}", rng.random::<u16>())}),
            ("POST", "routes") => route,
            ("PATCH", "routes") => json!({"enabled": rng.random::<bool>()}),
            ("POST", "match") => {
                json!({"host": host, "method": "GET", "path": format!("/~{0}/{0}/0", other.slug)})
            }
            ("POST", "api-keys") => {
                json!({"name": "k", "scopes": ["script:read"], "app": *[&own.slug, &other.slug, &other.id].choose(rng).expect("one")})
            }
            ("PATCH", "apps") => json!({"name": "changed"}),
            ("POST", "apps") => json!({"slug": other.slug, "name": "n", "take_over": true}),
            ("PATCH", "users") => json!({"active": false}),
            _ => json!({}),
        }
    }
}

/// Makes calls at random; says how many were answered with success.
async fn wander(
    (db, who): (&PgPool, &Person),
    rng: &mut StdRng,
    calls: &[Call],
    aims: &Aims<'_>,
    note: &str,
) -> usize {
    let secrets = aims.other.secrets();
    let before = rows_of(db, &aims.other.id).await;
    let mut successes = 0;
    let mut all: Vec<&Call> = calls.iter().cycle().take(calls.len() * ROUNDS).collect();
    all.shuffle(rng);
    for call in all {
        let (path, body) = (aims.path(rng, call), aims.body(rng, call));
        let sent = format!("{} {path} {body}", call.method);
        let request = who.request(&call.method, &path);
        let request = if call.method == "GET" { request } else { request.json(&body) };
        let answer = Answer::of(request).await;
        assert!(answer.status < 500, "{note}: {sent}: {answer:?}");
        let all = format!("{:?} {}", answer.headers, answer.text);
        let told = secrets.iter().find(|secret| all.contains(*secret) && !sent.contains(*secret));
        assert_eq!(told, None, "{note}: {sent}: {answer:?}");
        if call.method != "GET" {
            assert_eq!(rows_of(db, &aims.other.id).await, before, "{note}: {sent}: {answer:?}");
        }
        successes += usize::from(answer.status < 300);
    }
    assert_eq!(rows_of(db, &aims.other.id).await, before, "{note}");
    successes
}

/// Everybody who has a role in `own` or a key bound to it, and by no right a way into any other app.
async fn wanderers(test: &TestApp, owner: &Person, own: &Known, other: &Known) -> Vec<(String, Person)> {
    let mut all = Vec::new();
    for role in ["viewer", "editor", "app_admin"] {
        let name = format!("{role}-of-{}", own.slug);
        let id = owner.user(&name, "member").await;
        owner.member(&own.slug, &id, role).await;
        let session = sign_in(test, &name).await;
        all.push((format!("{role} with a key"), session.key(&SCOPES, None).await));
        all.push((role.to_owned(), session));
    }
    // Their owners may much, these keys do not.
    all.push(("a bound key of the owner".to_owned(), owner.key(&SCOPES, Some(&own.slug)).await));
    let id = owner.user(&format!("both-of-{}", own.slug), "member").await;
    for app in [own, other] {
        owner.member(&app.slug, &id, "app_admin").await;
    }
    let both = sign_in(test, &format!("both-of-{}", own.slug)).await;
    all.push(("a bound key of a member of both".to_owned(), both.key(&SCOPES, Some(&own.slug)).await));
    all
}

/// Calls that would only take the caller out of the game, or never end.
fn is_played(call: &Call) -> bool {
    let ends = matches!(needs_of(call), Needs::Nothing | Needs::Account) || call.path.ends_with("/logout");
    !(ends || call.path.ends_with("/stream"))
}

async fn play(seed: u64) {
    let mut rng = StdRng::seed_from_u64(seed);
    let test = TestApp::start().await;
    let owner = test.owner().await;
    let other = fill(&test, &owner, &mut rng, "walled").await;
    let own = fill(&test, &owner, &mut rng, "meadow").await;
    let document = document(&test).await;
    let calls: Vec<Call> = calls(&document).into_iter().filter(is_played).collect();
    let wanderers = wanderers(&test, &owner, &own, &other).await;
    let users = [owner.user("bystander", "member").await];
    let aims = Aims { own: &own, other: &other, users: &users };
    let mut successes = 0;
    for (name, who) in &wanderers {
        let note = format!("seed {seed}, {name}");
        successes += wander((test.pool(), who), &mut rng, &calls, &aims, &note).await;
    }
    let least = calls.len() * ROUNDS * wanderers.len() / 20;
    assert!(successes > least, "seed {seed}: with {successes} calls that did something this proves nothing");
}

#[tokio::test]
async fn no_call_as_a_member_of_one_app_reaches_another() {
    play(1).await;
    play(rand::rng().random()).await;
}

#[tokio::test]
async fn the_database_refuses_references_across_apps() {
    let test = TestApp::start().await;
    let owner = test.owner().await;
    let mut rng = StdRng::seed_from_u64(7);
    let one = fill(&test, &owner, &mut rng, "one").await;
    let other = fill(&test, &owner, &mut rng, "two").await;
    for statement in [
        format!("update routes set app_id = '{}' where id = '{}'", one.id, other.routes[0]),
        format!("update routes set script_id = '{}' where id = '{}'", one.scripts[0], other.routes[0]),
        format!("update script_versions set app_id = '{}' where script_id = '{}'", one.id, other.scripts[0]),
    ] {
        let refused = sqlx::query(&statement).execute(test.pool()).await;
        let error = refused.expect_err(&statement);
        let code = error.as_database_error().and_then(|e| e.code().map(Cow::into_owned));
        assert_eq!(code.as_deref(), Some("23503"), "{statement}: {error}");
    }
}
