//! The live tail as server-sent events.
//!
//! A notice of the recorder says that an app has something new; what it is is
//! read from the log, from the place the reader has reached. So a reader who is
//! slow, or comes back with `Last-Event-ID`, misses nothing that a page shows.

use std::{collections::VecDeque, convert::Infallible, sync::Arc, time::Duration};

use aide::NoApi;
use axum::{
    extract::State as AxumState,
    response::{
        IntoResponse as _, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures_util::{Stream, stream};
use http::HeaderMap;
use tokio::{
    sync::broadcast::{Receiver, error::RecvError},
    time::{Interval, MissedTickBehavior, interval},
};

use crate::{
    access::{Caller, Capability, capability::needs::AppLogRead},
    base::{Error, Result, id::AppId},
    events::Written,
    store::execution,
    web::{InApp, Query, State, caller},
};

/// How many attempts are sent at a time; of more, the newest.
const BURST: u32 = 200;
/// How often a quiet stream looks whether its reader may still read.
const LOOK: Duration = Duration::from_secs(10);
/// How often a quiet stream sends a comment, so that proxies leave it open.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// It takes no parameters.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

/// How many attempts are not among those sent.
#[derive(serde::Serialize)]
struct Stats {
    /// In the log, but too many at a time to be sent.
    skipped: i64,
    /// Successes over the app's log budget: only counted.
    not_stored: u64,
}

pub(super) async fn stream(
    AxumState(state): AxumState<State>,
    on: InApp<AppLogRead>,
    Query(Nothing {}): Query<Nothing>,
    NoApi(headers): NoApi<HeaderMap>,
) -> Result<NoApi<Response>> {
    let mut look = interval(LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // The notices first, then the place: what comes between is seen twice, not never.
    let notices = state.recorder.live();
    state.recorder.flush().await;
    let resumed = last_event_id(&headers)?;
    let reached = match resumed {
        Some(seq) => seq,
        None => execution::newest_seq(&state.db, on.app.id).await?,
    };
    let mut tail = Tail {
        app: on.app.id,
        caller: on.caller,
        reached,
        notices,
        look,
        not_stored: 0,
        waiting: VecDeque::new(),
        state,
    };
    if resumed.is_some() {
        tail.read().await?;
    }
    let events = Sse::new(events(tail)).keep_alive(KeepAlive::new().interval(KEEP_ALIVE));
    Ok(NoApi(events.into_response()))
}

fn last_event_id(headers: &HeaderMap) -> Result<Option<i64>> {
    let Some(id) = headers.get("last-event-id") else { return Ok(None) };
    let seq = id.to_str().ok().and_then(|id| id.parse().ok());
    match seq {
        Some(seq) => Ok(Some(seq)),
        None => Err(Error::invalid("Last-Event-ID", "is not an id this stream gave")),
    }
}

/// What one reader has reached.
struct Tail {
    state: State,
    app: AppId,
    caller: Caller,
    /// The place in the log up to which everything was sent.
    reached: i64,
    notices: Receiver<Arc<Written>>,
    look: Interval,
    not_stored: u64,
    waiting: VecDeque<Event>,
}

fn events(tail: Tail) -> impl Stream<Item = Result<Event, Infallible>> {
    stream::unfold(tail, |mut tail| async move {
        loop {
            if let Some(event) = tail.waiting.pop_front() {
                return Some((Ok(event), tail));
            }
            if !tail.wait().await {
                return None;
            }
        }
    })
}

impl Tail {
    /// Waits until there may be something to send; false when the stream is over.
    async fn wait(&mut self) -> bool {
        tokio::select! {
            () = self.state.stopping.cancelled() => return false,
            notice = self.notices.recv() => match notice {
                Ok(written) => match written.apps.get(&self.app) {
                    Some(not_stored) => self.not_stored += not_stored,
                    None => return true,
                },
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return false,
            },
            _ = self.look.tick() => {}
        }
        // While the database is away nothing can be read, and the stream waits for it to come back.
        self.catch_up().await.unwrap_or_else(|error| error.is_unavailable())
    }

    /// Lines up what came since; false when the reader may read it no more.
    async fn catch_up(&mut self) -> Result<bool> {
        let now = caller::again(&self.state, &self.caller, self.app).await?;
        let may = now.is_some_and(|caller| caller.may(Capability::AppLogRead));
        if may {
            self.read().await?;
        }
        Ok(may)
    }

    /// Reads what came since, and lines it up to be sent.
    async fn read(&mut self) -> Result<()> {
        let rows = execution::tail(&self.state.db, self.app, self.reached, BURST).await?;
        let mut skipped = 0;
        if let (Some(first), true) = (rows.first(), rows.len() >= BURST as usize) {
            skipped = execution::count_between(&self.state.db, self.app, self.reached, first.seq).await?;
        }
        let stats = Stats { skipped, not_stored: std::mem::take(&mut self.not_stored) };
        if stats.skipped > 0 || stats.not_stored > 0 {
            self.waiting.push_back(event("stats", &stats)?);
        }
        for attempt in &rows {
            self.waiting.push_back(event("execution", attempt)?.id(attempt.seq.to_string()));
            self.reached = attempt.seq;
        }
        Ok(())
    }
}

fn event(name: &str, data: &impl serde::Serialize) -> Result<Event> {
    let event = Event::default().event(name).json_data(data);
    event.map_err(|e| Error::internal_from("an event could not be written as JSON", e))
}
