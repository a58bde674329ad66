//! One entry as a link of the chain: what its hash is made of.

use sha2::{Digest as _, Sha256};

use crate::base::{
    id::{AppId, AuditId, UserId},
    time::Timestamp,
};

/// A SHA-256.
pub(super) type Hash = Vec<u8>;

/// What is hashed first, so that the hash means this and nothing else.
const WHAT: &[u8] = b"picloud audit 1";

/// The hash before the first entry's.
pub(super) const NOTHING: [u8; 32] = [0; 32];

/// An entry, all of which goes into its hash.
#[derive(Debug, sqlx::FromRow)]
pub(super) struct Link {
    /// 1, 2, 3, ...
    pub(super) seq: i64,
    pub(super) id: AuditId,
    pub(super) at: Timestamp,
    pub(super) actor_id: Option<UserId>,
    pub(super) actor: String,
    pub(super) address: Option<String>,
    pub(super) action: String,
    pub(super) target: Option<String>,
    pub(super) app_id: Option<AppId>,
    /// JSON, the text as it is stored.
    pub(super) details: String,
    /// The hash of the entry before.
    pub(super) previous: Hash,
}

impl Link {
    /// SHA-256 over every field: a byte for whether it is there, its length as
    /// eight bytes, the highest first, then itself. So no two entries look alike.
    pub(super) fn hash(&self) -> Hash {
        let mut sum = Sum::new();
        sum.add(Some(&self.previous));
        sum.add(Some(&self.seq.to_be_bytes()));
        sum.add(Some(self.id.to_string().as_bytes()));
        sum.add(Some(&self.at.utc().timestamp_micros().to_be_bytes()));
        sum.add(self.actor_id.map(|id| id.to_string()).as_deref().map(str::as_bytes));
        sum.add(Some(self.actor.as_bytes()));
        sum.add(self.address.as_deref().map(str::as_bytes));
        sum.add(Some(self.action.as_bytes()));
        sum.add(self.target.as_deref().map(str::as_bytes));
        sum.add(self.app_id.map(|id| id.to_string()).as_deref().map(str::as_bytes));
        sum.add(Some(self.details.as_bytes()));
        sum.0.finalize().to_vec()
    }
}

struct Sum(Sha256);

impl Sum {
    fn new() -> Self {
        let mut sum = Self(Sha256::new());
        sum.add(Some(WHAT));
        sum
    }

    fn add(&mut self, field: Option<&[u8]>) {
        self.0.update([u8::from(field.is_some())]);
        if let Some(field) = field {
            self.0.update((field.len() as u64).to_be_bytes());
            self.0.update(field);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link() -> Link {
        Link {
            seq: 1,
            id: AuditId::new(),
            at: Timestamp::now().in_microseconds(),
            actor_id: None,
            actor: "ada".to_owned(),
            address: Some("10.0.0.1".to_owned()),
            action: "app.create".to_owned(),
            target: Some("garden".to_owned()),
            app_id: None,
            details: "{}".to_owned(),
            previous: NOTHING.to_vec(),
        }
    }

    #[test]
    fn whatever_changes_changes_the_hash() {
        let one = link();
        let changed = |change: &dyn Fn(&mut Link)| {
            let mut other = Link { id: one.id, at: one.at, ..link() };
            assert_eq!(other.hash(), one.hash());
            change(&mut other);
            assert_ne!(other.hash(), one.hash(), "{other:?}");
        };
        changed(&|l| l.seq = 2);
        changed(&|l| l.id = AuditId::new());
        changed(&|l| l.at = l.at.after(std::time::Duration::from_micros(1)));
        changed(&|l| l.actor_id = Some(UserId::new()));
        changed(&|l| l.actor = "eve".to_owned());
        changed(&|l| l.address = None);
        changed(&|l| l.action = "app.delete".to_owned());
        changed(&|l| l.target = Some(String::new()));
        changed(&|l| l.app_id = Some(AppId::new()));
        changed(&|l| l.details = "{ }".to_owned());
        changed(&|l| l.previous = vec![1; 32]);
    }

    #[test]
    fn text_does_not_move_from_one_field_to_the_next() {
        let one = link();
        let other = Link {
            id: one.id,
            at: one.at,
            actor: "ad".to_owned(),
            address: Some("a10.0.0.1".to_owned()),
            ..link()
        };
        assert_ne!(one.hash(), other.hash());
    }
}
