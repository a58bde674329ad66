//! Who is calling, and whether they may.

use std::net::IpAddr;

use super::{
    Actor,
    capability::{AppRole, Capability, InstanceRole, LeastRole},
    scope::Scopes,
};
use crate::base::{
    Error, Result,
    id::{ApiKeyId, AppId, SessionId, UserId},
    name::Username,
};

/// The person behind a call.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct User {
    /// The person's id.
    pub id: UserId,
    /// The name the person signs in with.
    pub username: Username,
    /// What the person may do in the instance.
    #[sqlx(rename = "instance_role")]
    pub role: InstanceRole,
}

/// What a call was authenticated by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum By {
    /// A session: the person themselves.
    Session(SessionId),
    /// A key: a program of theirs.
    Key(Key),
}

/// The API key a call came with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Its id.
    pub id: ApiKeyId,
    /// Its visible part.
    pub prefix: String,
    /// What it may be used for.
    pub scopes: Scopes,
    /// The only app it reaches, if it is bound to one.
    pub app: Option<AppId>,
}

/// An authenticated caller of the administration.
///
/// What somebody may in an app depends on their role there, which is looked up
/// with each call: [`Caller::in_app`] takes the caller into an app, and from
/// then on [`Caller::may`] judges by the role there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The person.
    pub user: User,
    /// What the call was authenticated by.
    pub by: By,
    /// The address the call came from, where one is known.
    pub address: Option<IpAddr>,
    /// The app the call is about.
    app: Option<AppId>,
    /// The role in that app.
    role: Option<AppRole>,
}

impl Caller {
    /// Somebody who has just been recognised, in no app yet.
    pub fn new(user: User, by: By) -> Self {
        Self { user, by, address: None, app: None, role: None }
    }

    /// The caller with the address the call came from.
    #[must_use]
    pub fn calling_from(self, address: IpAddr) -> Self {
        Self { address: Some(address), ..self }
    }

    /// The caller as the audit log names them.
    pub fn actor(&self) -> Actor {
        let key = self.key().map(|key| key.prefix.clone());
        Actor { key, ..Actor::person(self.user.id, &self.user.username, self.address) }
    }

    /// The caller in `app`, where `member` is the role they were given; nobody
    /// if they have no business there. Who runs the instance administers
    /// every app; a key that is bound to another app reaches none but that.
    pub fn in_app(mut self, app: AppId, member: Option<AppRole>) -> Option<Self> {
        if self.bound_to().is_some_and(|bound| bound != app) {
            return None;
        }
        self.role = if self.runs_instance() { Some(AppRole::AppAdmin) } else { member };
        self.app = Some(app);
        self.role.is_some().then_some(self)
    }

    /// The app the call is about, with the role the caller was found to have there.
    pub fn place(&self) -> Option<(AppId, AppRole)> {
        self.app.zip(self.role)
    }

    /// Whether the caller holds `capability`: one of the instance, or one of
    /// the app that [`Self::in_app`] took them into.
    pub fn may(&self, capability: Capability) -> bool {
        let by_role = match capability.least_role() {
            LeastRole::Instance(least) => self.user.role >= least && self.bound_to().is_none(),
            LeastRole::App(least) => self.role.is_some_and(|role| role >= least),
        };
        by_role && self.covers(capability)
    }

    /// Whether the caller, with the role `member` in `app`, holds `capability` there.
    pub fn may_in(&self, app: AppId, member: Option<AppRole>, capability: Capability) -> bool {
        self.clone().in_app(app, member).is_some_and(|caller| caller.may(capability))
    }

    /// Refuses a caller without `capability`, naming what is missing.
    pub fn require(&self, capability: Capability) -> Result<()> {
        if self.may(capability) {
            return Ok(());
        }
        let name = capability.name();
        Err(Error::Forbidden(match &self.by {
            By::Key(_) if !self.covers(capability) => {
                format!(
                    "this needs the capability {name}; for it the API key has to have the scope {}",
                    capability.scope()
                )
            }
            _ => format!("this needs the capability {name}"),
        }))
    }

    /// The session the call came with; refused for a key, which is no login.
    pub fn require_login(&self) -> Result<SessionId> {
        let refused = || Error::Forbidden("an API key cannot do this; sign in".to_owned());
        self.session().ok_or_else(refused)
    }

    /// Refuses one who may not make, change or remove somebody of this role: only owners may owners.
    pub fn require_over(&self, role: InstanceRole) -> Result<()> {
        if role < InstanceRole::Owner || self.user.role == InstanceRole::Owner {
            return Ok(());
        }
        Err(Error::Forbidden("only an owner makes, changes or removes owners".to_owned()))
    }

    /// The session the call came with, if it was one.
    pub fn session(&self) -> Option<SessionId> {
        match self.by {
            By::Session(id) => Some(id),
            By::Key(_) => None,
        }
    }

    /// The key the call came with, if it was one.
    pub fn key(&self) -> Option<&Key> {
        match &self.by {
            By::Session(_) => None,
            By::Key(key) => Some(key),
        }
    }

    /// The only app the caller reaches, if it is a key that is bound to one.
    pub fn bound_to(&self) -> Option<AppId> {
        self.key().and_then(|key| key.app)
    }

    /// Whether the caller's role makes them an administrator of every app.
    pub fn runs_instance(&self) -> bool {
        self.user.role >= InstanceRole::Admin
    }

    /// Whether what the call was authenticated by extends to `capability`: a session to all, a key to its scopes.
    pub fn covers(&self, capability: Capability) -> bool {
        self.key().is_none_or(|key| key.scopes.cover(capability))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Scope;

    fn user(role: InstanceRole) -> Result<User, String> {
        Ok(User { id: UserId::new(), username: "ada".parse()?, role })
    }

    fn signed_in(role: InstanceRole) -> Result<Caller, String> {
        Ok(Caller::new(user(role)?, By::Session(SessionId::new())))
    }

    fn with_key(role: InstanceRole, scopes: &[Scope], app: Option<AppId>) -> Result<Caller, String> {
        let scopes = scopes.iter().copied().collect::<std::collections::BTreeSet<_>>().try_into()?;
        let key = Key { id: ApiKeyId::new(), prefix: "pic_abcdefgh".to_owned(), scopes, app };
        Ok(Caller::new(user(role)?, By::Key(key)))
    }

    fn held(caller: &Caller, app: AppId, member: Option<AppRole>) -> Vec<&'static str> {
        let all = Capability::ALL.iter().filter(|c| match c.least_role() {
            LeastRole::Instance(_) => caller.may(**c),
            LeastRole::App(_) => caller.may_in(app, member, **c),
        });
        all.map(|c| c.name()).collect()
    }

    #[test]
    fn owners_and_admins_hold_every_capability_in_every_app() -> Result<(), String> {
        for role in [InstanceRole::Owner, InstanceRole::Admin] {
            let caller = signed_in(role)?;
            assert_eq!(held(&caller, AppId::new(), None).len(), Capability::ALL.len());
        }
        Ok(())
    }

    #[test]
    fn a_member_of_the_instance_holds_what_the_role_in_the_app_gives() -> Result<(), String> {
        let (caller, app) = (signed_in(InstanceRole::Member)?, AppId::new());
        assert!(held(&caller, app, None).is_empty());
        assert_eq!(held(&caller, app, Some(AppRole::Viewer)), ["AppRead", "AppLogRead"]);
        let of_an_editor = held(&caller, app, Some(AppRole::Editor));
        assert_eq!(of_an_editor, ["AppRead", "AppLogRead", "AppWriteScript", "AppWriteRoute"]);
        let of_an_admin = held(&caller, app, Some(AppRole::AppAdmin));
        assert!(of_an_admin.contains(&"AppAdmin") && !of_an_admin.iter().any(|c| c.starts_with("Instance")));
        Ok(())
    }

    #[test]
    fn a_key_does_what_role_and_scope_allow_together() -> Result<(), String> {
        let app = AppId::new();
        let key = with_key(InstanceRole::Owner, &[Scope::LogRead, Scope::InstanceAdmin], None)?;
        let held_by_key = held(&key, app, None);
        assert_eq!(
            held_by_key,
            ["InstanceCreateApp", "InstanceManageUsers", "InstanceManageSettings", "AppLogRead"]
        );
        let key = with_key(InstanceRole::Member, Scope::ALL, None)?;
        assert_eq!(held(&key, app, Some(AppRole::Viewer)), ["AppRead", "AppLogRead"]);
        Ok(())
    }

    #[test]
    fn a_bound_key_reaches_one_app_and_nothing_of_the_instance() -> Result<(), String> {
        let (app, other) = (AppId::new(), AppId::new());
        let key = with_key(InstanceRole::Owner, Scope::ALL, Some(app))?;
        assert!(held(&key, app, None).iter().all(|c| c.starts_with("App")));
        assert!(held(&key, other, Some(AppRole::AppAdmin)).is_empty());
        assert!(key.in_app(other, Some(AppRole::AppAdmin)).is_none());
        Ok(())
    }

    #[test]
    fn a_refusal_names_what_is_missing() -> Result<(), String> {
        let why =
            |caller: &Caller| caller.require(Capability::InstanceCreateApp).err().map(|e| e.to_string());
        let of_a_key = why(&with_key(InstanceRole::Owner, &[Scope::LogRead], None)?).unwrap_or_default();
        assert!(of_a_key.contains("InstanceCreateApp") && of_a_key.contains("instance:admin"), "{of_a_key}");
        let of_a_member = why(&signed_in(InstanceRole::Member)?).unwrap_or_default();
        assert!(of_a_member.contains("InstanceCreateApp") && !of_a_member.contains("scope"), "{of_a_member}");
        assert!(with_key(InstanceRole::Owner, Scope::ALL, None)?.require_login().is_err());
        assert!(signed_in(InstanceRole::Admin)?.require_over(InstanceRole::Owner).is_err());
        assert!(signed_in(InstanceRole::Admin)?.require_over(InstanceRole::Admin).is_ok());
        Ok(())
    }
}
