//! The kinds of values: how each is read from text, what is allowed, how it is shown.

use std::{
    net::{IpAddr, SocketAddr},
    ops::RangeInclusive,
    path::PathBuf,
    time::Duration,
};

use ipnet::IpNet;

use super::{ClaimFrom, Config};
use crate::{
    base::{backoff::Backoff, redacted::Redacted},
    system::log::{self, Format},
};

/// A place in [`Config`] for values of one kind.
#[derive(Clone)]
pub enum Slot {
    /// A whole number.
    Count(RangeInclusive<u32>, fn(&mut Config) -> &mut u32),
    /// A whole number that may be large.
    Large(RangeInclusive<u64>, fn(&mut Config) -> &mut u64),
    /// A number of bytes, with or without a unit.
    Size(RangeInclusive<usize>, fn(&mut Config) -> &mut usize),
    /// A number of bytes, or `auto` for what the disk says.
    Floor(RangeInclusive<usize>, fn(&mut Config) -> &mut Option<usize>),
    /// A length of time as a whole number of the unit that the key's name ends with.
    Units(Duration, RangeInclusive<u32>, fn(&mut Config) -> &mut Duration),
    /// How waits grow.
    Growth(fn(&mut Config) -> &mut Backoff),
    /// A length of time, with a unit.
    Span(RangeInclusive<Duration>, fn(&mut Config) -> &mut Duration),
    /// Yes or no.
    Switch(fn(&mut Config) -> &mut bool),
    /// An IP address and a port.
    Address(fn(&mut Config) -> &mut SocketAddr),
    /// A directory.
    Directory(fn(&mut Config) -> &mut PathBuf),
    /// Host names.
    Names(fn(&mut Config) -> &mut Vec<String>),
    /// Addresses, single or as networks.
    Networks(fn(&mut Config) -> &mut Vec<IpNet>),
    /// Where a database is, password included; empty for none.
    DatabaseUrl(fn(&mut Config) -> &mut Option<Redacted>),
    /// What is logged.
    Filter(fn(&mut Config) -> &mut String),
    /// How it is logged.
    LogFormat(fn(&mut Config) -> &mut Format),
    /// What opens the claim window.
    Claim(fn(&mut Config) -> &mut ClaimFrom),
}

impl Slot {
    /// Reads `text` into the configuration, or leaves it as it was. The error
    /// is left to the caller, who knows where the text stood.
    pub(super) fn set(&self, config: &mut Config, text: &str) -> Result<(), ()> {
        let text = text.trim();
        match self {
            Self::Count(range, field) => *field(config) = within(range, text.parse().ok())?,
            Self::Large(range, field) => *field(config) = within(range, text.parse().ok())?,
            Self::Size(range, field) => *field(config) = within(range, size(text))?,
            Self::Floor(_, field) if text == AUTO => *field(config) = None,
            Self::Floor(range, field) => *field(config) = Some(within(range, size(text))?),
            Self::Units(unit, range, field) => {
                *field(config) = unit.saturating_mul(within(range, text.parse().ok())?);
            }
            Self::Growth(field) => *field(config) = text.parse().map_err(drop)?,
            Self::Span(range, field) => *field(config) = within(range, span(text))?,
            Self::Switch(field) => *field(config) = text.parse().map_err(drop)?,
            Self::Address(field) => *field(config) = text.parse().map_err(drop)?,
            Self::Directory(field) => *field(config) = directory(text).ok_or(())?,
            Self::Names(field) => *field(config) = names(text).ok_or(())?,
            Self::Networks(field) => *field(config) = networks(text).ok_or(())?,
            Self::DatabaseUrl(field) => *field(config) = database_url(text)?,
            Self::Filter(field) => {
                log::check_filter(text).map_err(drop)?;
                text.clone_into(field(config));
            }
            Self::LogFormat(field) => *field(config) = text.parse().map_err(drop)?,
            Self::Claim(field) => *field(config) = claim_from(text).ok_or(())?,
        }
        Ok(())
    }

    /// The value, if it is a number or a size.
    pub(super) fn number(&self, config: &mut Config) -> Option<u64> {
        match self {
            Self::Count(_, field) => Some((*field(config)).into()),
            Self::Large(_, field) => Some(*field(config)),
            Self::Size(_, field) => Some(*field(config) as u64),
            _ => None,
        }
    }

    /// The value as it would be written, a secret's secret part as three dots.
    pub(super) fn show(&self, config: &mut Config) -> String {
        match self {
            Self::Count(_, field) => field(config).to_string(),
            Self::Large(_, field) => field(config).to_string(),
            Self::Size(_, field) => show_size(*field(config)),
            Self::Floor(_, field) => field(config).map_or_else(|| AUTO.to_owned(), show_size),
            Self::Units(unit, _, field) => (field(config).as_millis() / unit.as_millis().max(1)).to_string(),
            Self::Growth(field) => field(config).to_string(),
            Self::Span(_, field) => show_span(*field(config)),
            Self::Switch(field) => field(config).to_string(),
            Self::Address(field) => field(config).to_string(),
            Self::Directory(field) => field(config).display().to_string(),
            Self::Names(field) => field(config).join(","),
            Self::Networks(field) => field(config).iter().map(show_network).collect::<Vec<_>>().join(","),
            Self::DatabaseUrl(field) => {
                field(config).as_ref().map(|url| without_password(url.expose())).unwrap_or_default()
            }
            Self::Filter(field) => field(config).clone(),
            Self::LogFormat(field) => field(config).to_string(),
            Self::Claim(field) => match field(config) {
                ClaimFrom::Start => "start".to_owned(),
                ClaimFrom::Install => "install".to_owned(),
                ClaimFrom::Boot => "boot".to_owned(),
            },
        }
    }

    /// What is allowed, to end the sentence "allowed is ...".
    pub fn allowed(&self) -> String {
        match self {
            Self::Count(range, _) => format!("a whole number from {} to {}", range.start(), range.end()),
            Self::Large(range, _) => format!("a whole number from {} to {}", range.start(), range.end()),
            Self::Size(range, _) => format!(
                "a size such as 512KiB or 1MiB, from {} to {}",
                show_size(*range.start()),
                show_size(*range.end())
            ),
            Self::Floor(range, _) => format!(
                "{AUTO} for 5 % of the disk and at least 256MiB, or a size from {} to {}",
                show_size(*range.start()),
                show_size(*range.end())
            ),
            Self::Units(_, range, _) => {
                format!("a whole number from {} to {}", range.start(), range.end())
            }
            Self::Growth(_) => "exponential, linear or constant".to_owned(),
            Self::Span(range, _) => format!(
                "a time such as 500ms, 30s or 2m, from {} to {}",
                show_span(*range.start()),
                show_span(*range.end())
            ),
            Self::Switch(_) => "true or false".to_owned(),
            Self::Address(_) => "an IP address and a port, such as 127.0.0.1:8080 or [::]:80".to_owned(),
            Self::Directory(_) => "the path of a directory".to_owned(),
            Self::Names(_) => "host names, separated by commas".to_owned(),
            Self::Networks(_) => {
                "IP addresses and networks such as 127.0.0.1 or 192.168.1.0/24, separated by commas"
                    .to_owned()
            }
            Self::DatabaseUrl(_) => {
                "postgres://user:password@host/database, or nothing for PiCloud's own".to_owned()
            }
            Self::Filter(_) => {
                "off, error, warn, info, debug or trace, also by module as in info,picloud::engine=debug"
                    .to_owned()
            }
            Self::LogFormat(_) => "auto, text, json or journal".to_owned(),
            Self::Claim(_) => "start, install or boot".to_owned(),
        }
    }

    /// Whether the value must not be shown as it is.
    pub fn is_secret(&self) -> bool {
        matches!(self, Self::DatabaseUrl(_))
    }
}

/// What stands for the value that the machine says.
const AUTO: &str = "auto";

fn within<T: PartialOrd>(range: &RangeInclusive<T>, value: Option<T>) -> Result<T, ()> {
    value.filter(|value| range.contains(value)).ok_or(())
}

/// Units of sizes, the largest first.
const SIZES: [(&str, usize); 4] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];

fn size(text: &str) -> Option<usize> {
    let named = SIZES.iter().find_map(|(unit, bytes)| Some((text.strip_suffix(unit)?, *bytes)));
    let (number, unit) = named.unwrap_or((text, 1));
    number.trim_end().parse::<usize>().ok()?.checked_mul(unit)
}

fn show_size(bytes: usize) -> String {
    let unit = SIZES.iter().find(|(_, unit)| bytes >= *unit && bytes % unit == 0);
    unit.map_or_else(|| format!("{bytes}B"), |(name, unit)| format!("{}{name}", bytes / unit))
}

/// Units of time in milliseconds. `ms` stands before `s` and `m`, whose letters it ends and begins with.
const SPANS: [(&str, u64); 4] = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000)];

fn span(text: &str) -> Option<Duration> {
    let (number, unit) = SPANS.iter().find_map(|(unit, ms)| Some((text.strip_suffix(unit)?, *ms)))?;
    number.trim_end().parse::<u64>().ok()?.checked_mul(unit).map(Duration::from_millis)
}

fn show_span(span: Duration) -> String {
    let ms = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
    let unit = SPANS.iter().rev().find(|(_, unit)| ms >= *unit && ms % unit == 0);
    unit.map_or_else(|| format!("{ms}ms"), |(name, unit)| format!("{}{name}", ms / unit))
}

/// An absolute path: what is relative is so to where the program was started,
/// and it may work elsewhere later.
fn directory(text: &str) -> Option<PathBuf> {
    if text.contains(['\0', '\u{fffd}']) { None } else { std::path::absolute(text).ok() }
}

fn names(text: &str) -> Option<Vec<String>> {
    let listed = text.split(',').map(str::trim).filter(|name| !name.is_empty());
    listed.map(host_name).collect()
}

/// A DNS name as requests carry it: lower case, without the final dot.
fn host_name(text: &str) -> Option<String> {
    let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
    let label = |l: &str| {
        (1..=63).contains(&l.len()) && l.bytes().all(inner) && !l.starts_with('-') && !l.ends_with('-')
    };
    (name.len() <= 253 && name.split('.').all(label)).then_some(name)
}

fn networks(text: &str) -> Option<Vec<IpNet>> {
    let listed = text.split(',').map(str::trim).filter(|net| !net.is_empty());
    listed.map(|net| net.parse().or_else(|_| net.parse::<IpAddr>().map(IpNet::from)).ok()).collect()
}

/// A network as it would be written, a single address without its length.
fn show_network(net: &IpNet) -> String {
    if net.prefix_len() == net.max_prefix_len() { net.addr().to_string() } else { net.to_string() }
}

fn database_url(text: &str) -> Result<Option<Redacted>, ()> {
    if text.is_empty() {
        return Ok(None);
    }
    let known = text.starts_with("postgres://") || text.starts_with("postgresql://");
    if known && text.parse::<sqlx::postgres::PgConnectOptions>().is_ok() {
        Ok(Some(Redacted::new(text)))
    } else {
        Err(())
    }
}

/// A database's address without its password, which may stand before the `@`
/// or among the parameters behind the `?`.
pub(super) fn without_password(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let (place, parameters) = rest.split_once('?').unwrap_or((rest, ""));
    let place = match place.rsplit_once('@') {
        Some((user, host)) => match user.split_once(':') {
            Some((name, _)) => format!("{name}:...@{host}"),
            None => format!("{user}@{host}"),
        },
        None => place.to_owned(),
    };
    let parameters = if parameters.is_empty() { "" } else { "?..." };
    format!("{scheme}://{place}{parameters}")
}

fn claim_from(text: &str) -> Option<ClaimFrom> {
    match text {
        "start" => Some(ClaimFrom::Start),
        "install" => Some(ClaimFrom::Install),
        "boot" => Some(ClaimFrom::Boot),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        assert_eq!(size("1MiB"), Some(1 << 20));
        assert_eq!(size("32 KiB"), Some(32 << 10));
        assert_eq!(size("17"), Some(17));
        assert_eq!(size("17B"), Some(17));
        for bad in ["", "MiB", "1MB", "1.5MiB", "-1", "99999999999999999999", "99999999999999GiB"] {
            assert_eq!(size(bad), None, "{bad}");
        }
        assert_eq!([show_size(1 << 20), show_size(1000), show_size(0)], ["1MiB", "1000B", "0B"]);
    }

    #[test]
    fn times_need_units() {
        assert_eq!(span("500ms"), Some(Duration::from_millis(500)));
        assert_eq!(span("30s"), Some(Duration::from_secs(30)));
        assert_eq!(span("2m"), Some(Duration::from_secs(120)));
        for bad in ["", "30", "s", "1.5s", "-1s", "1d"] {
            assert_eq!(span(bad), None, "{bad}");
        }
        let shown = [90, 120, 3600].map(|s| show_span(Duration::from_secs(s)));
        assert_eq!(shown, ["90s", "2m", "1h"]);
        assert_eq!([show_span(Duration::from_millis(1500)), show_span(Duration::ZERO)], ["1500ms", "0ms"]);
    }

    #[test]
    fn host_names_are_kept_as_requests_carry_them() {
        assert_eq!(
            names("Pi.Example.org., shed"),
            Some(vec!["pi.example.org".to_owned(), "shed".to_owned()])
        );
        assert_eq!(names(""), Some(vec![]));
        for bad in ["a b", "http://x", "x:80", "-x", "a..b"] {
            assert_eq!(names(bad), None, "{bad}");
        }
    }

    #[test]
    fn networks_are_addresses_with_or_without_a_length() {
        let shown = |text| networks(text).map(|all| all.iter().map(show_network).collect::<Vec<_>>());
        assert_eq!(
            shown("127.0.0.1, 192.168.0.0/16,::1/128"),
            Some(["127.0.0.1", "192.168.0.0/16", "::1"].map(str::to_owned).to_vec())
        );
        assert_eq!(shown(""), Some(vec![]));
        for bad in ["10.0.0.1/33", "10.0.0", "proxy.local", "10.0.0.1:80", "*"] {
            assert_eq!(shown(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_password_is_never_shown() {
        for (url, shown) in [
            ("postgres://me:se@cret@db/x", "postgres://me:...@db/x"),
            ("postgres://me@db/x", "postgres://me@db/x"),
            ("postgres://db/x?password=secret", "postgres://db/x?..."),
            ("postgres:///x", "postgres:///x"),
        ] {
            assert_eq!(without_password(url), shown);
        }
    }
}
