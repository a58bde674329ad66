//! Whether the time to find a route grows with the number of routes.

use std::{fmt::Write as _, hint::black_box, time::Duration, time::Instant};

use picloud::{
    base::{
        id::{AppId, RouteId, ScriptId},
        pattern::{HostKind, PathKind, RequestPath, RouteRule, RuleText},
    },
    routing::{Asked, Entry, Script, Source, Table},
    store::{
        route::{AppRow, DispatchMode},
        script::Sandbox,
    },
};

use crate::load::{Spread, spread};

/// Look-ups timed in one round.
const LOOKUPS: u32 = 200_000;

/// Look-ups among 10 and among 10 000 routes, in interleaved rounds.
pub(crate) fn report(rounds: usize) -> Result<String, String> {
    let tables = [(10, table(10)?), (10_000, table(10_000)?)];
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..rounds {
        for ((routes, table), times) in tables.iter().zip(&mut times) {
            times.push(nanoseconds(table, *routes)?);
        }
    }
    let mut text =
        "### Finding a route\n\n| routes | ns per look-up (spread) | ratio |\n|---|---|---|\n".to_owned();
    let [few, many] = times.map(|times| spread(times.into_iter()));
    let first = few.median;
    for ((routes, _), Spread { median, least, most }) in tables.iter().zip([few, many]) {
        let ratio = median / first;
        writeln!(text, "| {routes} | {median:.0} ({least:.0} to {most:.0}) | {ratio:.2} |")
            .map_err(|e| e.to_string())?;
    }
    Ok(text)
}

/// Asks for routes all over the table, so that caches help no size more than another would in use.
fn nanoseconds(table: &Table, routes: usize) -> Result<f64, String> {
    let paths: Vec<RequestPath> = (0..10)
        .map(|n| RequestPath::parse(&format!("/area{0}/things/{n}/part{0}", n * (routes / 10))))
        .collect::<Result<_, _>>()?;
    let start = Instant::now();
    for (_, path) in (0..LOOKUPS).zip(paths.iter().cycle()) {
        let asked = Asked { host: "pi.local", is_own: true, method: "GET", path };
        black_box(table.look_up(black_box(asked)));
    }
    Ok(start.elapsed().as_secs_f64() * 1e9 / f64::from(LOOKUPS))
}

/// A table of `routes` routes of one app, each with a parameter.
fn table(routes: usize) -> Result<Table, String> {
    let app = AppId::new();
    let slug = "bench".parse()?;
    let mut entries = Vec::with_capacity(routes);
    for n in 0..routes {
        let path = format!("/area{n}/things/{{id}}/part{n}");
        let text = RuleText {
            host_kind: HostKind::Any,
            host: None,
            host_param_name: None,
            path_kind: PathKind::Param,
            path: &path,
            method: Some("GET"),
        };
        entries.push(Entry {
            id: RouteId::new(),
            app_id: app,
            app_slug: Clone::clone(&slug),
            script: Script {
                id: ScriptId::new(),
                name: "script".parse()?,
                version: 1,
                timeout: Duration::from_secs(30),
                sandbox: Sandbox::default(),
            },
            rule: RouteRule::parse(text).map_err(|e| format!("{e:?}"))?,
            dispatch_mode: DispatchMode::Sync,
        });
    }
    Ok(Table::new(Source {
        apps: vec![AppRow { id: app, slug, is_default: true, cors: None }],
        old_slugs: vec![],
        domains: vec![],
        entries,
    }))
}
