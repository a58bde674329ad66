//! Floor 6: which route answers. The compiled table lives here, below the
//! doors, because two of them ask it: `ingress` for each request, `api` for
//! `routes/match`.
