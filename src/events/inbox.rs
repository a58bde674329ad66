//! Where a synchronous caller waits for its outcome.
//!
//! A caller registers before its run starts; whoever ends the run answers the
//! inbox. When the caller goes away first, its entry goes with it, and the
//! answer finds nobody.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::oneshot;

use crate::{base::id::InboxId, engine::Outcome};

/// The callers that wait.
#[derive(Clone, Default)]
pub struct Inbox(Arc<Mutex<Waiting>>);

/// Who waits where; `None` stands for one who was answered already, before the run ended.
type Waiting = HashMap<InboxId, Option<oneshot::Sender<Outcome>>>;

/// A caller's place: dropping it gives the place up.
pub struct Place {
    id: InboxId,
    inbox: Inbox,
    outcome: oneshot::Receiver<Outcome>,
    /// Whether the entry outlives the place, until the run ends.
    keeps_entry: bool,
}

impl Inbox {
    /// Takes a place for a caller.
    pub fn register(&self) -> Place {
        let (sender, outcome) = oneshot::channel();
        let id = InboxId::new();
        self.with(|waiting| waiting.insert(id, Some(sender)));
        Place { id, inbox: self.clone(), outcome, keeps_entry: false }
    }

    /// Hands `outcome` to the caller at `id`; gives it back if the caller has gone.
    pub fn answer(&self, id: InboxId, outcome: Outcome) -> Result<(), Box<Outcome>> {
        match self.with(|waiting| waiting.remove(&id)) {
            Some(Some(sender)) => sender.send(outcome).map_err(Box::new),
            Some(None) => Ok(()),
            None => Err(Box::new(outcome)),
        }
    }

    /// How many callers wait.
    pub fn waiting(&self) -> usize {
        self.with(|waiting| waiting.values().flatten().count())
    }

    fn with<T>(&self, act: impl FnOnce(&mut Waiting) -> T) -> T {
        // No act can panic half-way through a change, so a poisoned map is still whole.
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Place {
    /// Whom to answer.
    pub fn id(&self) -> InboxId {
        self.id
    }

    /// Waits for the outcome; `None` if nobody is left to answer.
    pub async fn outcome(&mut self) -> Option<Outcome> {
        (&mut self.outcome).await.ok()
    }

    /// Says that the caller was answered without the outcome, so that the one
    /// that comes late is nobody's and yet not abandoned.
    pub fn answered(mut self) {
        self.keeps_entry = true;
        // An outcome that came just now has taken the entry along.
        self.inbox.with(|waiting| {
            waiting.entry(self.id).and_modify(|sender| *sender = None);
        });
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.keeps_entry {
            self.inbox.with(|waiting| waiting.remove(&self.id));
        }
    }
}
