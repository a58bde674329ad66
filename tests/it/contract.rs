//! The OpenAPI document against the contract: what it lists, and that what it lists is served.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::{
    matrix::{CALLS, Needs},
    support::app::TestApp,
};

/// Whether a call needs no credentials. The metrics are text for machines, and the document does not list itself.
fn is_open(call: &Call) -> bool {
    CALLS.contains(&(call.name().as_str(), Needs::Nothing))
}

/// The methods an operation of the document can stand under.
const METHODS: &[&str] = &["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// A call of the document.
pub struct Call {
    pub method: String,
    pub path: String,
    /// The operation, with the parameters its whole path has among its own.
    pub operation: Value,
}

impl Call {
    /// Such as `GET /api/v1/admin/apps/{}`: what a parameter is called binds nobody.
    pub fn name(&self) -> String {
        let parts: Vec<_> =
            self.path.split('/').map(|part| if part.starts_with('{') { "{}" } else { part }).collect();
        format!("{} {}", self.method, parts.join("/"))
    }
}

/// The calls of the document.
pub fn calls(document: &Value) -> Vec<Call> {
    let paths = document["paths"].as_object().expect("paths");
    let mut calls = Vec::new();
    for (path, item) in paths {
        let shared = item["parameters"].as_array().cloned().unwrap_or_default();
        for method in METHODS.iter().filter(|method| item.get(**method).is_some()) {
            let mut operation = item[*method].clone();
            let own = operation["parameters"].as_array().cloned().unwrap_or_default();
            operation["parameters"] = [shared.clone(), own].concat().into();
            calls.push(Call { method: method.to_uppercase(), path: path.clone(), operation });
        }
    }
    calls
}

/// The document as it is served.
pub async fn document(app: &TestApp) -> Value {
    let answer = app.nobody().get("/api/v1/openapi.json").await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"));
    answer.json
}

#[tokio::test]
async fn the_document_is_openapi_3_1_and_whole() {
    let app = TestApp::start().await;
    let document = document(&app).await;
    let version = document["openapi"].as_str().expect("a version");
    assert!(version.starts_with("3.1."), "{version}");
    assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
    let text = document.to_string();
    let references: BTreeSet<&str> =
        text.split("\"$ref\":\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(!references.is_empty());
    for reference in references {
        let pointer = reference.strip_prefix('#').expect("a place in the document itself");
        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
}

#[tokio::test]
async fn the_document_lists_the_calls_of_the_contract_and_no_other() {
    let app = TestApp::start().await;
    let document = document(&app).await;
    let listed: BTreeSet<String> = calls(&document).iter().map(Call::name).collect();
    let contract: BTreeSet<String> = CALLS.iter().map(|(call, _)| (*call).to_owned()).collect();
    let missing: Vec<_> = contract.difference(&listed).collect();
    let extra: Vec<_> = listed.difference(&contract).collect();
    assert!(missing.is_empty() && extra.is_empty(), "missing: {missing:#?}, extra: {extra:#?}");
}

#[tokio::test]
async fn every_call_is_described() {
    let app = TestApp::start().await;
    let document = document(&app).await;
    let mut named = BTreeMap::new();
    for call in calls(&document) {
        let (name, operation) = (call.name(), &call.operation);
        let id = operation["operationId"].as_str().unwrap_or_default().to_owned();
        assert!(!id.is_empty(), "{name} has no operationId");
        if let Some(other) = named.insert(id, name.clone()) {
            panic!("{name} and {other} have the same operationId");
        }
        assert!(operation["summary"].as_str().is_some_and(|words| !words.is_empty()), "{name}: no summary");
        let tags: Vec<_> =
            document["tags"].as_array().expect("tags").iter().map(|tag| &tag["name"]).collect();
        assert!(
            operation["tags"].as_array().is_some_and(|own| own.iter().all(|tag| tags.contains(&tag))),
            "{name}"
        );
        let problem = &operation["responses"]["default"]["content"];
        let media: Vec<_> =
            problem.as_object().into_iter().flatten().map(|(media, _)| media.as_str()).collect();
        assert_eq!(media, ["application/problem+json"], "{name}");

        let security = operation.get("security").cloned().unwrap_or_else(|| json!([]));
        let ways = if is_open(&call) { json!([]) } else { json!([{"session": []}, {"bearer": []}]) };
        assert_eq!(security, ways, "{name}");
    }
    for scheme in ["session", "bearer"] {
        assert!(document["components"]["securitySchemes"][scheme].is_object(), "{scheme}");
    }
}

#[tokio::test]
async fn the_parameters_of_every_path_are_described() {
    let app = TestApp::start().await;
    for call in calls(&document(&app).await) {
        let in_path: BTreeSet<&str> =
            call.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).collect();
        let parameters = call.operation["parameters"].as_array().expect("a list");
        let described: Vec<_> = parameters.iter().filter(|parameter| parameter["in"] == "path").collect();
        for parameter in &described {
            assert_eq!(parameter["required"], true, "{}: {parameter}", call.name());
            assert!(parameter["schema"].is_object(), "{}: {parameter}", call.name());
        }
        let names: BTreeSet<&str> =
            described.iter().filter_map(|parameter| parameter["name"].as_str()).collect();
        assert_eq!((&names, described.len()), (&in_path, in_path.len()), "{}", call.name());
    }
}

#[tokio::test]
async fn every_call_is_served_and_asks_for_credentials_before_anything_else() {
    let app = TestApp::start().await;
    app.owner().await;
    for call in calls(&document(&app).await) {
        if is_open(&call) {
            let answer = app.nobody().call(&call.method, &call.path).await;
            assert!(![401, 403, 404, 405].contains(&answer.status), "{}: {answer:?}", call.name());
            continue;
        }
        let parts: Vec<_> =
            call.path.split('/').map(|part| if part.starts_with('{') { "nobodys" } else { part }).collect();
        let path = parts.join("/");
        for who in
            [app.nobody(), app.nobody().with_token("pics_nobody"), app.nobody().with_token("pic_abcdefgh_x")]
        {
            let answer = who.call(&call.method, &path).await;
            answer.problem(401);
            assert!(answer.header("www-authenticate").starts_with("Bearer"), "{}", call.name());
        }
    }
}
