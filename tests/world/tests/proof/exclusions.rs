//! Everything that the proofs do not check, each with its reason. The oracle and the generator use this list
//! and exclude nothing else. `docs/reliability.md`, "What is not promised", has a paragraph for each title.

use std::env;
use std::sync::atomic::{AtomicU64, Ordering};

/// One thing that is not checked.
pub(crate) struct Exclusion {
    /// The title in `docs/reliability.md`.
    pub(crate) title: &'static str,
    /// Why it cannot be promised.
    pub(crate) reason: &'static str,
    /// The proof that meets it.
    met_by: Proof,
    /// How often it has applied.
    applied: AtomicU64,
}

/// A proof that asks for exclusions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Proof {
    Histories,
    CrashPoints,
    RefusedCalls,
}

/// With an exclusion's title in this variable, that exclusion does not apply. If the proof then still passes, nothing needs the
/// exclusion, or the proof does not meet it any more.
const WITHOUT: &str = "WITHOUT_EXCLUSION";

impl Exclusion {
    /// Whether the world is told of this exclusion. [`covers`](Self::covers) is asked when the world has made use of it.
    pub(crate) fn is_known_to_the_world(&self) -> bool {
        env::var(WITHOUT).as_deref() != Ok(self.title)
    }

    /// Whether something that counts as wrong otherwise, or that is played otherwise, falls under this exclusion. It is asked last.
    pub(crate) fn covers(&self, what: bool) -> bool {
        let applies = what && env::var(WITHOUT).as_deref() != Ok(self.title);
        if applies {
            self.applied.fetch_add(1, Ordering::Relaxed);
        }
        applies
    }
}

/// Checks that a complete proof has met each of its exclusions. Remove an exclusion that it never meets.
pub(crate) fn check_met(by: Proof) {
    let mut never = Vec::new();
    for found in ALL.iter().filter(|found| found.met_by == by) {
        let applied = found.applied.load(Ordering::Relaxed);
        println!("{applied:>8} times left out | {}", found.title);
        if applied == 0 && env::var(WITHOUT).as_deref() != Ok(found.title) {
            never.push(found.title);
        }
    }
    assert!(never.is_empty(), "the {by:?} never met {never:?}");
}

/// All of them.
pub(crate) static ALL: [&Exclusion; 22] = [
    &NEVER_ANSWERED,
    &CREATED_RECENTLY,
    &GIVEN_UP,
    &RENAMED_AND_ROLLED_BACK,
    &ANSWERED_ALREADY,
    &WITHIN_A_MINUTE,
    &ZONE_NEVER_KNOWN,
    &TAGS_TAKEN_OFF,
    &GIVEN_TO_TWO_STACKS,
    &ONE_NAME_TWO_LOGICAL_IDS,
    &TOUCHED_BY_PEOPLE,
    &ANOTHER_STACKS_ZONE,
    &OUTDATED_UPDATE,
    &KEPT_AFTER_RENAMING,
    &LOGICAL_ID_RETAGGED,
    &DIED_BEFORE_ITS_FIRST_WRITE,
    &KEPT_TAGS,
    &NAME_MOVES_ON,
    &FAILS_WHILE_UNDONE,
    &VALIDATION_RECORD_KEPT,
    &PERMISSION_REMOVED,
    &ADOPTED_AND_ROLLED_BACK,
];

pub(crate) static NEVER_ANSWERED: Exclusion = Exclusion {
    met_by: Proof::Histories,
    applied: AtomicU64::new(0),
    title: "A Delete that is killed at every attempt",
    reason: "CloudFormation hears nothing and forgets the resource in the clean-up of an update. What the resource had stays, \
             and its ownership tags say whose it is.",
};

pub(crate) static CREATED_RECENTLY: Exclusion = Exclusion {
    met_by: Proof::Histories,
    applied: AtomicU64::new(0),
    title: "A Create that is never answered, within two hours after another one of the same resource",
    reason: "CloudFormation's Delete then has an id of CloudFormation's own, which does not say which of the two Creates created \
             what exists. The Delete removes it, even if a deletion policy had kept it. Sent again after two hours, it leaves what \
             the Create completed.",
};
/// How long that is.
pub(crate) const RECENTLY: std::time::Duration = std::time::Duration::from_secs(7_200);

pub(crate) static GIVEN_UP: Exclusion = Exclusion {
    met_by: Proof::Histories,
    applied: AtomicU64::new(0),
    title: "A rollback that is given up",
    reason: "CloudFormation forgets what the failed update created, or deletes by the old physical id, and nothing names what \
             the update created.",
};

pub(crate) static RENAMED_AND_ROLLED_BACK: Exclusion = Exclusion {
    met_by: Proof::Histories,
    applied: AtomicU64::new(0),
    title: "A renaming that changes the TTL, the comment or the tags as well, rolled back",
    reason: "The zone returns to its old logical id, which receives no Update, so it keeps the new TTL, comment and tags until \
             its next Update.",
};

pub(crate) static ANSWERED_ALREADY: Exclusion = Exclusion {
    met_by: Proof::Histories,
    applied: AtomicU64::new(0),
    title: "A repeat of what was answered already",
    reason: "AWS keeps no trace of a certificate that was deleted, none of a Create that failed before its first write, and none of \
             an Update whose zone people have deleted. A repeat of such a request can create the certificate or the zone again.",
};

pub(crate) static WITHIN_A_MINUTE: Exclusion = Exclusion {
    met_by: Proof::Histories,
    applied: AtomicU64::new(0),
    title: "A second delivery within a minute",
    reason: "AWS keeps no trace of a parameter that was deleted, so a second delivery is known by its age alone.",
};

pub(crate) static ZONE_NEVER_KNOWN: Exclusion = Exclusion {
    met_by: Proof::Histories,
    applied: AtomicU64::new(0),
    title: "A zone deleted by hand before CloudFormation was told of it",
    reason: "Nothing says any more whose the NS record set was that led to that zone.",
};

pub(crate) static TAGS_TAKEN_OFF: Exclusion = Exclusion {
    met_by: Proof::Histories,
    applied: AtomicU64::new(0),
    title: "Tags taken off by hand",
    reason: "A zone that was transferred to a renamed logical id is that logical id's by its tags alone.",
};

pub(crate) static GIVEN_TO_TWO_STACKS: Exclusion = Exclusion {
    met_by: Proof::Histories,
    applied: AtomicU64::new(0),
    title: "One zone given by `HostedZoneId` to two stacks at the same moment",
    reason: "Its tags say whose it is, and Route 53 writes tags without a condition on those that exist.",
};

pub(crate) static ONE_NAME_TWO_LOGICAL_IDS: Exclusion = Exclusion {
    met_by: Proof::Histories,
    applied: AtomicU64::new(0),
    title: "One name under two logical ids of one template",
    reason: "It cannot be told from a renaming.",
};

pub(crate) static TOUCHED_BY_PEOPLE: Exclusion = Exclusion {
    met_by: Proof::Histories,
    applied: AtomicU64::new(0),
    title: "What people changed by hand",
    reason: "A stack that settled is as its template says, except for the one property of the one name that people changed, until \
             its next Update.",
};

pub(crate) static ANOTHER_STACKS_ZONE: Exclusion = Exclusion {
    met_by: Proof::Histories,
    applied: AtomicU64::new(0),
    title: "A certificate in a zone that another stack deletes",
    reason: "ACM's validation CNAMEs keep no zone from being deleted, so the certificate cannot be renewed afterwards.",
};

pub(crate) static OUTDATED_UPDATE: Exclusion = Exclusion {
    met_by: Proof::Histories,
    applied: AtomicU64::new(0),
    title: "An Update that is delivered again after a later request",
    reason: "No AWS service says which Update wrote a TTL, a comment or a tag, so the older one is written again. It deletes \
             and creates nothing.",
};

pub(crate) static KEPT_AFTER_RENAMING: Exclusion = Exclusion {
    met_by: Proof::Histories,
    applied: AtomicU64::new(0),
    title: "A renamed resource that `DeletionPolicy: Retain` keeps in a rollback",
    reason: "CloudFormation sends no Delete for the new logical id, so nothing tells the function to return the thing to the old \
             one. `RetainExceptOnCreate` sends one.",
};

pub(crate) static LOGICAL_ID_RETAGGED: Exclusion = Exclusion {
    met_by: Proof::Histories,
    applied: AtomicU64::new(0),
    title: "Another logical id of the same stack written into the tags by hand",
    reason: "The tags say which logical id of a stack has a zone, and nothing else does after a renaming.",
};

pub(crate) static DIED_BEFORE_ITS_FIRST_WRITE: Exclusion = Exclusion {
    met_by: Proof::CrashPoints,
    applied: AtomicU64::new(0),
    title: "The next attempt at a request whose first attempt died before its first write",
    reason: "For parameters, certificates and existing zones it looks like a late repeat of a request that was answered and \
             whose Delete has removed everything. It is answered FAILED, which undoes nothing.",
};

pub(crate) static KEPT_TAGS: Exclusion = Exclusion {
    met_by: Proof::Histories,
    applied: AtomicU64::new(0),
    title: "Tags of a thing that a deletion policy kept, when it is added again without them",
    reason: "Nothing says which of its tags an earlier template gave it, and which ones people did.",
};

pub(crate) static NAME_MOVES_ON: Exclusion = Exclusion {
    met_by: Proof::Histories,
    applied: AtomicU64::new(0),
    title: "A name that moves to a logical id while its old logical id stays in the template",
    reason: "`FormerLogicalIds` is for a logical id that is not in the template any more. Move a name between two resources of one \
             template in two deployments.",
};

pub(crate) static FAILS_WHILE_UNDONE: Exclusion = Exclusion {
    met_by: Proof::RefusedCalls,
    applied: AtomicU64::new(0),
    title: "An update that fails, and an AWS call that also fails while the update is undone",
    reason: "The FAILED answer names the call. What the update created, such as a certificate that was just requested, exists until \
             the next request for the resource, at the latest until the stack is deleted.",
};

pub(crate) static VALIDATION_RECORD_KEPT: Exclusion = Exclusion {
    met_by: Proof::RefusedCalls,
    applied: AtomicU64::new(0),
    title: "A validation CNAME, if ACM does not list the account's certificates",
    reason: "Another certificate may need the CNAME for its renewal. The log of the Delete says that it stays.",
};

pub(crate) static PERMISSION_REMOVED: Exclusion = Exclusion {
    met_by: Proof::RefusedCalls,
    applied: AtomicU64::new(0),
    title: "A permission to list certificates that is removed after the first attempt at a Create has died",
    reason: "The next attempt is refused for lack of it. The Delete, which lacks it too, cannot tell this from a Create that never \
             had it and requested nothing, and does not block the rollback.",
};

pub(crate) static ADOPTED_AND_ROLLED_BACK: Exclusion = Exclusion {
    met_by: Proof::Histories,
    applied: AtomicU64::new(0),
    title: "A delegation that a Create adopted, if something else in the same deployment fails",
    reason: "CloudFormation then sends the same Delete as for a resource that is removed, and the delegation must be deleted before \
             the zone. `DeletionPolicy: Retain` keeps it (docs/migrate.md).",
};

#[test]
fn each_exclusion_has_a_title_of_its_own_and_a_reason() {
    let titles: std::collections::BTreeSet<&str> = ALL.iter().map(|found| found.title).collect();
    assert_eq!(titles.len(), ALL.len());
    assert!(ALL.iter().all(|found| found.reason.ends_with('.')));
}
