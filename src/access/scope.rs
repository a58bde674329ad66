//! Scopes: what an API key may be used for.

use std::{collections::BTreeSet, fmt, str::FromStr};

use super::capability::Capability;

/// Declares the scopes with their names and what they allow in words.
macro_rules! scopes {
    ($(#[doc = $words:literal] $variant:ident: $name:literal;)+) => {
        /// One thing an API key may be used for. No scope implies another.
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord,
            serde::Serialize, serde::Deserialize, schemars::JsonSchema,
        )]
        pub enum Scope {
            $(#[doc = $words] #[serde(rename = $name)] $variant,)+
        }

        impl Scope {
            /// Every scope there is.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Its name, as keys are made with it.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }

            /// What it allows, in a sentence.
            pub const fn words(self) -> &'static str {
                match self {
                    $(Self::$variant => $words.trim_ascii(),)+
                }
            }
        }
    };
}

scopes! {
    /// Create apps, manage users, settings and the system.
    InstanceAdmin: "instance:admin";
    /// Change and delete apps, manage members, triggers and what waits to run.
    AppAdmin: "app:admin";
    /// Claim and release domains.
    DomainManage: "domain:manage";
    /// Create, change and delete routes.
    RouteWrite: "route:write";
    /// Create, change, delete and run scripts; write stored data.
    ScriptWrite: "script:write";
    /// Read apps, scripts, routes, domains and stored data.
    ScriptRead: "script:read";
    /// Read the execution log.
    LogRead: "log:read";
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Scope {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let all = || Self::ALL.iter().map(|scope| scope.name()).collect::<Vec<_>>().join(", ");
        let found = Self::ALL.iter().find(|scope| scope.name() == text);
        found.copied().ok_or_else(|| format!("must be one of {}", all()))
    }
}

/// What one API key may be used for: at least one scope.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(try_from = "BTreeSet<Scope>")]
#[schemars(transparent)]
pub struct Scopes(#[schemars(length(min = 1))] BTreeSet<Scope>);

impl Scopes {
    /// Whether one of them covers `capability`.
    pub fn cover(&self, capability: Capability) -> bool {
        self.0.contains(&capability.scope())
    }

    /// The scopes, in the order of [`Scope::ALL`].
    pub fn iter(&self) -> impl Iterator<Item = Scope> {
        self.0.iter().copied()
    }

    /// Their names, as they are stored.
    pub fn names(&self) -> Vec<&'static str> {
        self.0.iter().map(|scope| scope.name()).collect()
    }
}

impl TryFrom<BTreeSet<Scope>> for Scopes {
    type Error = &'static str;

    fn try_from(scopes: BTreeSet<Scope>) -> Result<Self, Self::Error> {
        if scopes.is_empty() { Err("must name at least one scope") } else { Ok(Self(scopes)) }
    }
}

impl From<Vec<String>> for Scopes {
    /// As they were stored. A name that is not known was stored by a newer release, and allows nothing here.
    fn from(names: Vec<String>) -> Self {
        Self(names.iter().filter_map(|name| name.parse().ok()).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Scopes, String> {
        serde_json::from_str(json).map_err(|e| e.to_string())
    }

    #[test]
    fn a_scope_covers_its_own_capabilities_and_no_other() -> Result<(), String> {
        for scope in Scope::ALL {
            let one = read(&format!(r#"["{scope}"]"#))?;
            for capability in Capability::ALL {
                assert_eq!(one.cover(*capability), capability.scope() == *scope, "{scope} {capability:?}");
            }
        }
        Ok(())
    }

    #[test]
    fn scopes_are_written_once_each_and_never_none() -> Result<(), String> {
        let read_twice = read(r#"["log:read", "script:read", "log:read"]"#)?;
        assert_eq!(read_twice.names(), ["script:read", "log:read"]);
        assert!(read("[]").is_err_and(|why| why.contains("at least one")));
        assert!(read(r#"["log:write"]"#).is_err_and(|why| why.contains("log:read")));
        assert_eq!(Scopes::from(vec!["from:tomorrow".to_owned()]).names(), Vec::<&str>::new());
        Ok(())
    }
}
