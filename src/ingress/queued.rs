//! Requests that are answered before they are done: what is kept of one in the
//! outbox, and how it becomes a run again.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use sqlx::PgPool;

use super::run::Run;
use crate::{
    base::{
        Error, Result,
        id::{ApiKeyId, EventId, OutboxId, RouteId},
    },
    config::Dispatch,
    engine::{self, Bounds, Invocation, Kind, Principal, Request},
    events::{Planned, Refusal, SourceKind, Work},
    routing::{Entry, Routes},
    store::{
        api_key,
        outbox::{Claimed, NewRow, RetryPolicy},
        route,
    },
};

/// A request as a row keeps it; its body stands beside.
#[derive(Serialize, Deserialize)]
struct Payload {
    request_id: String,
    method: String,
    path: String,
    host: String,
    headers: Vec<(String, String)>,
    query: Vec<(String, String)>,
    params: Vec<(String, Option<String>)>,
    rest: Option<String>,
    remote_addr: String,
    /// The API key it came with: taken away, it takes its runs along.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<ApiKeyId>,
}

/// The row of a run that is to be made for a request.
pub(super) fn row(
    invocation: &Invocation,
    (route, key): (RouteId, Option<ApiKeyId>),
    dispatch: &Dispatch,
) -> Result<NewRow> {
    let request = &invocation.request;
    let payload = Payload {
        request_id: invocation.request_id.clone(),
        method: request.method.clone(),
        path: request.path.clone(),
        host: request.host.clone(),
        headers: request.headers.clone(),
        query: request.query.clone(),
        params: request.params.clone(),
        rest: request.rest.clone(),
        remote_addr: request.remote_addr.clone(),
        key,
    };
    let payload = serde_json::to_string(&payload)
        .map_err(|error| Error::internal_from("writing a request down", error))?;
    let body = &request.body.raw;
    Ok(NewRow {
        id: OutboxId::new(),
        event_id: EventId::new(),
        app_id: invocation.app.id,
        source_kind: Kind::Http.name(),
        op: request.method.clone().into(),
        cause: Some(route.into()),
        script_id: invocation.script.id,
        payload,
        body: (!body.is_empty()).then(|| body.clone()),
        principal: invocation.principal.as_ref().map(|principal| principal.id),
        trigger_depth: 0,
        root_execution_id: invocation.root_execution_id,
        execution_id: invocation.execution_id,
        policy: RetryPolicy {
            max_attempts: i32::try_from(dispatch.retry_max_attempts).unwrap_or(i32::MAX),
            backoff: dispatch.retry_backoff,
            base_ms: i32::try_from(dispatch.retry_base.as_millis()).unwrap_or(i32::MAX),
        },
    })
}

/// Rows of requests to async routes.
pub struct Http {
    /// Which routes there are now.
    pub routes: Arc<Routes>,
    /// Where they are stored: the table follows other nodes a moment later.
    pub db: PgPool,
    /// What a run may use.
    pub bounds: Bounds,
}

impl SourceKind for Http {
    fn name(&self) -> &'static str {
        Kind::Http.name()
    }

    fn plan<'r>(&'r self, row: &'r Claimed) -> BoxFuture<'r, Planned> {
        Box::pin(async move {
            match self.work(row).await {
                Ok(Ok(work)) => Planned::Run(Box::new(work)),
                Ok(Err(refusal)) => Planned::Refused(refusal),
                Err(error) => Planned::Unknown(error),
            }
        })
    }
}

impl Http {
    async fn work(&self, row: &Claimed) -> Result<Result<Work, Refusal>> {
        match self.entry(row).await? {
            Some(entry) => self.run_of(row, &entry).await,
            None => Ok(Err(Refusal::gone("the route, its script or its app is gone or disabled"))),
        }
    }

    /// The route as it is now, if it is in service.
    async fn entry(&self, row: &Claimed) -> Result<Option<Arc<Entry>>> {
        let Some(id) = row.cause.map(RouteId::from) else { return Ok(None) };
        let in_service = || {
            let table = self.routes.table();
            table.route(id).filter(|entry| entry.app_id == row.app_id).map(Arc::clone)
        };
        if let Some(entry) = in_service() {
            return Ok(Some(entry));
        }
        if !route::get(&self.db, id).await?.is_some_and(|route| route.enabled) {
            return Ok(None);
        }
        self.routes.reload(&self.db).await?;
        Ok(in_service())
    }

    async fn run_of(&self, row: &Claimed, entry: &Entry) -> Result<Result<Work, Refusal>> {
        let payload: Payload = match serde_json::from_str(&row.payload) {
            Ok(payload) => payload,
            Err(error) => {
                return Ok(Err(Refusal::unreadable(format!("the request cannot be read: {error}"))));
            }
        };
        if let Some(key) = payload.key {
            if api_key::user_of(&self.db, key).await?.is_none() {
                let why = "the API key it was asked for with is gone, has expired, or its owner is disabled";
                return Ok(Err(Refusal::forbidden(why)));
            }
        }
        Ok(self.work_of(row, entry, payload).await)
    }

    async fn work_of(&self, row: &Claimed, entry: &Entry, payload: Payload) -> Result<Work, Refusal> {
        let principal = principal(row)?;
        let content_type = payload.headers.iter().find(|(name, _)| name == "content-type");
        let content_type = content_type.map(|(_, value)| value.clone());
        let raw = row.body.clone().unwrap_or_default().into();
        let body = engine::body::decode_request(content_type.as_deref(), raw).await;
        let body = body.map_err(|why| Refusal::unreadable(format!("the body cannot be read: {why}")))?;
        let unsigned = |number: i32| u32::try_from(number).unwrap_or_default();
        let run = Run {
            execution_id: row.execution_id,
            root_execution_id: row.root_execution_id,
            request_id: payload.request_id,
            attempt: unsigned(row.attempt),
            trigger_depth: unsigned(row.trigger_depth),
            request: Request {
                method: payload.method,
                path: payload.path,
                host: payload.host,
                headers: payload.headers,
                query: payload.query,
                params: payload.params,
                rest: payload.rest,
                body,
                remote_addr: payload.remote_addr,
            },
            principal,
        };
        Ok(run.of(entry, &self.bounds))
    }
}

/// On whose behalf it runs, if that is still so.
fn principal(row: &Claimed) -> Result<Option<Principal>, Refusal> {
    let Some(origin) = &row.principal else { return Ok(None) };
    match &origin.user {
        Some(user) if user.active => Ok(Some(Principal {
            id: origin.id,
            username: user.username.clone(),
            role: Some(user.role.clone()),
        })),
        Some(_) => Err(Refusal::forbidden("the user on whose behalf it was to run is disabled")),
        None => Err(Refusal::forbidden("the user on whose behalf it was to run is gone")),
    }
}
