//! Where somebody is signed in, as a table.

use maud::{Markup, html};

use crate::{
    base::id::SessionId,
    page::{parts, time},
    store::session::Session,
};

/// What browsers put into their names, the more telling first, and what people call them.
const BROWSERS: [(&str, &str); 6] = [
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
];

/// The same for what they run on.
const SYSTEMS: [(&str, &str); 7] = [
    ("Android", "Android"),
    ("iPhone", "an iPhone"),
    ("iPad", "an iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
];

/// The longest name of a browser that is shown as it is.
const LONGEST: usize = 40;

/// Draws the sessions; with `ends`, the address below which each can be ended.
pub(super) fn table(all: &[Session], used: Option<SessionId>, ends: Option<&str>) -> Markup {
    html! {
        div.table { table {
            thead { tr { th { "Browser" } th { "Address" } th { "Signed in" } th { "Last used" } th { "Ends unused" } th {} } }
            tbody {
                @for session in all {
                    tr {
                        td title=[session.user_agent.as_deref()] { (browser(session.user_agent.as_deref())) }
                        td { code { (session.address) } }
                        td { (time::ago(session.created_at)) }
                        td { (time::ago(session.last_used_at)) }
                        td.number { (time::day(session.expires_at)) }
                        td.actions.near {
                            @if used == Some(session.id) {
                                (parts::badge("good", "this one"))
                            } @else if let Some(ends) = ends {
                                (parts::post(&format!("{ends}/{}/end", session.id), "End", "quiet"))
                            }
                        }
                    }
                }
            }
        } }
    }
}

/// A browser in words, by what it calls itself.
fn browser(user_agent: Option<&str>) -> String {
    let Some(text) = user_agent else { return "unknown".to_owned() };
    let find = |names: &[(&'static str, &'static str)]| {
        names.iter().find(|(part, _)| text.contains(part)).map(|(_, name)| *name)
    };
    match (find(&BROWSERS), find(&SYSTEMS)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(browser), None) => browser.to_owned(),
        _ => text.chars().take(LONGEST).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_named_as_people_name_it() {
        for (text, name) in [
            ("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "Firefox on Linux"),
            (
                "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36",
                "Chrome on Android",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Version/17.5 Safari/604.1",
                "Safari on an iPhone",
            ),
            ("curl/8.9.1", "curl"),
            ("made up", "made up"),
        ] {
            assert_eq!(browser(Some(text)), name);
        }
        assert_eq!(browser(None), "unknown");
    }
}
