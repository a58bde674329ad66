//! The server's configuration files: rendered anew at every start.

use std::{
    fs::{self, File},
    io::Write,
    path::Path,
};

use anyhow::Context;
use askama::Template;
use nix::unistd::{Uid, User};

use super::{
    ROLE, Settings,
    layout::{Layout, PORT},
    tuning::{Tuning, tuning},
};

#[derive(Template)]
#[template(path = "postgresql.conf", escape = "none")]
struct Server<'a> {
    major: u32,
    socket_directory: String,
    port: u16,
    tuning: Tuning,
    extra: &'a [(String, String)],
}

#[derive(Template)]
#[template(path = "pg_hba.conf", escape = "none")]
struct Access {
    role: &'static str,
}

#[derive(Template)]
#[template(path = "pg_ident.conf", escape = "none")]
struct Identities {
    role: &'static str,
    owner: String,
}

/// Writes the files for the server of `major` into the cluster.
pub(super) fn write(settings: &Settings, layout: &Layout, major: u32) -> anyhow::Result<()> {
    let owner = Uid::effective();
    let owner = User::from_uid(owner)?.map_or_else(|| owner.to_string(), |user| user.name);
    let server = Server {
        major,
        socket_directory: layout.socket_directory().display().to_string(),
        port: PORT,
        tuning: tuning(&settings.hardware, settings.max_connections),
        extra: &settings.extra,
    };
    let cluster = layout.cluster();
    replace(&cluster.join("pg_ident.conf"), &Identities { role: ROLE, owner }.render()?)?;
    replace(&cluster.join("pg_hba.conf"), &Access { role: ROLE }.render()?)?;
    replace(&cluster.join("postgresql.conf"), &server.render()?)
}

/// Replaces a file as a whole: a power cut leaves the old one or the new one.
/// One that would not change is not written again.
fn replace(path: &Path, text: &str) -> anyhow::Result<()> {
    if fs::read_to_string(path).is_ok_and(|old| old == text) {
        return Ok(());
    }
    let beside = path.with_extension("conf.new");
    File::create(&beside)
        .and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&beside, path))
        .with_context(|| format!("could not write {}", path.display()))
}

/// A value as the configuration file wants it.
fn quoted(value: &str) -> String {
    format!("'{}'", value.replace('\'', "''"))
}
