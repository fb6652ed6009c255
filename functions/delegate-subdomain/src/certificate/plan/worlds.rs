//! Checks all small accounts with all kinds of requests: no plan changes what it must not, and each request
//! ends.

use super::{
    Action, Phase, Plan, Refused,
    account::{Account, End, Event, OTHER_STACK, arn, name, refusal, set, zone_id},
};
use crate::certificate::{
    arn::CertificateArn, cause::Cause, described::Status, observed::Obstacle,
};
use ownership::{Requester, Tags, certificate::is_settled, tags};
use serde_json::{Value, json};

const NAME: &str = "app.dev.example.com";
/// The time of the requests, in seconds after the start, with others before and after it.
const NOW: u64 = 1_000_000;
const RECENT: u64 = NOW - 60;
const LONG_AGO: u64 = NOW - 100_000;
const LATER: u64 = NOW + 100_000;

/// The history of certificate 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Past {
    Absent,
    /// Requested by this request, in another delivery, which was answered or not.
    OfThisRequest,
    OfThisRequestAnswered,
    /// Requested by an earlier Create, which was answered or not.
    Answered,
    AnsweredLongAgo,
    Unanswered,
    /// Requested by a later Create.
    CreatedLater,
    /// Of release 0.2.0, which wrote no request to its tags.
    OfEarlierRelease,
    /// Of the former logical id in the properties.
    OfFormer,
    /// Transferred from the former logical id, which is not deleted yet.
    Transferred,
    /// Transferred from this logical id to another one.
    TakenFromUs,
    OfSibling,
    OfAnotherStack,
    WithoutOwner,
}

const PASTS: [Past; 14] = [
    Past::Absent,
    Past::OfThisRequest,
    Past::OfThisRequestAnswered,
    Past::Answered,
    Past::AnsweredLongAgo,
    Past::Unanswered,
    Past::CreatedLater,
    Past::OfEarlierRelease,
    Past::OfFormer,
    Past::Transferred,
    Past::TakenFromUs,
    Past::OfSibling,
    Past::OfAnotherStack,
    Past::WithoutOwner,
];

impl Past {
    fn tags(self) -> Tags {
        let created = match self {
            Self::OfThisRequest | Self::OfThisRequestAnswered => NOW,
            Self::AnsweredLongAgo | Self::Unanswered => LONG_AGO,
            Self::CreatedLater => LATER,
            _ => RECENT,
        };
        let mut tags = event("Create", created).request().ownership_tags();
        let mut set = |key: &str, value: &str| {
            tags.insert(key.to_owned(), value.to_owned());
        };
        set("zone-delegation:hosted-zone-ids", "Z1");
        if !matches!(self, Self::OfThisRequest | Self::Unanswered) {
            set(tags::SETTLED, "true");
        }
        match self {
            Self::OfFormer => set(tags::LOGICAL_ID, "Former"),
            Self::Transferred => set(tags::PREVIOUS_LOGICAL_ID, "Former"),
            Self::TakenFromUs => {
                set(tags::LOGICAL_ID, "Renamed");
                set(tags::PREVIOUS_LOGICAL_ID, "Zone");
            }
            Self::OfSibling => set(tags::LOGICAL_ID, "Sibling"),
            Self::OfAnotherStack => set(tags::STACK_ID, OTHER_STACK),
            Self::OfEarlierRelease => {
                tags.remove(tags::REQUEST);
                tags.remove(tags::SETTLED);
            }
            Self::WithoutOwner => tags.clear(),
            _ => {}
        }
        tags
    }

    /// Returns whether it neither belongs to this resource nor may be adopted by it.
    fn is_of_others(self) -> bool {
        matches!(
            self,
            Self::OfSibling | Self::OfAnotherStack | Self::WithoutOwner
        )
    }

    /// Returns whether a Delete with this physical id may delete it.
    fn may_be_deleted(self, by: Id) -> bool {
        match (self, by) {
            (
                Self::OfThisRequest | Self::OfThisRequestAnswered | Self::Answered
                | Self::AnsweredLongAgo | Self::Unanswered | Self::OfEarlierRelease,
                Id::Named,
            )
            // CloudFormation's own id: the Create was never answered, or its answer was lost recently.
            | (
                Self::OfThisRequest | Self::OfThisRequestAnswered | Self::Answered
                | Self::Unanswered,
                Id::Unknown,
            )
            // A refused Create of this time.
            | (Self::Answered, Id::Refused(RECENT))
            | (Self::Unanswered | Self::AnsweredLongAgo, Id::Refused(LONG_AGO)) => true,
            _ => false,
        }
    }
}

/// The physical id of a Delete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Id {
    Named,
    Other,
    Unknown,
    Refused(u64),
}

fn event(kind: &'static str, at: u64) -> Event {
    Event {
        kind,
        logical_id: "Zone",
        physical_id: "refused-".to_owned(),
        properties: json!({
            "HostedZoneId": "Z1", "DomainName": NAME, "FormerLogicalIds": ["Former"],
            "ValidationRecordsOnDelete": "Delete",
        }),
        before: Value::Null,
        at,
    }
}

/// A request, with the state of the account.
#[derive(Clone, Copy, Debug)]
struct World {
    past: Past,
    is_pending: bool,
    is_in_use: bool,
    /// The value of its CNAME, if that exists.
    cname: Option<&'static str>,
    /// Whether another stack's certificate needs the CNAME.
    is_shared: bool,
    /// Whether ACM refuses to delete certificates.
    is_refused: bool,
    /// Whether name servers say that no certificate for the name can be issued.
    has_obstacle: bool,
}

const RIGHT: &str = "_y.acm-validations.aws.";

impl World {
    fn all() -> impl Iterator<Item = Self> {
        let cnames = [None, Some(RIGHT), Some("other.example.net.")];
        PASTS.into_iter().flat_map(move |past| {
            cnames.into_iter().flat_map(move |cname| {
                (0..32_u8).map(move |bits| {
                    let bit = |number: u8| bits & (1 << number) != 0;
                    Self {
                        past,
                        cname,
                        is_pending: bit(0),
                        is_in_use: bit(1),
                        is_shared: bit(2),
                        is_refused: bit(3),
                        has_obstacle: bit(4),
                    }
                })
            })
        })
    }

    fn account(self) -> Account {
        let mut account = Account::new();
        if self.past != Past::Absent {
            account.certificate(&arn(1), &[NAME], self.past.tags());
            let certificate = &mut account.edit(&arn(1)).certificate;
            if self.is_pending {
                certificate.status = Status::Pending;
                let validations = certificate.validations.iter_mut();
                validations.for_each(|validation| validation.done = false);
            }
            if self.is_in_use {
                certificate.in_use_by.push("a load balancer".to_owned());
            }
        }
        if self.is_shared {
            account.certificate(&arn(2), &["*.app.dev.example.com"], Tags::new());
        }
        if let Some(value) = self.cname {
            let set = set(&name(NAME), value);
            account.cnames.insert((zone_id("Z1"), set.name()), set);
        }
        if self.is_refused {
            let error = refusal("DeleteCertificate", "ConflictException");
            account.refused = Some(Refused::ForNow(error));
        }
        if self.has_obstacle {
            account.obstacle = Obstacle::Some(Cause::NotDelegated {
                zone: name("dev.example.com"),
                found: "no".to_owned(),
            });
        }
        account
    }

    /// Serves a request. A certificate that is requested or waited for is issued when its CNAME exists,
    /// unless there is an obstacle. Checks the rules for every request at every plan.
    fn serve(self, event: &Event) -> (Account, Account, End) {
        let before = self.account();
        let mut after = before.clone();
        let request = event.request();
        let end = after.serve(
            event,
            Phase::first(&request),
            300,
            &mut |account, _, plan| {
                let has_cname = account.has_cname(&name(NAME));
                for held in account.certificates.values_mut() {
                    let is_issued = has_cname && !self.has_obstacle;
                    if held.certificate.status == Status::Pending && is_issued {
                        held.certificate.status = Status::Issued;
                    }
                }
                let Ok(Plan::Do(actions, _)) = plan else {
                    return;
                };
                for action in actions {
                    self.check(event, account, action);
                }
            },
        );
        assert_eq!(
            after.certificates.get(&arn(2)),
            before.certificates.get(&arn(2))
        );
        (before, after, end)
    }

    /// Checks that an action is allowed.
    fn check(self, event: &Event, account: &Account, action: &Action) {
        let context = || format!("{self:?} {} {} {action}", event.kind, event.physical_id);
        let is_delete = event.kind == "Delete";
        match action {
            Action::DeleteCertificate(deleted) => {
                let held = &account.certificates[deleted];
                assert!(held.certificate.in_use_by.is_empty(), "{}", context());
                let is_requested_by_it = held.tags.get(tags::REQUEST)
                    == event.request().ownership_tags().get(tags::REQUEST);
                let is_unfinished = is_requested_by_it && !is_settled(&held.tags);
                let is_left = self.past == Past::Unanswered && event.kind == "Update";
                assert!(is_delete || is_unfinished || is_left, "{}", context());
                assert!(
                    is_delete || deleted.as_str() != event.physical_id,
                    "{}",
                    context()
                );
                assert!(
                    *deleted != arn(1) || !self.past.is_of_others(),
                    "{}",
                    context()
                );
            }
            Action::DeleteCnames(_) => {
                assert!(!self.is_shared && self.cname != Some("other.example.net."));
            }
            Action::Tag(_, tagged, _) | Action::Untag(_, tagged, _) => {
                assert!(
                    *tagged != arn(1) || !self.past.is_of_others(),
                    "{}",
                    context()
                );
                let ends =
                    matches!(action, Action::Untag(..)) && event.physical_id == tagged.as_str();
                let is_taken = self.past == Past::TakenFromUs;
                assert!(
                    !is_taken || *tagged != arn(1) || !is_delete || ends,
                    "{}",
                    context()
                );
            }
            Action::Request(new) => {
                assert!(!is_delete && !self.has_obstacle, "{}", context());
                assert_eq!(
                    new.tags[tags::REQUEST],
                    event.request().ownership_tags()[tags::REQUEST]
                );
            }
            // It fails if a record set exists.
            Action::CreateCnames(_) => {}
        }
    }
}

fn without_notes(account: &Account, arn: &CertificateArn) -> Option<Tags> {
    let held = account.certificates.get(arn)?;
    let mut tags = held.tags.clone();
    tags.remove("zone-delegation:successor");
    Some(tags)
}

#[test]
fn a_create_is_answered_with_an_issued_certificate_or_leaves_what_existed() {
    for world in World::all() {
        let create = event("Create", NOW);
        let (before, after, end) = world.serve(&create);
        let first = (
            before.certificates.get(&arn(1)),
            after.certificates.get(&arn(1)),
        );
        match end {
            End::Done(success) => {
                let arn = CertificateArn::parse(&success.physical_resource_id).unwrap();
                let held = &after.certificates[&arn];
                assert_eq!(held.certificate.status, Status::Issued, "{world:?}");
                assert!(
                    is_settled(&held.tags) && after.has_cname(&name(NAME)),
                    "{world:?}"
                );
                assert_eq!(held.tags[tags::LOGICAL_ID], "Zone", "{world:?}");
                assert!(after.requested <= 1, "{world:?}");
            }
            End::Failed(failure) => {
                if world.past == Past::OfThisRequest {
                    let is_named =
                        failure.physical_resource_id == first.1.map(|_| arn(1).to_string());
                    assert!(is_named, "{world:?}: {failure:?}");
                } else {
                    let status =
                        |held: &crate::certificate::tagged::TaggedCertificate| held.tags.clone();
                    assert_eq!(first.0.map(status), first.1.map(status), "{world:?}");
                }
                let mut requested = after.certificates.keys();
                let left = requested.find(|found| ![arn(1), arn(2)].contains(found));
                assert_eq!(
                    left.is_some(),
                    world.is_refused && after.requested > 0,
                    "{world:?}"
                );
            }
            End::Waiting(_) => panic!("{world:?} waits"),
        }
    }
}

#[test]
fn an_update_never_deletes_what_is_tracked() {
    let other = json!({ "HostedZoneId": "Z1", "DomainName": "b.dev.example.com" });
    for world in World::all() {
        let tracked = arn(1).to_string();
        let in_place = Event {
            physical_id: tracked.clone(),
            before: event("Create", NOW).properties,
            ..event("Update", NOW)
        };
        // From certificate 1 to another, and back: as an update and as a rollback.
        let forward = Event {
            properties: other.clone(),
            ..in_place.clone()
        };
        let back = Event {
            physical_id: arn(3).to_string(),
            before: other.clone(),
            ..event("Update", NOW)
        };
        for update in [in_place, forward, back] {
            let (before, after, end) = world.serve(&update);
            let is_tracked = update.physical_id == tracked;
            if is_tracked || !matches!(world.past, Past::OfThisRequest | Past::Unanswered) {
                let exist =
                    [&before, &after].map(|account| account.certificates.contains_key(&arn(1)));
                assert_eq!(exist[0], exist[1], "{world:?} {update:?}");
            }
            if let End::Failed(_) = end {
                let tags = [&before, &after].map(|account| without_notes(account, &arn(1)));
                if world.past != Past::OfThisRequest {
                    assert_eq!(tags[0], tags[1], "{world:?} {update:?}");
                }
            }
        }
    }
}

/// Returns Deletes of every kind.
fn deletes() -> Vec<(Id, Event)> {
    let refused = |at| event("Create", at).request().refused_id();
    let ids = [
        (Id::Named, arn(1).to_string()),
        (Id::Other, arn(3).to_string()),
        (Id::Unknown, "dev-Zone-1A2B3C4D5E6F".to_owned()),
        (Id::Refused(RECENT), refused(RECENT)),
        (Id::Refused(LONG_AGO), refused(LONG_AGO)),
        (Id::Refused(7), refused(7)),
    ];
    let event = |(id, physical_id)| {
        let event = event("Delete", NOW);
        let event = Event {
            physical_id,
            ..event
        };
        (id, event)
    };
    ids.into_iter().map(event).collect()
}

#[test]
fn a_delete_deletes_only_certificates_of_its_own_resource() {
    for world in World::all() {
        for (id, delete) in deletes() {
            let (before, after, end) = world.serve(&delete);
            let may = world.past.may_be_deleted(id);
            let is_kept = world.is_in_use || world.is_refused;
            let expected = before.certificates.contains_key(&arn(1)) && (!may || is_kept);
            let exists = after.certificates.contains_key(&arn(1));
            assert_eq!(exists, expected, "{world:?} {id:?}");
            // It waits for what it may delete, and for a Create that may still run.
            let waits = may && is_kept || id == Id::Unknown;
            assert_eq!(
                matches!(end, End::Waiting(_)),
                waits,
                "{world:?} {id:?} {end:?}"
            );
            let had = before.has_cname(&name(NAME));
            let is_renewed = may && is_kept;
            let is_deleted = may && !is_kept && !world.is_shared;
            let has = match world.cname {
                Some("other.example.net.") => false,
                _ => is_renewed || had && !is_deleted,
            };
            assert_eq!(after.has_cname(&name(NAME)), has, "{world:?} {id:?}");
            let tags = [&before, &after].map(|account| without_notes(account, &arn(1)));
            let changes = matches!(world.past, Past::Transferred | Past::TakenFromUs);
            assert!(!exists || changes || tags[0] == tags[1], "{world:?} {id:?}");
        }
    }
}

#[test]
fn a_rename_is_rolled_back_or_final_and_deletes_nothing() {
    for (id, delete) in deletes() {
        let world = |past| World {
            past,
            ..World::all().next().unwrap()
        };
        let (_, after, _) = world(Past::Transferred).serve(&delete);
        let tags = &after.certificates[&arn(1)].tags;
        if id == Id::Other {
            assert_eq!(*tags, Past::Transferred.tags());
        } else {
            assert_eq!(tags[tags::LOGICAL_ID], "Former", "{id:?}");
            assert!(!tags.contains_key(tags::PREVIOUS_LOGICAL_ID), "{id:?}");
        }
        let (_, after, _) = world(Past::TakenFromUs).serve(&delete);
        let tags = &after.certificates[&arn(1)].tags;
        assert_eq!(tags[tags::LOGICAL_ID], "Renamed", "{id:?}");
        let is_ended = !tags.contains_key(tags::PREVIOUS_LOGICAL_ID);
        assert_eq!(is_ended, id == Id::Named, "{id:?}");
    }
}

/// Of two certificates that share a CNAME and are deleted at the same time, the last one deletes it.
#[test]
fn two_deletes_at_once_leave_no_cname() {
    let mut account = Account::new();
    account.certificate(&arn(1), &[NAME], Past::Answered.tags());
    account.certificate(&arn(2), &[NAME], Tags::new());
    let set = set(&name(NAME), RIGHT);
    account.cnames.insert((zone_id("Z1"), set.name()), set);
    let (_, delete) = deletes().remove(0);
    let phase = Phase::first(&delete.request());
    let end = account.serve(&delete, phase, 0, &mut |account, _, _| {
        // The other one is deleted after it was listed.
        if !account.certificates.contains_key(&arn(1)) {
            account.certificates.remove(&arn(2));
        }
    });
    assert!(matches!(end, End::Done(_)) && account.cnames.is_empty());
}

#[test]
fn a_phase_is_equal_after_the_state_machine_carried_it_and_another_form_is_ignored() {
    let create = event("Create", NOW);
    let request = create.request();
    let mut account = Account::new();
    let first = Phase::first(&request);
    let End::Waiting(phase) = account.serve(&create, first.clone(), 60, &mut |_, _, _| ()) else {
        panic!("it waits");
    };
    assert_ne!(*phase, first);
    let remembered = phase.remembered();
    assert_eq!(Phase::read(Some(remembered), &request), *phase);
    // The form of release 0.2.0.
    let earlier = json!({ "certificate": arn(1).as_str(), "since": 1, "shown": true });
    for other in [None, Some(Value::Null), Some(earlier)] {
        assert_eq!(Phase::read(other, &request), first);
    }
}
