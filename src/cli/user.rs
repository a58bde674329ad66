//! `picloud user`: adds people and resets passwords on the machine itself,
//! whether PiCloud runs or not. Whoever can do this owns the machine already.

use std::process::ExitCode;

use clap::Subcommand;
use sqlx::{Connection as _, PgConnection, PgPool};

use super::{Exit, Failure, Settings, data_dir, print, runtime, secret};
use crate::{
    access::{InstanceRole, password},
    admin::console,
    base::name::Username,
    boot,
    config::Config,
    db,
    postgres::{self, Layout, Program, Server},
    store::user::NewUser,
    system::{hardware::Hardware, log},
};

/// Connections of a command, with what the server keeps for itself.
const CONNECTIONS: u32 = 10;

/// What can be done to people here.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Add a person; the password is asked for, or read from standard input
    Add {
        /// The name to sign in with
        name: String,
        /// What the person may do in the instance
        #[arg(long, value_parser = ["member", "admin", "owner"], default_value = "member")]
        role: String,
        #[command(flatten)]
        how: How,
    },
    /// Give a person another password, and end their sessions: the way back in
    ResetPassword {
        /// The name the person signs in with
        name: String,
        #[command(flatten)]
        how: How,
    },
}

/// Where the password comes from, and which database it is about.
#[derive(Debug, clap::Args)]
pub(super) struct How {
    /// Make the password up and print it, this once
    #[arg(long)]
    generate: bool,
    #[command(flatten)]
    settings: Settings,
}

/// What is to be done.
enum Act {
    Add(InstanceRole),
    Reset,
}

/// Does it, and prints what was done, or the password if it was made up.
pub(super) fn run(command: Command) -> Result<ExitCode, Failure> {
    let (name, act, how) = match command {
        Command::Add { name, role, how } => (name, Act::Add(role_named(&role)), how),
        Command::ResetPassword { name, how } => (name, Act::Reset, how),
    };
    let hardware = Hardware::detect();
    let config = how.settings.load(&hardware)?;
    log::init(&config.log)?;
    let username: Username =
        name.parse().map_err(|why| Failure::new(Exit::Refused, format!("the user name {why}")))?;
    let password = if how.generate { password::generate()? } else { secret::ask(&username)? };
    password::check_strength(&password, &username)?;
    if config.database.url.is_none() {
        data_dir::enter(&config)?;
    }
    let act = async {
        let (server, db) = open(&config, hardware).await?;
        let done = acted(&db, act, &username, &password).await;
        db.close().await;
        if let Some(server) = server {
            server.stop().await?;
        }
        Ok::<_, Failure>(done?)
    };
    let done = runtime(1)?.block_on(act)?;
    print(&format!("{}\n", if how.generate { password } else { done }))
}

/// The role of this name; clap lets no other through.
fn role_named(name: &str) -> InstanceRole {
    match name {
        "owner" => InstanceRole::Owner,
        "admin" => InstanceRole::Admin,
        _ => InstanceRole::Member,
    }
}

/// Does it and says what was done.
async fn acted(db: &PgPool, act: Act, username: &Username, password: &str) -> anyhow::Result<String> {
    db::migrate(db).await?;
    let hash = password::hash(boot::password_cost(db).await?, password.to_owned()).await?;
    Ok(match act {
        Act::Add(instance_role) => {
            let new =
                NewUser { username, display_name: None, email: None, password_hash: &hash, instance_role };
            let user = console::add_user(db, new).await?;
            format!("added {} ({})", user.username, user.instance_role)
        }
        Act::Reset => {
            let (user, sessions) = console::reset_password(db, username, &hash).await?;
            let ended = if sessions == 1 { "1 session".to_owned() } else { format!("{sessions} sessions") };
            let asleep = if user.active { "" } else { "; the user is deactivated and cannot sign in" };
            format!("{} has another password; {ended} ended{asleep}", user.username)
        }
    })
}

/// The database: the one that is configured, our own where it runs already, or else started for this.
async fn open(config: &Config, hardware: Hardware) -> anyhow::Result<(Option<Server>, PgPool)> {
    if let Some(url) = &config.database.url {
        return Ok((None, db::connect(url.expose().parse()?, 1).await?));
    }
    let options = Layout::new(&config.data_dir).connect_options();
    if let Ok(connection) = PgConnection::connect_with(&options).await {
        connection.close().await?;
        return Ok((None, db::connect(options, 1).await?));
    }
    let settings = postgres::Settings {
        data_dir: config.data_dir.clone(),
        hardware,
        max_connections: CONNECTIONS,
        extra: Vec::new(),
    };
    let server = Server::start(Program::this(), settings).await?;
    let db = db::connect(server.connect_options(), 1).await?;
    Ok((Some(server), db))
}
