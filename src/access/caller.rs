//! Who is calling, and whether they may.

use super::capability::{AppRole, Capability, InstanceRole, LeastRole};
use crate::base::{
    Error, Result,
    id::{SessionId, UserId},
    name::Username,
};

/// The person behind a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The person's id.
    pub id: UserId,
    /// The name the person signs in with.
    pub username: Username,
    /// What the person may do in the instance.
    pub role: InstanceRole,
}

/// An authenticated caller of the administration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The person.
    pub user: User,
    /// The session the call came with.
    pub session: SessionId,
}

impl Caller {
    /// The caller's role in an app: those who run the instance administer every app.
    pub fn role_in_app(&self) -> Option<AppRole> {
        (self.user.role >= InstanceRole::Admin).then_some(AppRole::AppAdmin)
    }

    /// Whether the caller holds `capability`; for one of an app, in that app.
    pub fn may(&self, capability: Capability) -> bool {
        match capability.least_role() {
            LeastRole::Instance(least) => self.user.role >= least,
            LeastRole::App(least) => self.role_in_app().is_some_and(|role| role >= least),
        }
    }

    /// Refuses a caller without `capability` with its name.
    pub fn require(&self, capability: Capability) -> Result<()> {
        if self.may(capability) {
            Ok(())
        } else {
            Err(Error::Forbidden(format!("this needs the capability {}", capability.name())))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(role: InstanceRole) -> Result<Caller, String> {
        let user = User { id: UserId::new(), username: "ada".parse()?, role };
        Ok(Caller { user, session: SessionId::new() })
    }

    #[test]
    fn owners_and_admins_hold_every_capability() -> Result<(), String> {
        for role in [InstanceRole::Owner, InstanceRole::Admin] {
            let caller = caller(role)?;
            assert!(Capability::ALL.iter().all(|c| caller.may(*c)));
        }
        Ok(())
    }

    #[test]
    fn a_member_of_the_instance_alone_holds_none() -> Result<(), String> {
        let caller = caller(InstanceRole::Member)?;
        assert!(!Capability::ALL.iter().any(|c| caller.may(*c)));
        assert_eq!(caller.role_in_app(), None);
        Ok(())
    }
}
