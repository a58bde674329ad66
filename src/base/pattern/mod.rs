//! What domains and routes are made of: host and path patterns, methods, and
//! the path of a request as it is compared with them.
//!
//! Everything here is parsed once and trusted afterwards. Parsing brings text
//! into its one canonical form, so that two spellings of the same pattern meet
//! the same constraint in the database. Which of several matching routes
//! answers is decided by [`crate::routing`], in the order written there.

mod host;
mod host_rule;
mod method;
mod param;
mod path;
mod request;
mod rule;

pub use host::{HostName, HostPattern, request_host};
pub use host_rule::{HostKind, HostRule};
pub use method::Method;
pub use param::ParamName;
pub use path::{Bound, End, PathKind, PathPattern, Segment};
pub use request::RequestPath;
pub use rule::{RouteRule, RuleText};
