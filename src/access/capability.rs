//! The capabilities, the least role that grants each, and the scope that covers it.

use std::fmt;

use super::scope::Scope;

/// A person's role in the whole instance; a later one may do all an earlier one may.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    serde::Serialize,
    serde::Deserialize,
    sqlx::Type,
    schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum InstanceRole {
    /// Has only what memberships of apps give.
    Member,
    /// Runs the instance, and every app in it.
    Admin,
    /// An admin who may also make and remove owners.
    Owner,
}

/// A person's role in one app; a later one may do all an earlier one may.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    serde::Serialize,
    serde::Deserialize,
    sqlx::Type,
    schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum AppRole {
    /// Reads the app, its log and its data.
    Viewer,
    /// Also writes scripts, routes and data.
    Editor,
    /// Also manages domains, triggers, members and the app itself.
    AppAdmin,
}

/// The least role that grants a capability.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeastRole {
    /// Granted by a role in the instance.
    Instance(InstanceRole),
    /// Granted by a role in the app.
    App(AppRole),
}

/// Declares the capabilities, each with the least role that grants it, the
/// scope an API key needs for it, and a marker type by which an extractor
/// names it (`InApp<AppRead>`).
macro_rules! capabilities {
    ($($(#[$doc:meta])* $name:ident: $least:expr, $scope:ident;)+) => {
        /// What a check asks for.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Capability {
            $($(#[$doc])* $name,)+
        }

        impl Capability {
            /// Every capability there is.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The least role that grants it.
            pub const fn least_role(self) -> LeastRole {
                match self {
                    $(Self::$name => $least,)+
                }
            }

            /// The scope that covers it.
            pub const fn scope(self) -> Scope {
                match self {
                    $(Self::$name => Scope::$scope,)+
                }
            }

            /// Its name, as errors and the documentation show it.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)+
                }
            }
        }

        /// Marker types, one for each capability, for extractors to be generic over.
        pub mod needs {
            /// A type that names one capability.
            pub trait Needs: Send + Sync + 'static {
                /// The capability it names.
                const CAPABILITY: super::Capability;
            }

            $(
                $(#[$doc])*
                #[derive(Debug)]
                pub struct $name;

                impl Needs for $name {
                    const CAPABILITY: super::Capability = super::Capability::$name;
                }
            )+
        }
    };
}

capabilities! {
    /// Create an app.
    InstanceCreateApp: LeastRole::Instance(InstanceRole::Admin), InstanceAdmin;
    /// Make, change and remove users; end their sessions.
    InstanceManageUsers: LeastRole::Instance(InstanceRole::Admin), InstanceAdmin;
    /// Change settings, see the system and its metrics.
    InstanceManageSettings: LeastRole::Instance(InstanceRole::Admin), InstanceAdmin;
    /// Read an app, its domains, scripts, versions and routes.
    AppRead: LeastRole::App(AppRole::Viewer), ScriptRead;
    /// Read executions and their live stream.
    AppLogRead: LeastRole::App(AppRole::Viewer), LogRead;
    /// Create, change, delete, restore and run scripts.
    AppWriteScript: LeastRole::App(AppRole::Editor), ScriptWrite;
    /// Create, change and delete routes.
    AppWriteRoute: LeastRole::App(AppRole::Editor), RouteWrite;
    /// Claim and release domains.
    AppManageDomains: LeastRole::App(AppRole::AppAdmin), DomainManage;
    /// Change or delete the app, manage its members.
    AppAdmin: LeastRole::App(AppRole::AppAdmin), AppAdmin;
    /// See and settle what waits, what failed for good, and what nobody waited for.
    AppDeadLetterManage: LeastRole::App(AppRole::AppAdmin), AppAdmin;
}

impl fmt::Display for AppRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AppAdmin => "app_admin",
            Self::Editor => "editor",
            Self::Viewer => "viewer",
        })
    }
}

impl fmt::Display for InstanceRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Member => "member",
        })
    }
}
