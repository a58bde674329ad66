//! The flags of the configuration, made of the slice of keys.

use std::path::{Path, PathBuf};

use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};

use super::Failure;
use crate::{
    config::{self, Config, KEYS, Key, Slot},
    system::hardware::Hardware,
};

/// What the command line says about the configuration.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The file that `--config` named.
    file: Option<PathBuf>,
    /// Keys that were given as flags, with their values.
    flags: Vec<(&'static str, String)>,
}

impl Settings {
    /// Resolves the configuration: defaults, file, environment, flags.
    pub fn load(&self, machine: &Hardware) -> Result<Config, Failure> {
        let default = Path::new(config::DEFAULT_FILE);
        // One that cannot be looked at is there, and reading it will tell why not.
        let default = default.try_exists().unwrap_or(true).then_some(default);
        let flags: Vec<(&str, &str)> =
            self.flags.iter().map(|(name, value)| (*name, value.as_str())).collect();
        Ok(Config::load(self.file.as_deref().or(default), config::environment(), &flags, machine)?)
    }
}

impl FromArgMatches for Settings {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let value = |key: &Key| Some((key.name, matches.get_one::<String>(key.name)?.clone()));
        Ok(Self { file: matches.get_one("config").cloned(), flags: KEYS.iter().filter_map(value).collect() })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for Settings {
    fn augment_args(command: Command) -> Command {
        let file = Arg::new("config")
            .long("config")
            .value_name("FILE")
            .value_parser(clap::value_parser!(PathBuf))
            .help(format!("The configuration file, instead of {}", config::DEFAULT_FILE));
        KEYS.iter().map(flag).fold(command.next_help_heading("Configuration").arg(file), Command::arg)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

/// The flag of one key. A value may begin with a hyphen, so that the answer to
/// a negative number is what is allowed. A switch alone means yes.
fn flag(key: &Key) -> Arg {
    let flag = Arg::new(key.name)
        .long(key.flag())
        .value_name(value_name(&key.slot))
        .allow_hyphen_values(true)
        .help(format!("{} [{}]", key.doc, key.variable()));
    if matches!(key.slot, Slot::Switch(_)) {
        flag.num_args(0..=1).require_equals(true).default_missing_value("true")
    } else {
        flag
    }
}

fn value_name(slot: &Slot) -> &'static str {
    match slot {
        Slot::Count(..) | Slot::Large(..) | Slot::Units(..) => "NUMBER",
        Slot::Size(..) => "SIZE",
        Slot::Floor(..) => "auto|SIZE",
        Slot::Span(..) => "TIME",
        Slot::Growth(_) => "exponential|linear|constant",
        Slot::Switch(_) => "true|false",
        Slot::Address(_) => "ADDRESS:PORT",
        Slot::Directory(_) => "DIR",
        Slot::Names(_) => "NAMES",
        Slot::Networks(_) => "NETWORKS",
        Slot::DatabaseUrl(_) => "URL",
        Slot::Filter(_) => "FILTER",
        Slot::LogFormat(_) => "auto|text|json|journal",
        Slot::Claim(_) => "start|install|boot",
    }
}
