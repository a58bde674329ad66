//! The capabilities, and the least role that grants each.

use std::fmt;

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

/// Declares the capabilities, each with the least role that grants it and a
/// marker type by which an extractor names it (`InApp<AppRead>`).
macro_rules! capabilities {
    ($($(#[$doc:meta])* $name:ident: $least:expr;)+) => {
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
    InstanceCreateApp: LeastRole::Instance(InstanceRole::Admin);
    /// Change settings, see the system and its metrics.
    InstanceManageSettings: LeastRole::Instance(InstanceRole::Admin);
    /// Read an app, its domains, scripts, versions and routes.
    AppRead: LeastRole::App(AppRole::Viewer);
    /// Read executions and their live stream.
    AppLogRead: LeastRole::App(AppRole::Viewer);
    /// Create, change, delete, restore and run scripts.
    AppWriteScript: LeastRole::App(AppRole::Editor);
    /// Create, change and delete routes.
    AppWriteRoute: LeastRole::App(AppRole::Editor);
    /// Claim and release domains.
    AppManageDomains: LeastRole::App(AppRole::AppAdmin);
    /// Change or delete the app.
    AppAdmin: LeastRole::App(AppRole::AppAdmin);
    /// See and settle what waits, what failed for good, and what nobody waited for.
    AppDeadLetterManage: LeastRole::App(AppRole::AppAdmin);
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
