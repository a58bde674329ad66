//! What can be done that is written down.

/// Declares the actions, each with its name and what happened in words.
macro_rules! actions {
    ($(#[doc = $words:literal] $name:ident = $text:literal;)+) => {
        /// What was done: `<noun>.<verb>`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Action {
            $(#[doc = $words] $name,)+
        }

        impl Action {
            /// Every action there is.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// Its name in the log.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)+
                }
            }

            /// What happened, in a sentence.
            pub const fn words(self) -> &'static str {
                match self {
                    $(Self::$name => $words.trim_ascii(),)+
                }
            }
        }
    };
}

actions! {
    /// An API key was made.
    ApiKeyCreate = "api_key.create";
    /// An API key was taken back.
    ApiKeyDelete = "api_key.delete";
    /// An app was made.
    AppCreate = "app.create";
    /// An app was deleted.
    AppDelete = "app.delete";
    /// An app was changed.
    AppUpdate = "app.update";
    /// A host was claimed.
    DomainCreate = "domain.create";
    /// A host was given up.
    DomainDelete = "domain.delete";
    /// The machine got its first owner.
    InstanceClaim = "instance.claim";
    /// Somebody left an app.
    MemberDelete = "member.delete";
    /// Somebody got a role in an app.
    MemberSet = "member.set";
    /// A row that waited was deleted.
    OutboxDelete = "outbox.delete";
    /// A row that waited was made due.
    OutboxRetryNow = "outbox.retry_now";
    /// A route was made.
    RouteCreate = "route.create";
    /// A route was deleted.
    RouteDelete = "route.delete";
    /// A route was changed.
    RouteUpdate = "route.update";
    /// A script was made.
    ScriptCreate = "script.create";
    /// A script was deleted.
    ScriptDelete = "script.delete";
    /// An old version was made the newest.
    ScriptRestore = "script.restore";
    /// A script was changed.
    ScriptUpdate = "script.update";
    /// Somebody signed in.
    SessionCreate = "session.create";
    /// A session was ended, or all of a person's.
    SessionDelete = "session.delete";
    /// A setting got another value.
    SettingUpdate = "setting.update";
    /// A person was added.
    UserCreate = "user.create";
    /// A person was removed.
    UserDelete = "user.delete";
    /// A person got another password.
    UserSetPassword = "user.set_password";
    /// A person was changed.
    UserUpdate = "user.update";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_is_a_noun_and_a_verb() {
        let names: Vec<&str> = Action::ALL.iter().map(|action| action.as_str()).collect();
        assert!(names.is_sorted(), "{names:?}");
        let word = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        for name in names {
            assert!(name.split_once('.').is_some_and(|(noun, verb)| word(noun) && word(verb)), "{name}");
        }
    }
}
