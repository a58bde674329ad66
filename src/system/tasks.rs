//! Named background tasks: each has an owner that waits for it, a stop signal,
//! and a stated meaning of its failure.

use std::{
    collections::BTreeMap,
    fmt::Debug,
    future::Future,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures_util::FutureExt;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// What it means that a task ended with an error or a panic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFailure {
    /// The others can go on without it: the log says that it is gone.
    Log,
    /// The process is of no use without it: everything stops.
    Shutdown,
}

/// The background tasks of the process; clones share them.
#[derive(Clone, Default)]
pub struct Tasks {
    tracker: TaskTracker,
    token: CancellationToken,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// How many tasks of each name run.
    running: BTreeMap<&'static str, usize>,
    /// The first task whose failure stopped the process.
    failed: Option<&'static str>,
}

impl Tasks {
    /// Makes an empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Runs `task` until it ends. It is expected to end soon after [`Self::token`] is cancelled.
    pub fn spawn<E: Debug + Send>(
        &self,
        name: &'static str,
        on_failure: OnFailure,
        task: impl Future<Output = Result<(), E>> + Send + 'static,
    ) {
        *self.lock().running.entry(name).or_default() += 1;
        let tasks = self.clone();
        self.tracker.spawn(async move {
            let end = AssertUnwindSafe(task).catch_unwind().await;
            let failed = match end {
                Ok(Ok(())) => false,
                Ok(Err(error)) => {
                    tracing::error!(task = name, ?error, "a background task failed");
                    true
                }
                Err(_) => {
                    tracing::error!(task = name, "a background task panicked");
                    true
                }
            };
            tasks.ended(name, failed && on_failure == OnFailure::Shutdown);
        });
    }

    /// The signal to stop: cancelled by [`Self::stop`] and by the failure of a task that matters.
    pub fn token(&self) -> CancellationToken {
        self.token.clone()
    }

    /// The task whose failure stopped the others, if that is why they stop.
    pub fn failed(&self) -> Option<&'static str> {
        self.lock().failed
    }

    /// Tells all tasks to stop and waits for them; answers with the names of
    /// those that had not ended after `deadline`.
    pub async fn stop(&self, deadline: Duration) -> Vec<&'static str> {
        self.token.cancel();
        self.tracker.close();
        // Past the deadline the names tell which of them did not end.
        let _ = tokio::time::timeout(deadline, self.tracker.wait()).await;
        self.lock().running.keys().copied().collect()
    }

    fn ended(&self, name: &'static str, fatal: bool) {
        let mut state = self.lock();
        if let Some(count) = state.running.get_mut(name) {
            *count -= 1;
            if *count == 0 {
                state.running.remove(name);
            }
        }
        if fatal {
            state.failed.get_or_insert(name);
            self.token.cancel();
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_secs(10);

    #[tokio::test]
    async fn tasks_end_when_told_to() {
        let tasks = Tasks::new();
        let token = tasks.token();
        tasks.spawn("waiter", OnFailure::Log, async move {
            token.cancelled().await;
            Ok::<_, String>(())
        });
        assert_eq!(tasks.stop(SOON).await, Vec::<&str>::new());
        assert_eq!(tasks.failed(), None);
    }

    #[tokio::test]
    async fn the_failure_of_one_that_matters_stops_all() {
        let tasks = Tasks::new();
        tasks.spawn("heart", OnFailure::Shutdown, async { Err("stopped beating") });
        tokio::time::timeout(SOON, tasks.token().cancelled()).await.expect("cancelled by the failure");
        assert_eq!(tasks.failed(), Some("heart"));
    }

    #[tokio::test]
    async fn a_panic_is_a_failure_and_takes_nothing_along() {
        let tasks = Tasks::new();
        tasks.spawn("clumsy", OnFailure::Shutdown, async { panic!("dropped it") as Result<(), String> });
        tokio::time::timeout(SOON, tasks.token().cancelled()).await.expect("cancelled by the panic");
        assert_eq!(tasks.failed(), Some("clumsy"));
    }

    #[tokio::test]
    async fn one_that_does_not_end_is_named() {
        let tasks = Tasks::new();
        tasks.spawn("deaf", OnFailure::Log, std::future::pending::<Result<(), String>>());
        assert_eq!(tasks.stop(Duration::from_millis(10)).await, vec!["deaf"]);
    }
}
