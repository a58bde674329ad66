//! Path patterns of routes.

use std::fmt;

use super::{
    ParamName, RequestPath,
    request::{decode_segment, is_reserved, split},
};

/// How a route's path is meant.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema, sqlx::Type,
)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum PathKind {
    /// This path alone.
    Exact,
    /// This path and everything below it, in whole segments.
    Prefix,
    /// Segments in braces match any one segment; a last `{*name}` takes the remainder.
    Param,
}

/// One segment of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Segment {
    /// This text, once decoded. An empty one is last: a trailing slash.
    Literal(String),
    /// Any text that is not empty.
    Param(ParamName),
}

/// What follows a pattern's segments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// Nothing.
    Here,
    /// Nothing, or a slash and anything.
    Prefix,
    /// A slash and anything, which is bound to the name.
    Remainder(ParamName),
}

/// A route's path, in canonical form.
///
/// Its text is percent-decoded, except for what would be read as syntax when
/// parsed again (`%`, braces, `?`, `#` and control characters): parsing what
/// `Display` wrote gives the same pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathPattern {
    kind: PathKind,
    segments: Vec<Segment>,
    end: End,
}

/// Bounds of a pattern, so that looking one up is bounded too.
const MAX_BYTES: usize = 2048;
const MAX_SEGMENTS: usize = 32;

impl PathPattern {
    /// Reads a route's path; the error says what is allowed.
    pub fn parse(kind: PathKind, text: &str) -> Result<Self, String> {
        let inner = text.strip_prefix('/').ok_or("must begin with a slash, such as /hello")?;
        if text.len() > MAX_BYTES || inner.split('/').count() > MAX_SEGMENTS {
            return Err(format!("must have at most {MAX_BYTES} bytes and {MAX_SEGMENTS} segments"));
        }
        if let Some(mark) = text.chars().find(|c| matches!(c, '?' | '#')) {
            return Err(format!("must be a path alone: write a {mark} that belongs to it percent-encoded"));
        }
        let mut pattern = Self { kind, segments: Vec::new(), end: End::Here };
        let mut rest = Some(inner);
        while let Some(segments) = rest {
            let (segment, behind) = split(segments);
            pattern.push(segment, behind.is_none())?;
            rest = behind;
        }
        pattern.check_names()?;
        pattern.check_reserved()?;
        Ok(pattern)
    }

    fn push(&mut self, raw: &str, is_last: bool) -> Result<(), String> {
        if raw.is_empty() && !is_last {
            return Err("must not contain an empty segment (//)".to_owned());
        }
        if raw.contains(['{', '}']) {
            return self.push_braces(raw, is_last);
        }
        let literal = decode_segment(raw)?.into_owned();
        if self.kind == PathKind::Prefix && is_last {
            // A prefix takes itself with and without a slash, so a final one adds nothing.
            self.end = End::Prefix;
            if literal.is_empty() {
                return Ok(());
            }
        }
        self.segments.push(Segment::Literal(literal));
        Ok(())
    }

    fn push_braces(&mut self, raw: &str, is_last: bool) -> Result<(), String> {
        if self.kind != PathKind::Param {
            return Err("has braces: parameters need path_kind param; a brace that is meant literally is \
                        written %7B or %7D"
                .to_owned());
        }
        let inner = raw.strip_prefix('{').and_then(|r| r.strip_suffix('}')).ok_or(
            "a parameter takes a whole segment, as in /users/{id}; a brace that is meant literally is \
             written %7B or %7D",
        )?;
        match inner.strip_prefix('*') {
            None => self.segments.push(Segment::Param(inner.parse()?)),
            Some(name) if is_last => self.end = End::Remainder(name.parse()?),
            Some(_) => return Err(format!("{raw} takes the remainder, so it must be the last segment")),
        }
        Ok(())
    }

    fn check_names(&self) -> Result<(), String> {
        let names: Vec<&ParamName> = self.param_names().collect();
        match names.iter().enumerate().find(|(i, name)| names[..*i].contains(name)) {
            Some((_, name)) => Err(format!("uses the parameter name {name} twice")),
            None => Ok(()),
        }
    }

    fn check_reserved(&self) -> Result<(), String> {
        let literal = |i: usize| match self.segments.get(i) {
            Some(Segment::Literal(text)) => Some(text.as_str()),
            Some(Segment::Param(_)) | None => None,
        };
        let Some(first) = literal(0) else { return Ok(()) };
        if first.starts_with('~') {
            return Err("must not begin with ~, which addresses an app by its slug".to_owned());
        }
        if is_reserved(first, literal(1)) {
            return Err("is reserved for PiCloud: admin, healthz, readyz, version, metrics and realtime as \
                        the first segment, and everything under /api/v1"
                .to_owned());
        }
        Ok(())
    }

    /// The kind it was given as.
    pub fn kind(&self) -> PathKind {
        self.kind
    }

    /// The segments, without what [`End`] stands for.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// What follows the segments.
    pub fn end(&self) -> &End {
        &self.end
    }

    /// The names of the parameters and the remainder, from left to right.
    pub fn param_names(&self) -> impl Iterator<Item = &ParamName> {
        let remainder = match &self.end {
            End::Remainder(name) => Some(name),
            End::Here | End::Prefix => None,
        };
        let params = self.segments.iter().filter_map(|segment| match segment {
            Segment::Param(name) => Some(name),
            Segment::Literal(_) => None,
        });
        params.chain(remainder)
    }

    /// The pattern with its names erased: two routes with the same shape match
    /// the same paths. A prefix, a remainder and an exact path differ; literal
    /// text cannot be mistaken for a mark, since its braces are encoded.
    pub fn shape(&self) -> String {
        let segments = self.segments.iter().map(|segment| match segment {
            Segment::Literal(text) => format!("/{}", Encoded(text)),
            Segment::Param(_) => "/{}".to_owned(),
        });
        let end = match self.end {
            End::Here => "",
            End::Prefix => "{/}",
            End::Remainder(_) => "/{*}",
        };
        segments.collect::<String>() + end
    }

    /// Takes what the pattern binds out of a path, or gives none if it does not match.
    pub fn bind<'p>(&self, path: &'p RequestPath) -> Option<Bound<'_, 'p>> {
        let mut bound = Bound { params: Vec::new(), rest: None };
        let mut left = Some(path.segments());
        for segment in &self.segments {
            let (text, behind) = split(left?);
            match segment {
                Segment::Literal(literal) if literal == text => {}
                Segment::Param(name) if !text.is_empty() => bound.params.push((name, text)),
                Segment::Literal(_) | Segment::Param(_) => return None,
            }
            left = behind;
        }
        match (&self.end, left) {
            (End::Here, None) => {}
            (End::Here, Some(_)) => return None,
            (End::Prefix, _) => bound.rest = Some(left.unwrap_or_default()),
            (End::Remainder(name), _) => {
                bound.params.push((name, left?));
                bound.rest = left;
            }
        }
        Some(bound)
    }
}

/// What a pattern bound in a path.
#[derive(Debug, PartialEq, Eq)]
pub struct Bound<'n, 'p> {
    /// Each parameter with its text, from left to right, the remainder last.
    pub params: Vec<(&'n ParamName, &'p str)>,
    /// What a prefix or a remainder took, without its leading slash.
    pub rest: Option<&'p str>,
}

/// Writes literal text as it can be parsed again.
struct Encoded<'t>(&'t str);

impl fmt::Display for Encoded<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '%' | '{' | '}' | '?' | '#' | '\0'..='\x1f' | '\x7f' => write!(f, "%{:02X}", c as u32)?,
                _ => write!(f, "{c}")?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for segment in &self.segments {
            match segment {
                Segment::Literal(text) => write!(f, "/{}", Encoded(text))?,
                Segment::Param(name) => write!(f, "/{{{name}}}")?,
            }
        }
        match &self.end {
            End::Prefix if self.segments.is_empty() => f.write_str("/"),
            End::Here | End::Prefix => Ok(()),
            End::Remainder(name) => write!(f, "/{{*{name}}}"),
        }
    }
}

#[cfg(test)]
mod tests;
