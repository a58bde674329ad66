//! Typed ids: one macro, one alphabetical list.
//!
//! Every id is a UUID of version 7 (RFC 9562): made in the process, ordered by
//! time, so that indexes stay compact.

/// Declares newtypes over UUIDv7 that the database, JSON and OpenAPI understand.
macro_rules! id_types {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash,
            serde::Serialize, serde::Deserialize, sqlx::Type, schemars::JsonSchema,
        )]
        #[serde(transparent)]
        #[schemars(transparent)]
        #[sqlx(transparent)]
        pub struct $name(uuid::Uuid);

        impl $name {
            /// Makes a new id from the current time.
            #[allow(clippy::new_without_default, reason = "every call makes another id")]
            pub fn new() -> Self {
                Self(uuid::Uuid::now_v7())
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = &'static str;

            /// Takes the hyphenated form only, so that an id has one spelling.
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let hyphenated = if text.len() == 36 { text.parse().ok() } else { None };
                hyphenated.map(Self).ok_or("must be a UUID such as 0198c0de-0000-7000-8000-000000000000")
            }
        }
    )+};
}

id_types! {
    /// A synchronous run nobody waited for.
    AbandonedId,
    /// A key a person made for a program.
    ApiKeyId,
    /// An app.
    AppId,
    /// An entry of the audit log.
    AuditId,
    /// What set a durable run off: a trigger, or for http a route.
    CauseId,
    /// An event whose every attempt failed.
    DeadLetterId,
    /// A domain an app claims.
    DomainId,
    /// Something that happened; shared by all runs it causes, and by its replays.
    EventId,
    /// One event's way through one script; shared by its attempts.
    ExecutionId,
    /// Where a synchronous caller waits for its outcome.
    InboxId,
    /// A row of the outbox: one run that is to be made.
    OutboxId,
    /// A route.
    RouteId,
    /// A script.
    ScriptId,
    /// A signed-in session.
    SessionId,
    /// A trigger.
    TriggerId,
    /// A person.
    UserId,
}

impl AppId {
    /// Before every other.
    pub const LOWEST: Self = Self(uuid::Uuid::nil());
}

impl From<RouteId> for CauseId {
    fn from(route: RouteId) -> Self {
        Self(route.0)
    }
}

impl From<CauseId> for RouteId {
    fn from(cause: CauseId) -> Self {
        Self(cause.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_one_spelling() {
        let id = AppId::new();
        assert_eq!(id.to_string().parse::<AppId>().ok(), Some(id));
        assert!(id.to_string().replace('-', "").parse::<AppId>().is_err());
        assert!("".parse::<AppId>().is_err());
    }

    #[test]
    fn ids_sort_by_the_time_they_were_made() {
        let ids: Vec<ExecutionId> = (0..100).map(|_| ExecutionId::new()).collect();
        assert!(ids.is_sorted());
    }
}
