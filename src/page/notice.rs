//! What the next page says after a form was accepted.
//!
//! A cookie carries the notice's key, not its text: scripts answer on the same
//! host names and may set cookies there, so no words of theirs reach a page.

use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};

const COOKIE: &str = "picloud_notice";

/// Declares the notices, each with its key and its text.
macro_rules! notices {
    ($($(#[$doc:meta])* $name:ident: $key:literal, $text:literal;)+) => {
        /// What the next page says after a form was accepted.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Notice {
            $($(#[$doc])* $name,)+
        }

        impl Notice {
            /// Every notice there is.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// What the cookie carries.
            pub const fn key(self) -> &'static str {
                match self {
                    $(Self::$name => $key,)+
                }
            }

            /// What the page says.
            pub const fn text(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)+
                }
            }
        }
    };
}

notices! {
    /// The machine has its first owner.
    Claimed: "claimed", "This machine is yours now. Remember the password: there is no other way in.";
    /// The session was ended.
    SignedOut: "signed-out", "You are signed out.";
    /// An app was made.
    AppCreated: "app-created", "The app was created.";
    /// An app was changed.
    AppChanged: "app-changed", "The settings were saved.";
    /// An app was deleted.
    AppDeleted: "app-deleted", "The app was deleted; what it owned is being swept.";
    /// A domain was claimed.
    DomainClaimed: "domain-claimed", "The app answers on this domain now.";
    /// A domain was given up.
    DomainReleased: "domain-released", "The domain was given up.";
    /// A script was made.
    ScriptCreated: "script-created", "The script was created. Give it a route to call it.";
    /// A script was saved with another source.
    VersionSaved: "version-saved", "Saved as a new version, which runs from now on.";
    /// A script was saved, its source as it was.
    ScriptSaved: "script-saved", "Saved; the source is as it was.";
    /// An old version was brought back.
    VersionRestored: "version-restored", "Brought back as a new version, which runs from now on.";
    /// A script was deleted.
    ScriptDeleted: "script-deleted", "The script was deleted.";
    /// A route was made.
    RouteCreated: "route-created", "The route answers now.";
    /// A route was switched on.
    RouteEnabled: "route-enabled", "The route answers again.";
    /// A route was switched off.
    RouteDisabled: "route-disabled", "The route does not answer any more.";
    /// A route was deleted.
    RouteDeleted: "route-deleted", "The route was deleted.";
    /// A person was added.
    UserCreated: "user-created", "The user was added. Tell them the password.";
    /// A person was changed.
    UserChanged: "user-changed", "The user was changed.";
    /// A person was deleted.
    UserDeleted: "user-deleted", "The user was deleted.";
    /// A person got another password.
    PasswordReset: "password-reset", "The password was reset, and their sessions ended.";
    /// One changed one's own password.
    PasswordChanged: "password-changed", "Your password was changed. You are signed out everywhere else.";
    /// A session was ended.
    SessionEnded: "session-ended", "The session was ended.";
    /// All sessions of a person were ended.
    SessionsEnded: "sessions-ended", "Their sessions were ended.";
    /// One ended all one's own sessions.
    SignedOutEverywhere: "signed-out-everywhere", "You are signed out everywhere.";
    /// A key was taken away.
    KeyDeleted: "key-deleted", "The key was deleted.";
    /// Somebody got a role in an app.
    MemberSet: "member-set", "The role was given.";
    /// Somebody is no member of an app any more.
    MemberRemoved: "member-removed", "The membership was ended.";
}

impl Notice {
    /// The notice a request carries.
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let mut pairs = headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|line| line.split(';'))
            .filter_map(|pair| pair.trim().split_once('='));
        let (_, key) = pairs.find(|(name, _)| *name == COOKIE)?;
        Self::ALL.iter().copied().find(|notice| notice.key() == key)
    }
}

/// Sends the browser on to a page, which then says `notice`.
pub fn noticed(to: &str, notice: Notice) -> Response {
    let mut response = see(to);
    response.headers_mut().append(header::SET_COOKIE, cookie(notice.key(), 60));
    response
}

/// Sends the browser on to a page (303).
pub fn see(to: &str) -> Response {
    let to = HeaderValue::try_from(to).unwrap_or_else(|_| HeaderValue::from_static("/admin"));
    (StatusCode::SEE_OTHER, [(header::LOCATION, to)]).into_response()
}

/// The cookie that takes the notice away once a page has said it.
pub(super) fn said() -> HeaderValue {
    cookie("", 0)
}

fn cookie(key: &'static str, age: u32) -> HeaderValue {
    let text = format!("{COOKIE}={key}; Path=/admin; Max-Age={age}; HttpOnly; SameSite=Lax");
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_key_is_its_own() {
        let keys: HashSet<_> = Notice::ALL.iter().map(|notice| notice.key()).collect();
        assert_eq!(keys.len(), Notice::ALL.len());
    }

    #[test]
    fn only_known_notices_are_read_from_the_cookie() {
        let read = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::COOKIE, HeaderValue::from_static(value));
            Notice::of(&headers)
        };
        assert_eq!(read("a=b; picloud_notice=claimed"), Some(Notice::Claimed));
        assert_eq!(read("picloud_notice=call+0900-1234"), None);
    }
}
