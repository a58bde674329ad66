//! Host and path patterns of domains and routes: parsing, matching, and which of two is more specific.
