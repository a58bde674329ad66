//! `time`: the clock, and points in time as text, as numbers and in any zone.
//!
//! A point in time is RFC 3339 text or milliseconds since 1970, and lies in
//! the years RFC 3339 can write.

use jiff::{Timestamp, fmt::strtime, tz::TimeZone};
use rhai::{Dynamic, Module};

use super::native::{Answer, Fault, Functions, fault, int, shown, text, unlike};
use crate::engine::{
    guard,
    reference::{Function, function},
    sdk::SdkModule,
};

/// The module.
pub(in crate::engine) const MODULE: SdkModule =
    SdkModule { name: "time", about: ABOUT, functions: FUNCTIONS, build };

const ABOUT: &str = "The clock, and points in time: RFC 3339 text (`2026-03-01T12:00:00Z`) or an integer of milliseconds since 1970, from the year 0 to 9999. Zones are names such as `Europe/Berlin`.";

const FUNCTIONS: &[Function] = &[
    function(&["now() -> string"], "Now, in UTC with milliseconds.", r#"time::now().ends_with("Z")"#, "true"),
    function(&["now_ms() -> int"], "Now, in milliseconds since 1970.", "time::now_ms() > 1_700_000_000_000", "true"),
    function(&["parse(time) -> int"], "The milliseconds since 1970.", r#"time::parse("2026-03-01T12:00:00+01:00")"#, "1772362800000").throws(&["invalid_time", "out_of_range"]),
    function(&["format(time, pattern) -> string", "format(time, pattern, zone) -> string"], "The time by a pattern of strftime, in UTC or in a zone: `%Y-%m-%d %H:%M:%S`, `%A %d %B`, `%Z` and [many more](https://docs.rs/jiff/latest/jiff/fmt/strtime/index.html#conversion-specifications). A pattern has at most 1 000 bytes.", r#"time::format("2026-07-01T12:00:00Z", "%d.%m.%Y %H:%M", "Europe/Berlin")"#, r#""01.07.2026 14:00""#).throws(&["invalid_time", "out_of_range", "invalid_pattern", "invalid_zone"]),
    function(&["add_seconds(time, seconds) -> string"], "The time so many seconds later (or earlier, below 0; a float for less than a second), in UTC with milliseconds.", r#"time::add_seconds("2026-02-28T23:59:59Z", 1.5)"#, r#""2026-03-01T00:00:00.500Z""#).throws(&["invalid_time", "out_of_range"]),
    function(&["diff_seconds(a, b) -> float"], "The seconds from `a` to `b`; below 0 if `b` is earlier.", r#"time::diff_seconds("2026-03-01T00:00:00Z", "2026-03-01T00:01:30Z")"#, "90.0").throws(&["invalid_time", "out_of_range"]),
];

/// 0000-01-01T00:00:00Z, in milliseconds since 1970.
const FIRST: i64 = -62_167_219_200_000;
/// 9999-12-30T22:00:00Z, after which some zones have the year 10 000.
const LAST: i64 = 253_402_207_200_000;

/// The longest pattern; a directive may ask for 255 characters.
const MAX_PATTERN: usize = 1000;

fn build() -> Module {
    Functions::new()
        .none("now", || Ok(rfc3339(now()).into()))
        .none("now_ms", || Ok(now().into()))
        .one("parse", |time| Ok(moment(time)?.into()))
        .two("format", |time, pattern| format(time, pattern, TimeZone::UTC))
        .three("format", |time, pattern, name| format(time, pattern, zone(name)?))
        .two("add_seconds", add_seconds)
        .two("diff_seconds", diff_seconds)
        .module()
}

fn now() -> i64 {
    Timestamp::now().as_millisecond().clamp(FIRST, LAST)
}

/// The point in time an argument says, in milliseconds since 1970.
fn moment(time: &Dynamic) -> Result<i64, Fault> {
    if let Ok(milliseconds) = time.as_int() {
        return within(i128::from(milliseconds));
    }
    let Ok(written) = text(time, "the time") else {
        return Err(unlike(time, "the time", "RFC 3339 text or an integer of milliseconds since 1970"));
    };
    let parsed = chrono::DateTime::parse_from_rfc3339(&written);
    let parsed = parsed.map_err(|_| {
        let message = format!(
            "{} is no RFC 3339 time; one is 2026-03-01T12:00:00Z or 2026-03-01T13:00:00+01:00",
            shown(&written)
        );
        fault("invalid_time", message)
    })?;
    within(i128::from(parsed.timestamp_millis()))
}

fn within(milliseconds: i128) -> Result<i64, Fault> {
    i64::try_from(milliseconds).ok().filter(|ms| (FIRST..=LAST).contains(ms)).ok_or_else(|| {
        let message = "a time lies between 0000-01-01T00:00:00Z and 9999-12-30T22:00:00Z; \
                       a number is milliseconds since 1970";
        fault("out_of_range", message)
    })
}

fn at(milliseconds: i64) -> Result<Timestamp, Fault> {
    Timestamp::from_millisecond(milliseconds).map_err(|why| fault("out_of_range", why.to_string()))
}

fn rfc3339(milliseconds: i64) -> String {
    at(milliseconds).map(|time| format!("{time:.3}")).unwrap_or_default()
}

fn format(time: &Dynamic, pattern: &Dynamic, zone: TimeZone) -> Answer {
    let time = at(moment(time)?)?;
    let pattern = text(pattern, "the pattern")?;
    if pattern.len() > MAX_PATTERN {
        return Err(fault("invalid_pattern", format!("a time pattern has at most {MAX_PATTERN} bytes")));
    }
    let text = strtime::format(pattern.as_bytes(), &time.to_zoned(zone));
    text.map(Into::into).map_err(|why| {
        fault("invalid_pattern", format!("{} is no pattern for a time: {why}", shown(&pattern)))
    })
}

/// No zone has a longer name.
const LONGEST_ZONE: usize = 64;

/// A zone by its name, from the system's files, or from our own copy where there are none.
fn zone(name: &Dynamic) -> Result<TimeZone, Fault> {
    let name = text(name, "the zone")?;
    // Zones that were read are kept, for all runs. The error, which names the zone, stays within.
    let known = || guard::uncounted(|| TimeZone::get(&name).ok());
    let known = if name.len() > LONGEST_ZONE { None } else { known() };
    known.ok_or_else(|| {
        let message = format!("{} is no time zone; one is UTC or Europe/Berlin", shown(&name));
        fault("invalid_zone", message)
    })
}

fn add_seconds(time: &Dynamic, seconds: &Dynamic) -> Answer {
    let from = i128::from(moment(time)?);
    let milliseconds = match seconds.as_float() {
        Ok(seconds) => rounded(seconds * 1000.0)?,
        Err(_) => match int(seconds, "the seconds") {
            Ok(seconds) => i128::from(seconds) * 1000,
            Err(_) => return Err(unlike(seconds, "the seconds", "a number")),
        },
    };
    Ok(rfc3339(within(from.saturating_add(milliseconds))?).into())
}

#[expect(clippy::cast_possible_truncation, reason = "what is too large saturates, and is out of range")]
fn rounded(milliseconds: f64) -> Result<i128, Fault> {
    if milliseconds.is_nan() {
        return Err(fault("invalid_argument", "the seconds must be a number, not NaN"));
    }
    Ok(milliseconds.round() as i128)
}

#[expect(clippy::cast_precision_loss, reason = "the span of all years in milliseconds is below 2^53")]
fn diff_seconds(from: &Dynamic, to: &Dynamic) -> Answer {
    let milliseconds = moment(to)? - moment(from)?;
    Ok((milliseconds as f64 / 1000.0).into())
}
