//! What a script sees of an HTTP request: shared by the user routes and by `execute`.
//!
//! A script is not the administrator: neither a bearer token of ours nor the
//! session cookie reaches it.

use http::{HeaderMap, HeaderName, header};
use percent_encoding::percent_decode_str;

use super::{caller, origin::SESSION_COOKIE};
use crate::{
    access::{Caller, token},
    base::{Error, Result},
    engine,
};

/// The headers as scripts see them: names in lower case, repeated ones joined
/// with `", "` (cookies with `"; "`, as RFC 9113 joins them), our credentials left out.
pub fn headers(all: &HeaderMap) -> Vec<(String, String)> {
    let ours = caller::bearers(all).any(token::is_ours);
    all.keys()
        .filter(|name| !(ours && **name == header::AUTHORIZATION))
        .filter_map(|name| Some((name.as_str().to_owned(), value_of(all, name)?)))
        .collect()
}

fn value_of(all: &HeaderMap, name: &HeaderName) -> Option<String> {
    let values = all.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
    if *name != header::COOKIE {
        return Some(values.collect::<Vec<_>>().join(", "));
    }
    let cookies: Vec<String> = values
        .flat_map(|line| line.split(';').map(|pair| pair.trim().to_owned()).collect::<Vec<_>>())
        .filter(|pair| pair.split('=').next() != Some(SESSION_COOKIE))
        .collect();
    if cookies.is_empty() { None } else { Some(cookies.join("; ")) }
}

/// A caller as scripts see one: `ctx.principal`.
pub fn principal(caller: &Caller) -> engine::Principal {
    engine::Principal {
        id: caller.user.id,
        username: caller.user.username.to_string(),
        role: Some(caller.user.role.to_string()),
    }
}

/// The decoded query in its order; U+0000 and what is no UTF-8 are refused.
pub fn query(raw: Option<&str>) -> Result<Vec<(String, String)>> {
    let raw = raw.unwrap_or_default();
    // The decoder would put other text in place of bytes that are none.
    if percent_decode_str(raw).decode_utf8().is_err() {
        return Err(Error::Malformed("the query is not UTF-8".to_owned()));
    }
    let pairs: Vec<(String, String)> = form_urlencoded::parse(raw.as_bytes()).into_owned().collect();
    if pairs.iter().any(|(name, value)| name.contains('\0') || value.contains('\0')) {
        return Err(Error::Malformed("the query contains the character U+0000".to_owned()));
    }
    Ok(pairs)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn seen(pairs: &[(&'static str, &'static str)]) -> Vec<(String, String)> {
        let mut all = HeaderMap::new();
        for (name, value) in pairs {
            all.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        headers(&all)
    }

    #[test]
    fn repeated_headers_are_joined() {
        assert_eq!(seen(&[("accept", "a"), ("accept", "b")]), [("accept".into(), "a, b".into())]);
    }

    #[test]
    fn our_credentials_are_left_out_and_nobody_elses() {
        assert_eq!(seen(&[("authorization", "Bearer pics_x"), ("cookie", "picloud_session=y")]), []);
        assert_eq!(seen(&[("authorization", "Basic x"), ("authorization", "bearer pic_x")]), []);
        assert_eq!(
            seen(&[("cookie", "a=1; picloud_session=y; b=2"), ("authorization", "Bearer theirs")]),
            [("cookie".into(), "a=1; b=2".into()), ("authorization".into(), "Bearer theirs".into())]
        );
    }

    #[test]
    fn the_query_is_decoded_and_nul_is_refused() -> Result<()> {
        assert_eq!(query(Some("a=1+2&a=%C3%A9"))?, [("a".into(), "1 2".into()), ("a".into(), "é".into())]);
        assert!(query(Some("a=%00")).is_err());
        assert!(query(Some("a=%ff")).is_err());
        Ok(())
    }
}
