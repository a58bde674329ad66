//! What a run is told: who called, which script runs, and the request.
//!
//! Plain data made by a front door or the dispatcher; the script thread turns
//! it into `ctx`. Nothing of the script language is in here, so it may cross
//! threads and be built long before it is used.

use super::body::Body;
use crate::base::{
    id::{AppId, ExecutionId, ScriptId, UserId},
    name::{ScriptName, Slug},
};

/// Everything one attempt may see through `ctx`.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// The event's way through this script, shared by all its attempts.
    pub execution_id: ExecutionId,
    /// The execution that began the chain this one belongs to.
    pub root_execution_id: ExecutionId,
    /// The id of the request that caused it, as the caller saw it in `X-Request-Id`.
    pub request_id: String,
    /// The number of this run, from 1.
    pub attempt: u32,
    /// How many events lie between the root and this run.
    pub trigger_depth: u32,
    /// The app the script belongs to.
    pub app: AppRef,
    /// The script.
    pub script: ScriptRef,
    /// What set it off.
    pub kind: Kind,
    /// The request of an http or manual run.
    pub request: Request,
    /// On whose behalf it runs; `None` for an anonymous caller.
    pub principal: Option<Principal>,
}

/// The app a run belongs to.
#[derive(Clone, Debug)]
pub struct AppRef {
    /// Its id.
    pub id: AppId,
    /// Its slug when the run was made.
    pub slug: Slug,
}

/// The script a run executes.
#[derive(Clone, Debug)]
pub struct ScriptRef {
    /// Its id.
    pub id: ScriptId,
    /// Its name when the run was made.
    pub name: ScriptName,
    /// The version that runs; `None` for a draft that is run unsaved.
    pub version: Option<i32>,
}

/// What set a run off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A request to a route.
    Http,
    /// A person, through the admin API.
    Manual,
}

impl Kind {
    /// The name scripts see in `ctx.invocation`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Manual => "manual",
        }
    }
}

/// On whose behalf a run happens.
#[derive(Clone, Debug)]
pub struct Principal {
    /// The user's id.
    pub id: UserId,
    /// The user's name.
    pub username: String,
    /// The role in the app or the instance, if there is one.
    pub role: Option<String>,
}

/// A request as scripts see it.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// The method, upper case.
    pub method: String,
    /// The path without `/~slug`.
    pub path: String,
    /// The host name asked for.
    pub host: String,
    /// Header names in lower case; repeated headers already joined with `", "`.
    pub headers: Vec<(String, String)>,
    /// The decoded query in its order; a key may be repeated.
    pub query: Vec<(String, String)>,
    /// The route's parameters, percent-decoded; `None` where an optional one is absent.
    pub params: Vec<(String, Option<String>)>,
    /// What follows the prefix of a prefix route, percent-decoded, without its leading slash.
    pub rest: Option<String>,
    /// The body.
    pub body: Body,
    /// The address of the caller.
    pub remote_addr: String,
}
