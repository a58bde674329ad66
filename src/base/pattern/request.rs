//! The path of a request, checked and decoded.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// A request's path as routes are compared with it: percent-decoded.
///
/// A segment cannot hold a slash, so the decoded text has the segments of the
/// raw one. A trailing slash is a last segment that is empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestPath(String);

impl RequestPath {
    /// Checks and decodes the raw path of a request; the error is the reason
    /// why it is malformed (400).
    pub fn parse(raw: &str) -> Result<Self, &'static str> {
        let inner = raw.strip_prefix('/').ok_or("the path must begin with a slash")?;
        let mut text = String::with_capacity(raw.len());
        let mut segments = inner.split('/').peekable();
        while let Some(segment) = segments.next() {
            let segment = decode_segment(segment)?;
            // The path `/` alone has one segment, empty and last.
            if segment.is_empty() && segments.peek().is_some() {
                return Err("the path must not contain an empty segment (//)");
            }
            text.push('/');
            text.push_str(&segment);
        }
        Ok(Self(text))
    }

    /// The decoded path, which begins with a slash.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The decoded path without its first slash: segments joined by slashes.
    pub fn segments(&self) -> &str {
        &self.0[1..]
    }

    /// The path's first segment.
    pub fn first_segment(&self) -> &str {
        split(self.segments()).0
    }

    /// The path behind the first segment: `/` where nothing follows.
    #[must_use]
    pub fn without_first_segment(&self) -> Self {
        Self(format!("/{}", split(self.segments()).1.unwrap_or_default()))
    }

    /// Whether the path belongs to PiCloud itself and is never handed to a
    /// script by host addressing. (What begins with `~` addresses an app.)
    pub fn is_reserved(&self) -> bool {
        let (first, rest) = split(self.segments());
        is_reserved(first, rest.map(|rest| split(rest).0))
    }
}

impl From<RequestPath> for String {
    fn from(path: RequestPath) -> Self {
        path.0
    }
}

/// Splits segments joined by slashes into the first and, if more follow, the others.
pub(super) fn split(segments: &str) -> (&str, Option<&str>) {
    match segments.split_once('/') {
        Some((first, rest)) => (first, Some(rest)),
        None => (segments, None),
    }
}

/// First segments that are PiCloud's own.
const RESERVED: [&str; 6] = ["admin", "healthz", "metrics", "readyz", "realtime", "version"];

/// Whether paths with these first two segments are PiCloud's own.
pub(super) fn is_reserved(first: &str, second: Option<&str>) -> bool {
    RESERVED.contains(&first) || (first == "api" && second == Some("v1"))
}

/// Percent-decodes one segment of a path.
///
/// What is refused could be read differently by someone in between: a proxy
/// resolves dots, another decodes slashes, a C library ends at U+0000.
pub(super) fn decode_segment(raw: &str) -> Result<Cow<'_, str>, &'static str> {
    if !raw.bytes().any(|b| matches!(b, b'%' | b'.' | 0)) {
        return Ok(raw.into());
    }
    if !escapes_are_complete(raw) {
        return Err("the path has a % that is not followed by two hexadecimal digits");
    }
    let segment = percent_decode_str(raw).decode_utf8().map_err(|_| "the path is not UTF-8 once decoded")?;
    if segment == "." || segment == ".." {
        return Err("the path must not contain . or .. segments");
    }
    if segment.contains('/') {
        return Err("the path must not contain an encoded slash (%2F)");
    }
    if segment.contains('\0') {
        return Err("the path must not contain U+0000 (%00)");
    }
    Ok(segment)
}

fn escapes_are_complete(raw: &str) -> bool {
    let hexadecimal = |b: Option<&u8>| b.is_some_and(u8::is_ascii_hexdigit);
    raw.bytes()
        .enumerate()
        .filter(|(_, b)| *b == b'%')
        .all(|(i, _)| hexadecimal(raw.as_bytes().get(i + 1)) && hexadecimal(raw.as_bytes().get(i + 2)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_decoded() {
        for (raw, decoded) in [
            ("/", "/"),
            ("/a", "/a"),
            ("/a/", "/a/"),
            ("/a/b", "/a/b"),
            ("/a%20b/%7Ec", "/a b/~c"),
            ("/caf%C3%A9", "/café"),
            ("/café", "/café"),
            ("/100%25", "/100%"),
            ("/...", "/..."),
            ("/.a", "/.a"),
            ("/a.b", "/a.b"),
            ("/a+b", "/a+b"),
            ("/a%0Ab", "/a\nb"),
        ] {
            assert_eq!(RequestPath::parse(raw).as_ref().map(RequestPath::as_str), Ok(decoded), "{raw}");
        }
    }

    #[test]
    fn a_hostile_path_has_a_reason() {
        for (raw, word) in [
            ("", "begin"),
            ("*", "begin"),
            ("a", "begin"),
            ("//", "empty segment"),
            ("//a", "empty segment"),
            ("/a//b", "empty segment"),
            ("/a//", "empty segment"),
            ("/.", ".. segments"),
            ("/a/..", ".. segments"),
            ("/../a", ".. segments"),
            ("/a/%2e%2E/b", ".. segments"),
            ("/%2e", ".. segments"),
            ("/a%2Fb", "%2F"),
            ("/a%2fb", "%2F"),
            ("/%00", "%00"),
            ("/a\0", "%00"),
            ("/%", "hexadecimal"),
            ("/%4", "hexadecimal"),
            ("/%zz", "hexadecimal"),
            ("/%%41", "hexadecimal"),
            ("/%ff", "UTF-8"),
            ("/%C3/%A9", "UTF-8"),
            ("/%c0%af", "UTF-8"),
            ("/%ed%a0%80", "UTF-8"),
        ] {
            let error = RequestPath::parse(raw).expect_err(raw);
            assert!(error.contains(word), "{raw}: {error}");
        }
    }

    #[test]
    fn the_first_segment_comes_off() -> Result<(), &'static str> {
        for (raw, first, rest) in [
            ("/~a/b/c", "~a", "/b/c"),
            ("/~a/", "~a", "/"),
            ("/~a", "~a", "/"),
            ("/", "", "/"),
            ("/a/b/", "a", "/b/"),
        ] {
            let path = RequestPath::parse(raw)?;
            assert_eq!((path.first_segment(), path.without_first_segment().as_str()), (first, rest), "{raw}");
        }
        Ok(())
    }

    #[test]
    fn our_own_paths_are_reserved_however_they_are_spelled() -> Result<(), &'static str> {
        for raw in [
            "/admin",
            "/admin/",
            "/%61dmin/x",
            "/healthz",
            "/readyz/",
            "/version",
            "/metrics",
            "/realtime/a",
            "/api/v1",
            "/api/v1/",
        ] {
            assert!(RequestPath::parse(raw)?.is_reserved(), "{raw}");
        }
        for raw in ["/", "/api", "/api/", "/api/v10", "/api/orders", "/administration", "/Admin", "/x/admin"]
        {
            assert!(!RequestPath::parse(raw)?.is_reserved(), "{raw}");
        }
        Ok(())
    }
}
