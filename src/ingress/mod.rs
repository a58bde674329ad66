//! Floor 8: user routes: a front door that turns a request into a run of a
//! script, and its outcome into a response.
//!
//! The checks come in this order, so that every answer is the same for
//! everyone: the path (400), the route (404, 405), a bad credential of ours
//! (401), the body's size (413) and syntax (422), then quota, gate and database
//! (429, 503) and the run, or for an async route the row in the outbox.

mod borders;
mod queued;
mod reply;
mod request;
mod run;

pub use queued::Http as HttpSource;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::Request,
    response::{IntoResponse, Response},
};
use http::{Method, request::Parts};
use tower_http::{CompressionLevel, compression::CompressionLayer};

use crate::{
    access::Caller,
    base::{
        Error, Result,
        id::{ApiKeyId, ExecutionId},
        pattern::RequestPath,
    },
    events::Work,
    routing::{Answer, Entry, Match},
    store::{instance, route::DispatchMode},
    web::{State, layers::RequestId, script_request},
};
use borders::Borders;
use request::Arrived;
use run::Run;

/// Takes whatever no other door does.
pub fn router(state: &State) -> Router<State> {
    let door = Arc::new(Door { state: state.clone(), claimed: AtomicBool::new(false) });
    Router::new()
        .fallback(move |request: Request| async move { door.answer(request).await })
        // On a small machine the cheapest level already sends less than half.
        .layer(CompressionLayer::new().quality(CompressionLevel::Fastest))
}

/// How long the front page waits for the database to say whether the machine is claimed.
const PATIENCE: Duration = Duration::from_secs(1);

struct Door {
    state: State,
    /// Whether somebody owns the machine: asked until it is so, for it stays so.
    claimed: AtomicBool,
}

impl Door {
    async fn answer(&self, request: Request) -> Response {
        let (parts, body) = request.into_parts();
        let arrived = match Arrived::read(&parts, &self.state.own_names) {
            Ok(arrived) => arrived,
            Err(error) => return Borders::default().guard(error.into_response()),
        };
        let borders = Borders::new(self.state.routes.table().site(arrived.asked(&parts.method)), &parts);
        let answered = self.handle(&parts, body, (arrived, &borders)).await;
        borders.guard(answered.unwrap_or_else(IntoResponse::into_response))
    }

    async fn handle(
        &self,
        parts: &Parts,
        body: Body,
        (arrived, borders): (Arrived, &Borders),
    ) -> Result<Response> {
        let is_front_page = arrived.is_own
            && arrived.path.as_str() == "/"
            && (parts.method == Method::GET || parts.method == Method::HEAD);
        if is_front_page && !self.is_claimed().await {
            return Ok(reply::administration());
        }
        if borders.answer_options(parts) {
            let methods = self.state.routes.table().methods(arrived.asked(&parts.method));
            if !methods.is_empty() {
                return Ok(borders.options(parts, &methods));
            }
        }
        let answer = self.state.routes.table().look_up(arrived.asked(&parts.method));
        match answer {
            Answer::Route(found, path) => self.run(parts, body, (arrived, found, path)).await,
            Answer::MethodNotAllowed(allow) => {
                let allow = allow.into_iter().map(|method| method.as_str().to_owned()).collect();
                Err(Error::MethodNotAllowed { allow })
            }
            Answer::Renamed(slug) => Err(Error::Moved(request::with_slug(&parts.uri, &slug))),
            Answer::Nothing if is_front_page => Ok(reply::administration()),
            Answer::Nothing => Ok(reply::not_found(&parts.headers)),
        }
    }

    /// Whether somebody owns the machine; while nobody can tell, as if.
    async fn is_claimed(&self) -> bool {
        if self.claimed.load(Ordering::Relaxed) {
            return true;
        }
        let asked = tokio::time::timeout(PATIENCE, instance::is_claimed(&self.state.db)).await;
        let known = asked.ok().and_then(Result::ok);
        self.claimed.fetch_or(known == Some(true), Ordering::Relaxed);
        known.unwrap_or(true)
    }

    /// Runs the script of a route for a request.
    async fn run(
        &self,
        parts: &Parts,
        body: Body,
        (arrived, found, path): (Arrived, Match, RequestPath),
    ) -> Result<Response> {
        let state = &self.state;
        let caller = request::caller(state, &parts.headers, found.entry.app_id).await?;
        let body = request::body(&state.config.http, &parts.headers, body).await?;
        let entry = Arc::clone(&found.entry);
        let execution_id = ExecutionId::new();
        let request_id = parts.extensions.get::<RequestId>().map(RequestId::as_str);
        let run = Run {
            execution_id,
            root_execution_id: execution_id,
            request_id: request_id.unwrap_or_default().to_owned(),
            attempt: 1,
            trigger_depth: 0,
            request: request::seen(parts, arrived, (found, path), body)?,
            principal: caller.as_ref().map(script_request::principal),
        };
        let work = run.of(&entry, &state.bounds);
        if entry.dispatch_mode == DispatchMode::Async {
            let key = caller.as_ref().and_then(Caller::key).map(|key| key.id);
            return self.accept(work, &entry, key).await;
        }
        let ran = state.dispatcher.run(work).await;
        let failed = ran.as_ref().is_ok_and(|outcome| outcome.result.is_err());
        let shows_errors = match &caller {
            // Whoever cannot be looked up now learns what the public does.
            Some(caller) if failed => request::may_read(state, caller, entry.app_id).await.unwrap_or(false),
            _ => false,
        };
        Ok(reply::Reply { execution_id, shows_errors }.to(ran))
    }

    /// Answers once the run of an async route is sure to happen.
    async fn accept(&self, work: Work, entry: &Entry, key: Option<ApiKeyId>) -> Result<Response> {
        let state = &self.state;
        state.disk.check()?;
        let row = queued::row(&work.invocation, (entry.id, key), &state.config.dispatch)?;
        let execution_id = work.invocation.execution_id;
        state.acceptor.accept(row, work).await?;
        Ok(reply::accepted(execution_id))
    }
}
