//! Every call of the API as every kind of caller, against the table of the contract.

mod site;

pub use site::sign_in;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::{
    contract::{Call, calls, document},
    support::{
        app::TestApp,
        http::{Answer, Person},
    },
};
use site::{Who, site};

/// What a call asks of its caller.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Needs {
    /// Nothing: it is open.
    Nothing,
    /// Credentials, of no matter whom: what is shown is what the caller may see.
    Anybody,
    /// A session.
    Login,
    /// A capability of the instance.
    Instance(&'static str),
    /// A capability in the app.
    App(&'static str),
    /// A session for oneself, the capability to manage users for others.
    Account,
}
use Needs::{Account, Anybody, App, Instance, Login, Nothing};

/// Every call of the contract.
pub const CALLS: &[(&str, Needs)] = &[
    ("GET /healthz", Nothing),
    ("GET /readyz", Nothing),
    ("GET /version", Nothing),
    ("GET /api/v1/setup", Nothing),
    ("POST /api/v1/setup", Nothing),
    ("POST /api/v1/auth/login", Nothing),
    ("POST /api/v1/auth/logout", Login),
    ("GET /api/v1/auth/me", Anybody),
    ("POST /api/v1/execute/{}", App("AppWriteScript")),
    ("GET /api/v1/admin/users", Instance("InstanceManageUsers")),
    ("POST /api/v1/admin/users", Instance("InstanceManageUsers")),
    ("GET /api/v1/admin/users/{}", Instance("InstanceManageUsers")),
    ("PATCH /api/v1/admin/users/{}", Instance("InstanceManageUsers")),
    ("DELETE /api/v1/admin/users/{}", Instance("InstanceManageUsers")),
    ("POST /api/v1/admin/users/{}/password", Account),
    ("GET /api/v1/admin/users/{}/sessions", Account),
    ("DELETE /api/v1/admin/users/{}/sessions", Account),
    ("DELETE /api/v1/admin/users/{}/sessions/{}", Account),
    ("GET /api/v1/admin/api-keys", Login),
    ("POST /api/v1/admin/api-keys", Login),
    ("DELETE /api/v1/admin/api-keys/{}", Login),
    ("GET /api/v1/admin/apps", Anybody),
    ("POST /api/v1/admin/apps", Instance("InstanceCreateApp")),
    ("GET /api/v1/admin/apps/{}", App("AppRead")),
    ("PATCH /api/v1/admin/apps/{}", App("AppAdmin")),
    ("DELETE /api/v1/admin/apps/{}", App("AppAdmin")),
    ("GET /api/v1/admin/apps/{}/domains", App("AppRead")),
    ("POST /api/v1/admin/apps/{}/domains", App("AppManageDomains")),
    ("DELETE /api/v1/admin/apps/{}/domains/{}", App("AppManageDomains")),
    ("GET /api/v1/admin/apps/{}/members", App("AppAdmin")),
    ("PUT /api/v1/admin/apps/{}/members/{}", App("AppAdmin")),
    ("DELETE /api/v1/admin/apps/{}/members/{}", App("AppAdmin")),
    ("GET /api/v1/admin/apps/{}/scripts", App("AppRead")),
    ("POST /api/v1/admin/apps/{}/scripts", App("AppWriteScript")),
    ("POST /api/v1/admin/apps/{}/scripts/check", App("AppRead")),
    ("GET /api/v1/admin/scripts/{}", App("AppRead")),
    ("PATCH /api/v1/admin/scripts/{}", App("AppWriteScript")),
    ("DELETE /api/v1/admin/scripts/{}", App("AppWriteScript")),
    ("GET /api/v1/admin/scripts/{}/versions", App("AppRead")),
    ("GET /api/v1/admin/scripts/{}/versions/{}", App("AppRead")),
    ("POST /api/v1/admin/scripts/{}/versions/{}/restore", App("AppWriteScript")),
    ("GET /api/v1/admin/scripts/{}/routes", App("AppRead")),
    ("POST /api/v1/admin/scripts/{}/routes", App("AppWriteRoute")),
    ("GET /api/v1/admin/routes/{}", App("AppRead")),
    ("PATCH /api/v1/admin/routes/{}", App("AppWriteRoute")),
    ("DELETE /api/v1/admin/routes/{}", App("AppWriteRoute")),
    ("GET /api/v1/admin/apps/{}/routes", App("AppRead")),
    ("POST /api/v1/admin/apps/{}/routes/match", App("AppRead")),
    ("GET /api/v1/admin/apps/{}/executions", App("AppLogRead")),
    ("GET /api/v1/admin/apps/{}/executions/stream", App("AppLogRead")),
    ("GET /api/v1/admin/apps/{}/executions/{}", App("AppLogRead")),
    ("GET /api/v1/admin/apps/{}/outbox", App("AppDeadLetterManage")),
    ("DELETE /api/v1/admin/apps/{}/outbox/{}", App("AppDeadLetterManage")),
    ("POST /api/v1/admin/apps/{}/outbox/{}/retry_now", App("AppDeadLetterManage")),
    ("GET /api/v1/admin/apps/{}/abandoned", App("AppDeadLetterManage")),
    ("GET /api/v1/admin/settings", Instance("InstanceManageSettings")),
    ("PATCH /api/v1/admin/settings", Instance("InstanceManageSettings")),
    ("GET /api/v1/admin/audit", Instance("InstanceManageSettings")),
];

/// The roles, each with all that those before it have; the last two are of the instance.
const ROLES: [&str; 6] = ["stranger", "viewer", "editor", "app_admin", "admin", "owner"];

/// The capability table: least role and scope.
const CAPABILITIES: [(&str, &str, &str); 10] = [
    ("InstanceCreateApp", "admin", "instance:admin"),
    ("InstanceManageUsers", "admin", "instance:admin"),
    ("InstanceManageSettings", "admin", "instance:admin"),
    ("AppRead", "viewer", "script:read"),
    ("AppLogRead", "viewer", "log:read"),
    ("AppWriteScript", "editor", "script:write"),
    ("AppWriteRoute", "editor", "route:write"),
    ("AppManageDomains", "app_admin", "domain:manage"),
    ("AppAdmin", "app_admin", "app:admin"),
    ("AppDeadLetterManage", "app_admin", "app:admin"),
];

/// The seven scopes.
pub const SCOPES: [&str; 7] = [
    "instance:admin",
    "app:admin",
    "domain:manage",
    "route:write",
    "script:write",
    "script:read",
    "log:read",
];

/// What shall come of a call.
#[derive(Debug, PartialEq)]
enum Outcome {
    Refused(u16),
    Passes,
}
use Outcome::{Passes, Refused};

impl Who {
    /// Whether role, scope and binding grant a capability of the instance.
    fn holds_in_instance(&self, capability: &str) -> bool {
        self.bound.is_none() && self.role_and_scope_grant(capability)
    }

    fn role_and_scope_grant(&self, capability: &str) -> bool {
        let (_, least, scope) =
            CAPABILITIES.iter().find(|(name, ..)| *name == capability).expect("a capability of the table");
        let least = ROLES.iter().position(|role| role == least);
        self.role >= least && self.scopes.as_ref().is_none_or(|scopes| scopes.contains(scope))
    }

    /// What a call about the app `garden` or the user `target` shall come to.
    fn expected(&self, needs: Needs, target: &str) -> Outcome {
        if needs == Nothing {
            return Passes;
        }
        if self.role.is_none() {
            return Refused(401);
        }
        let passes_if = |yes: bool| if yes { Passes } else { Refused(403) };
        match needs {
            Nothing | Anybody => Passes,
            Login => passes_if(self.scopes.is_none()),
            Instance(capability) => passes_if(self.holds_in_instance(capability)),
            Account if self.id == target && self.scopes.is_none() => Passes,
            Account => passes_if(self.holds_in_instance("InstanceManageUsers")),
            App(_) if self.bound == Some("elsewhere") || self.role == Some(0) => Refused(404),
            App(capability) => passes_if(self.role_and_scope_grant(capability)),
        }
    }
}

/// The path of a call, about `user`. No call takes this parameter, so that
/// one that passes all checks of access is refused by the next: nothing is changed.
fn path(call: &Call, ids: &BTreeMap<&'static str, String>, user: &str) -> String {
    let param = |part: &str| match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
        Some("user") => user.to_owned(),
        Some(name) => ids.get(name).unwrap_or_else(|| panic!("nothing stands for {{{name}}}")).clone(),
        None => part.to_owned(),
    };
    let parts: Vec<String> = call.path.split('/').map(param).collect();
    format!("{}?no_such_parameter=1", parts.join("/"))
}

fn outcome(answer: &Answer) -> Outcome {
    match answer.status {
        status @ (401 | 403 | 404 | 405 | 500..) => Refused(status),
        _ => Passes,
    }
}

pub fn needs_of(call: &Call) -> Needs {
    let name = call.name();
    let found = CALLS.iter().find(|(listed, _)| *listed == name);
    found.unwrap_or_else(|| panic!("say in the table what {name} needs")).1
}

#[tokio::test]
async fn every_call_does_for_every_caller_what_the_table_says() {
    let site = site().await;
    let document = document(&site.test).await;
    let calls = calls(&document);
    let mut wrong = Vec::new();
    for call in &calls {
        let needs = needs_of(call);
        for who in &site.people {
            let grace = &site.ids["user"];
            let targets = if needs == Account { vec![grace, &who.id] } else { vec![grace] };
            for target in targets.into_iter().filter(|id| !id.is_empty()) {
                let path = path(call, &site.ids, target);
                let answer = who.person.call(&call.method, &path).await;
                let (is, ought) = (outcome(&answer), who.expected(needs, target));
                if is != ought {
                    wrong.push(format!(
                        "{} {path} as {}: {ought:?} was expected: {answer:?}",
                        call.method, who.name
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of them: {wrong:#?}", wrong.len());
    let unchanged = site.test.nobody().get("/~garden/run").await;
    assert_eq!(unchanged.status, 200, "the calls were not to change anything");
}

#[tokio::test]
async fn only_owners_touch_owners() {
    let site = site().await;
    let document = document(&site.test).await;
    for call in calls(&document).iter().filter(|call| call.path.contains("/users/{user}")) {
        let reads = call.method == "GET";
        for who in site.people.iter().filter(|who| who.id != site.ids["owner"]) {
            let answer = who.person.call(&call.method, &path(call, &site.ids, &site.ids["owner"])).await;
            let ought = match who.expected(Instance("InstanceManageUsers"), "") {
                Passes if !reads => Refused(403),
                ought => ought,
            };
            assert_eq!(outcome(&answer), ought, "{} as {}: {answer:?}", call.name(), who.name);
        }
    }
}

#[tokio::test]
async fn the_document_says_what_each_call_needs() {
    let test = TestApp::start().await;
    for call in calls(&document(&test).await) {
        let description = call.operation["description"].as_str().unwrap_or_default().to_owned();
        let words = match needs_of(&call) {
            Nothing | Anybody => continue,
            Login => "Needs a session".to_owned(),
            Account => "For oneself a session will do. Needs the capability InstanceManageUsers".to_owned(),
            Instance(capability) | App(capability) => {
                let (_, _, scope) =
                    CAPABILITIES.iter().find(|(name, ..)| *name == capability).expect("of the table");
                format!("Needs the capability {capability}; an API key needs the scope `{scope}`.")
            }
        };
        assert!(description.contains(&words), "{}: {description:?}", call.name());
    }
}

/// The slugs of the apps somebody is shown.
async fn apps(who: &Person) -> Vec<String> {
    let answer = who.get("/api/v1/admin/apps").await;
    let items = answer.json["items"].as_array().expect("items");
    items.iter().map(|app| app["slug"].as_str().expect("a slug").to_owned()).collect()
}

#[tokio::test]
async fn everybody_is_shown_the_apps_they_may_read() {
    let site = site().await;
    for who in site.people.iter().filter(|who| who.role.is_some()) {
        let mut expected = vec!["default", "elsewhere", "garden"];
        expected.retain(|app| match *app {
            // Those who run the instance are members of nothing and read everything.
            "default" => who.role >= Some(4),
            "garden" => who.role > Some(0),
            _ => true,
        });
        expected.retain(|app| who.bound.is_none_or(|bound| bound == *app));
        if who.scopes.as_ref().is_some_and(|scopes| !scopes.contains(&"script:read")) {
            expected.clear();
        }
        let mut shown = apps(&who.person).await;
        shown.sort_unstable();
        assert_eq!(shown, expected, "{}", who.name);
    }
}

#[tokio::test]
async fn one_is_told_who_one_is() {
    let site = site().await;
    for who in site.people.iter().filter(|who| who.role.is_some()) {
        let me = who.person.get("/api/v1/auth/me").await;
        assert_eq!((me.status, me.json["user"]["id"].as_str()), (200, Some(who.id.as_str())));
        let by = if who.scopes.is_some() { "api_key" } else { "session" };
        assert_eq!(me.json["authenticated_by"], by, "{}", who.name);
        let scopes = me.json.get("scopes").and_then(Value::as_array);
        let scopes: Option<BTreeSet<_>> =
            scopes.map(|all| all.iter().filter_map(|scope| scope.as_str().map(str::to_owned)).collect());
        let expected: Option<BTreeSet<_>> =
            who.scopes.as_ref().map(|all| all.iter().map(|scope| (*scope).to_owned()).collect());
        assert_eq!(scopes, expected, "{}", who.name);
        let memberships = me.json["memberships"].as_array().expect("a list");
        let of: Vec<_> = memberships.iter().map(|one| (one["slug"].as_str(), one["role"].as_str())).collect();
        let role = who.role.map(|role| ROLES[role]);
        let mut expected = vec![(Some("elsewhere"), Some("app_admin")), (Some("garden"), role)];
        expected.retain(|(app, _)| match app {
            Some("garden") => ["viewer", "editor", "app_admin"].map(Some).contains(&role),
            _ => role != Some("owner"),
        });
        expected.retain(|(app, _)| who.bound.is_none() || *app == who.bound);
        assert_eq!(of, expected, "{}", who.name);
    }
}
