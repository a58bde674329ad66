//! Points in time and spans as people read them.

use std::time::Duration;

use maud::{Markup, html};

use crate::base::time::Timestamp;

/// A point in time relative to now, with the exact time on hover.
pub fn ago(at: Timestamp) -> Markup {
    let passed = Timestamp::now().utc().signed_duration_since(at.utc());
    html! {
        time datetime=(at) title=(at) { (relative(passed.num_seconds())) }
    }
}

/// A day, with the exact time on hover: for what lies ahead.
pub fn day(at: Timestamp) -> Markup {
    html! {
        time datetime=(at) title=(at) { (at.utc().format("%Y-%m-%d")) }
    }
}

/// How long ago `seconds` before now was; the clock may have been set back meanwhile.
fn relative(seconds: i64) -> String {
    match seconds {
        ..=-60 => "in the future".to_owned(),
        -59..=9 => "just now".to_owned(),
        10..60 => format!("{seconds} s ago"),
        60..3_600 => format!("{} min ago", seconds / 60),
        3_600..86_400 => format!("{} h ago", seconds / 3_600),
        _ => counted(seconds / 86_400, "day") + " ago",
    }
}

/// A span in words, such as `29 min`.
pub fn span(span: Duration) -> String {
    match span.as_secs() {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds => format!("{} min", seconds / 60),
    }
}

/// Milliseconds with as many digits as say something.
pub fn milliseconds(ms: f64) -> String {
    if ms < 10.0 { format!("{ms:.2} ms") } else { format!("{ms:.0} ms") }
}

/// A number of things, such as `1 route` and `2 routes`.
pub fn counted(n: i64, one: &str) -> String {
    format!("{} {one}{}", grouped(n), if n == 1 { "" } else { "s" })
}

/// A number with its digits in groups of three.
pub fn grouped(n: i64) -> String {
    let digits = n.unsigned_abs().to_string();
    let mut text = String::from(if n < 0 { "-" } else { "" });
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i) % 3 == 0 {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_past_is_told_in_its_largest_unit() {
        let texts = [3, 45, 61, 7_200, 86_400, 200_000].map(relative);
        assert_eq!(texts, ["just now", "45 s ago", "1 min ago", "2 h ago", "1 day ago", "2 days ago"]);
        assert_eq!(relative(-3_600), "in the future");
    }

    #[test]
    fn digits_come_in_threes() {
        assert_eq!(grouped(1_234_567), "1\u{202f}234\u{202f}567");
        assert_eq!((grouped(0), grouped(-999)), ("0".to_owned(), "-999".to_owned()));
    }
}
