//! Running a script directly: the saved one, or a draft from the editor.

use std::{collections::BTreeMap, sync::Arc};

use aide::axum::{ApiRouter, routing::post_with};
use axum::{
    Json,
    extract::{FromRequest, Request, State as AxumState},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderValue, request::Parts};
use serde_json::{Value, value::RawValue};

use crate::{
    access::capability::needs::AppWriteScript,
    admin::execute::{self, Asked},
    base::{Error, Result, id::ExecutionId, name::Source},
    engine::{self, BodyKind, Outcome},
    events::{What, settle},
    store::{
        app,
        execution::{AttemptError, LogLine},
        script::Script,
    },
    web::{
        Client, OnScript, State, WithHeader, body,
        layers::{self, RequestId},
        origin, script_request,
    },
};

/// The calls of this noun.
pub(super) fn routes() -> ApiRouter<State> {
    ApiRouter::new().api_route(
        "/execute/{script}",
        post_with(execute, |op| {
            op.id("execute").tag("scripts").summary("Run a script").description(
                "Runs the saved script with the body as its request; with `?source=draft` the text given as \
                 `{\"source\", \"request\"?}`. Answers 200 whatever the script did: `status` says it.",
            )
        }),
    )
}

/// What a run came to.
#[derive(serde::Serialize, schemars::JsonSchema)]
struct Executed {
    /// The status a caller of a route would have got.
    status: u16,
    headers: BTreeMap<String, OneOrMany>,
    /// The JSON value, the text, `{"base64": "..."}` for other bytes, or null.
    body: Option<Value>,
    logs: Vec<LogLine>,
    duration_ms: f64,
    operations: u64,
    execution_id: ExecutionId,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<AttemptError>,
}

/// A header's value, or its values if it is sent more than once.
#[derive(serde::Serialize, schemars::JsonSchema)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

/// A text to run unsaved, and the request it gets.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Draft {
    source: Source,
    #[serde(default)]
    request: DraftRequest,
}

/// The request of a draft; what is left out is a plain `POST /`.
#[derive(Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct DraftRequest {
    method: Option<String>,
    path: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    query: BTreeMap<String, Texts>,
    #[serde(default)]
    params: BTreeMap<String, String>,
    body: Option<Box<RawValue>>,
}

/// One text or several under the same key.
#[derive(serde::Deserialize)]
#[serde(untagged)]
enum Texts {
    One(String),
    Many(Vec<String>),
}

async fn execute(
    AxumState(state): AxumState<State>,
    on: OnScript<AppWriteScript>,
    client: Client,
    request: RunRequest,
) -> Result<WithHeader<Json<Executed>>> {
    let RunRequest(parts, bytes) = request;
    let asked = asked(&parts, bytes, &on.script, &client).await?;
    let app = app::by_id(&state.db, on.script.app_id).await?;
    let app = app.ok_or_else(|| Error::NotFound("app".to_owned()))?;
    let (execution_id, outcome) = execute::run(&state, (&app, &on.script), &on.caller, asked).await?;
    let id = HeaderValue::try_from(execution_id.to_string());
    let id = id.map_err(|e| Error::internal_from("an id is no header", e))?;
    Ok(WithHeader(layers::EXECUTION_ID, id, Json(executed(execution_id, &outcome))))
}

/// Whether the text to run comes with the request.
fn is_draft(parts: &Parts) -> bool {
    let query = parts.uri.query().unwrap_or_default();
    form_urlencoded::parse(query.as_bytes()).any(|(name, value)| name == "source" && value == "draft")
}

/// The whole request: its head, for what the script sees, and its body.
struct RunRequest(Parts, Bytes);

impl FromRequest<State> for RunRequest {
    type Rejection = Error;

    async fn from_request(request: Request, state: &State) -> Result<Self> {
        let (parts, body) = request.into_parts();
        if is_draft(&parts) {
            body::require_json(&parts.headers)?;
        }
        let http = &state.config.http;
        let bytes = body::read(body, http.body_limit, http.request_timeout).await?;
        Ok(Self(parts, bytes))
    }
}

impl aide::OperationInput for RunRequest {}

/// Reads what was asked: `?source=draft` or the saved script with this very request.
async fn asked(parts: &Parts, bytes: Bytes, script: &Script, client: &Client) -> Result<Asked> {
    let (sources, query): (Vec<_>, Vec<_>) =
        script_request::query(parts.uri.query())?.into_iter().partition(|(name, _)| name == "source");
    let request_id = parts.extensions.get::<RequestId>().map(|id| id.as_str().to_owned()).unwrap_or_default();
    let host = origin::host_of(&parts.headers, &parts.uri);
    let remote_addr = client.address.to_string();
    let (what, version, mut request) = match sources.first().map(|(_, value)| value.as_str()) {
        Some("draft") => draft(&bytes).await?,
        Some(_) => return Err(Error::invalid("source", "must be draft, or left out for the saved script")),
        None => (
            What::Version(script.id, script.version),
            Some(script.version),
            saved(parts, bytes, query).await?,
        ),
    };
    (request.host, request.remote_addr) = (host, remote_addr);
    Ok(Asked { what, version, request, request_id })
}

/// The request of a saved script: this one, as far as the script may see it.
async fn saved(parts: &Parts, bytes: Bytes, query: Vec<(String, String)>) -> Result<engine::Request> {
    let content_type = parts.headers.get(http::header::CONTENT_TYPE).and_then(|v| v.to_str().ok());
    Ok(engine::Request {
        method: parts.method.to_string(),
        path: "/".to_owned(),
        headers: script_request::headers(&parts.headers),
        query,
        body: decode(content_type, bytes).await?,
        ..engine::Request::default()
    })
}

/// The text and the request of a draft.
async fn draft(bytes: &[u8]) -> Result<(What, Option<i32>, engine::Request)> {
    let Draft { source, request: asked } = body::parse(bytes)?;
    let mut headers: BTreeMap<String, String> =
        asked.headers.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect();
    let raw = match &asked.body {
        None => Bytes::new(),
        Some(json) => {
            let typed =
                headers.entry("content-type".to_owned()).or_insert_with(|| "application/json".to_owned());
            raw_body(typed, json)?
        }
    };
    let content_type = headers.get("content-type").cloned();
    let many = |(name, texts): (String, Texts)| match texts {
        Texts::One(text) => vec![(name, text)],
        Texts::Many(texts) => texts.into_iter().map(|text| (name.clone(), text)).collect(),
    };
    let request = engine::Request {
        method: asked.method.unwrap_or_else(|| "POST".to_owned()).to_ascii_uppercase(),
        path: asked.path.unwrap_or_else(|| "/".to_owned()),
        headers: headers.into_iter().collect(),
        query: asked.query.into_iter().flat_map(many).collect(),
        params: asked.params.into_iter().map(|(name, value)| (name, Some(value))).collect(),
        body: decode(content_type.as_deref(), raw).await?,
        ..engine::Request::default()
    };
    Ok((What::Draft(Arc::from(String::from(source))), None, request))
}

/// The bytes of a draft's body: JSON as it came, or a text for any other content type.
fn raw_body(content_type: &str, json: &RawValue) -> Result<Bytes> {
    if content_type.contains("json") {
        return Ok(Bytes::copy_from_slice(json.get().as_bytes()));
    }
    let text: String = serde_json::from_str(json.get()).map_err(|_| {
        Error::invalid("request.body", format!("must be a string for the content type {content_type}"))
    })?;
    Ok(text.into())
}

async fn decode(content_type: Option<&str>, raw: Bytes) -> Result<engine::Body> {
    engine::body::decode_request(content_type, raw).await.map_err(|why| Error::invalid("body", why))
}

fn executed(execution_id: ExecutionId, outcome: &Outcome) -> Executed {
    let response = settle::answer(outcome).ok();
    let mut headers: BTreeMap<String, OneOrMany> = BTreeMap::new();
    for (name, value) in response.map(|r| r.headers.as_slice()).unwrap_or_default() {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        let all = match headers.remove(name.as_str()) {
            None => OneOrMany::One(value),
            Some(OneOrMany::One(first)) => OneOrMany::Many(vec![first, value]),
            Some(OneOrMany::Many(mut all)) => {
                all.push(value);
                OneOrMany::Many(all)
            }
        };
        headers.insert(name.as_str().to_owned(), all);
    }
    Executed {
        status: settle::status(outcome),
        headers,
        body: response.and_then(shown),
        logs: outcome.logs.iter().map(settle::log_line).collect(),
        duration_ms: outcome.duration.as_secs_f64() * 1000.0,
        operations: outcome.operations,
        execution_id,
        error: settle::answer(outcome).err().map(settle::error),
    }
}

/// A body as JSON can show it.
fn shown(response: &engine::Response) -> Option<Value> {
    let bytes = &response.body;
    match response.body_kind {
        BodyKind::Empty => None,
        BodyKind::Json => serde_json::from_slice(bytes).ok(),
        BodyKind::Text => Some(Value::from(String::from_utf8_lossy(bytes))),
        BodyKind::Blob => Some(serde_json::json!({ "base64": STANDARD.encode(bytes) })),
    }
}
