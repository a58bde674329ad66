//! Floor 6: which route answers. The compiled table lives here, below the
//! doors, because two of them ask it: `ingress` for each request, `api` for
//! `routes/match`.
//!
//! The table is compiled once for each change and swapped in whole; a look-up
//! takes no lock and makes no query.

mod app;
mod entry;
mod routes;
mod table;
#[cfg(test)]
mod tests;
mod trie;

pub use app::Match;
pub use entry::{Entry, Script};
pub use routes::Routes;
pub use table::{Answer, Asked, Site, Source, Table};

/// The channel on which nodes tell one another that the table has changed.
pub const CHANGED: &str = "picloud_routes";
