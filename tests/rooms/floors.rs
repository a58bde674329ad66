//! The floors: a room uses what lies below it, and nothing else.

use crate::code::{Use, paths};

/// The house: each room, the floor it lies on, and what it may use.
const ROOMS: &[(&str, u8, Below)] = &[
    ("base", 0, Below::All),
    ("access", 1, Below::All),
    ("system", 1, Below::All),
    ("config", 2, Below::All),
    ("db", 3, Below::All),
    ("postgres", 3, Below::All),
    ("store", 4, Below::Only(&["base", "access", "db", "system::metrics"])),
    ("engine", 5, Below::Except("postgres")),
    ("events", 6, Below::All),
    ("routing", 6, Below::All),
    ("upkeep", 6, Below::Except("engine")),
    ("web", 7, Below::All),
    ("page", 7, Below::And("web")),
    ("admin", 7, Below::And("web")),
    ("api", 8, Below::All),
    ("ingress", 8, Below::All),
    ("services", 8, Below::All),
    ("ui", 8, Below::All),
    ("boot", 9, Below::All),
    ("cli", 9, Below::And("boot")),
    ("main", 10, Below::All),
];

/// What a room may use.
enum Below {
    /// Every room on a lower floor.
    All,
    /// Every room on a lower floor, and this neighbour.
    And(&'static str),
    /// Every room on a lower floor but this one.
    Except(&'static str),
    /// These alone, a module of a room being named by its path.
    Only(&'static [&'static str]),
}

/// Finds uses of rooms that the table does not allow.
fn upward_uses(path: &str, text: &str) -> Vec<String> {
    let Some((room, depth)) = room_of(path) else { return Vec::new() };
    let Some((_, floor, below)) = ROOMS.iter().find(|(name, ..)| *name == top(&room)) else {
        return vec![format!("{path}: the room {room} is not in the table of tests/rooms/floors.rs")];
    };
    let mut wrong = Vec::new();
    for usage in paths(text) {
        let Some(inside) = from_the_root(&usage, depth) else { continue };
        let Some(used) = inside.first() else { continue };
        let complain = |why: &str| format!("{path}:{}: {room} uses {used}: {why}", usage.line);
        if used == "*" || used == "self" {
            wrong.push(complain("name the rooms, so that this test sees them"));
            continue;
        }
        let Some((name, used_floor, _)) = ROOMS.iter().find(|(name, ..)| name == used) else { continue };
        let allowed = match below {
            Below::All => used_floor < floor,
            Below::And(neighbour) => used_floor < floor || name == neighbour,
            Below::Except(barred) => used_floor < floor && name != barred,
            Below::Only(list) => list.iter().any(|door| inside.join("::").starts_with(door)),
        };
        if !allowed && !is_own(&room, inside) {
            wrong.push(complain("the table of tests/rooms/floors.rs does not allow it"));
        }
    }
    wrong
}

/// The room a file belongs to, and how many modules deep it lies. Each service
/// is a room of its own. `lib.rs` belongs to none: it declares them.
fn room_of(path: &str) -> Option<(String, usize)> {
    let inside = path.strip_prefix("src/")?.strip_suffix(".rs")?;
    let modules: Vec<&str> = inside.split('/').filter(|part| *part != "mod").collect();
    match *modules.first()? {
        "lib" => None,
        "services" if modules.len() > 1 => Some((modules[..2].join("/"), modules.len())),
        room => Some((room.to_owned(), modules.len())),
    }
}

fn top(room: &str) -> &str {
    room.split('/').next().unwrap_or(room)
}

/// Whether a path from the crate's root stays in the room; `services/mod.rs`
/// lists the services, so they are its own.
fn is_own(room: &str, inside: &[String]) -> bool {
    let own: Vec<&str> = room.split('/').collect();
    inside.len() >= own.len() && own.iter().zip(inside).all(|(a, b)| a == b)
}

/// The path from the crate's root on, if it leads there: `crate::`, `picloud::`,
/// or as many `super::` as the file is deep.
fn from_the_root(usage: &Use, depth: usize) -> Option<&[String]> {
    let segments = &usage.segments;
    if segments[0] == "crate" || segments[0] == "picloud" {
        return Some(&segments[1..]);
    }
    let ups = segments.iter().skip_while(|s| *s == "self").take_while(|s| *s == "super").count();
    let names = &segments[segments.len() - segments.iter().rev().take_while(|s| *s != "super").count()..];
    (ups > 0 && ups >= depth + usage.nested).then_some(names)
}

/// Finds where the map in the head of `lib.rs` and the table differ.
fn map_faults(map: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let rows = map.lines().filter_map(|line| line.strip_prefix("//! | ")?.split_once(" | "));
    let mapped: Vec<(&str, &str)> = rows
        .flat_map(|(floor, rest)| {
            rest.split("[`").skip(1).filter_map(move |part| Some((floor, part.split_once('`')?.0)))
        })
        .collect();
    for (floor, room) in &mapped {
        if !ROOMS.iter().any(|(name, number, _)| name == room && number.to_string() == *floor) {
            wrong.push(format!("src/lib.rs puts {room} on floor {floor}, tests/rooms/floors.rs does not"));
        }
    }
    for room in map.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')) {
        if !mapped.iter().any(|(_, name)| *name == room) {
            wrong.push(format!("src/lib.rs: {room} is missing in the map at its head"));
        }
    }
    wrong
}

#[test]
fn the_map_at_the_entrance_shows_the_same_floors() {
    assert_eq!(map_faults(&crate::read("src/lib.rs")), Vec::<String>::new());
    assert_eq!(
        map_faults("//! | 0 | [`base`], [`access`] | words |\npub mod base;\npub mod attic;").len(),
        2
    );
}

#[test]
fn rooms_use_only_lower_floors() {
    crate::obeyed(&["src"], upward_uses);
}

#[test]
fn planted_upward_and_sideways_uses_are_found() {
    let planted = [
        ("src/base/error.rs", "use crate::access::Capability;"),
        ("src/base/error.rs", "fn f(c: &crate::store::app::App) {}"),
        ("src/system/log.rs", "use crate::{base::Error, config::Config};"),
        ("src/db/mod.rs", "use super::postgres::Server;"),
        ("src/store/app.rs", "use super::super::engine::Engine;"),
        ("src/store/app.rs", "use crate::config::Config;"),
        ("src/store/app.rs", "use crate::system::tasks::Tasks;"),
        ("src/engine/mod.rs", "use crate::events::Dispatcher;"),
        ("src/engine/gate.rs", "use crate::postgres;\nuse crate::postgres::Server;"),
        ("src/engine/mod.rs", "mod tests { use super::super::web::State; }"),
        ("src/upkeep/mod.rs", "use crate::engine::Engine;"),
        ("src/web/mod.rs", "use crate::page::Page;"),
        ("src/api/apps.rs", "use crate::ui::home;"),
        ("src/ingress/mod.rs", "use picloud::api::apps;"),
        ("src/services/kv/sdk.rs", "use crate::services::docs::store;"),
        ("src/boot.rs", "use crate::cli::Exit;"),
        ("src/api/apps.rs", "use crate::*;"),
        ("src/attic/mod.rs", "use crate::base::Error;"),
    ];
    for (path, text) in planted {
        let found = upward_uses(path, text);
        assert!(!found.is_empty(), "not found: {path}: {text}");
    }
}

#[test]
fn what_the_table_allows_is_not_complained_of() {
    let fine = [
        ("src/base/error.rs", "use crate::base::Result; // not crate::store"),
        (
            "src/store/app.rs",
            "use crate::{access::Capability, base::{Error, Result}, system::metrics::Metrics};",
        ),
        ("src/store/app.rs", "use super::domain; mod tests { use super::*; use super::super::domain; }"),
        ("src/page/layout.rs", "use crate::web::State;"),
        ("src/api/mod.rs", "use super::{web::State, store};\npub(crate) fn f() { self::g() }"),
        ("src/services/mod.rs", "use crate::services::kv;"),
        ("src/services/kv/sdk.rs", "use crate::services::kv::store; use crate::engine::Call;"),
        ("src/main.rs", "fn main() { picloud::cli::run() }"),
        ("src/lib.rs", "pub mod base; pub use crate::base::Error;"),
        ("src/base/id.rs", "crate::id_types! { AppId }"),
        ("src/base/id.rs", "const WORDS: &str = \"crate::store::app\";"),
    ];
    for (path, text) in fine {
        assert_eq!(upward_uses(path, text), Vec::<String>::new());
    }
}
