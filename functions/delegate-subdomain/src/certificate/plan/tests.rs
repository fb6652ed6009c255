//! The plans of the important situations as text, and the rules that no plan breaks.

use super::*;
use crate::certificate::observed::Sharer;
use aws_calls::Kind;
use custom_resource::{Clock, STACK_ID_TAG};
use hosted_zones::{DomainName, HostedZoneId};
use serde_json::json;
use std::fmt::Write as _;

const SITUATIONS: &str = include_str!("removal.txt");

fn arn(number: u8) -> CertificateArn {
    let text = format!("arn:aws:acm:eu-west-1:111122223333:certificate/{number}");
    CertificateArn::parse(&text).unwrap()
}

fn record(label: &str) -> ValidationRecord {
    let name = format!("_x.{label}.example.com");
    ValidationRecord::from((name, "_y.acm-validations.aws".to_owned()))
}

fn in_zone(records: impl IntoIterator<Item = ValidationRecord>) -> ByZone {
    let records: Vec<_> = records.into_iter().collect();
    let zone = HostedZoneId::parse("Z1").unwrap();
    ByZone::from_iter((!records.is_empty()).then_some((zone, records)))
}

fn sharer(number: u8, labels: &[&str]) -> Sharer {
    let name = |label: &&str| DomainName::parse(&format!("{label}.example.com")).unwrap();
    Sharer {
        arn: arn(number),
        names: labels.iter().map(name).collect(),
    }
}

fn unknown() -> Sharers {
    Sharers::Unknown {
        region: "us-west-2".to_owned(),
        why: "AccessDenied".to_owned(),
    }
}

/// A certificate 1 for a and b, whose CNAMEs of these labels exist.
fn observed(users: Option<&[&str]>, existing: &[&str], listed_by: Sharers) -> Observed {
    let is_existing = |label: &&&str| existing.contains(*label);
    let (existing, missing): (Vec<&str>, Vec<&str>) = ["a", "b"].iter().partition(is_existing);
    let records = |labels: Vec<&str>| in_zone(labels.into_iter().map(record));
    Observed {
        in_use_by: users.map(|users| users.iter().map(|&user| user.to_owned()).collect()),
        cnames: Some(Cnames {
            existing: records(existing),
            missing: records(missing),
            listed_by,
        }),
    }
}

fn error() -> AwsError {
    AwsError {
        service: "ACM",
        operation: "DeleteCertificate",
        target: "1".to_owned(),
        code: Some("ConflictException".to_owned()),
        message: "No.".to_owned(),
        request_id: None,
        kind: Kind::Refused,
    }
}

#[test]
fn the_plans_of_the_important_situations() {
    let own = || Sharers::Known(vec![sharer(1, &["a", "b"])]);
    let other = || Sharers::Known(vec![sharer(1, &["a", "b"]), sharer(2, &["b"])]);
    let both: &[&str] = &["a", "b"];
    let kept = Observed {
        in_use_by: Some(Vec::new()),
        cnames: None,
    };
    let refused = || Phase::Refused(Refused::ForNow(error()));
    let failed = || Phase::Refused(Refused::Failed(error()));
    let shared = || Phase::Cnames(BTreeSet::from([record("b")]));
    let situations = [
        (
            "nothing else needs its CNAMEs",
            Phase::Certificate,
            observed(Some(&[]), both, own()),
        ),
        (
            "another certificate lists one of its CNAMEs",
            Phase::Certificate,
            observed(Some(&[]), both, other()),
        ),
        (
            "a Region cannot be asked",
            Phase::Certificate,
            observed(Some(&[]), both, unknown()),
        ),
        ("the CNAMEs are to be kept", Phase::Certificate, kept),
        (
            "the CNAMEs do not exist",
            Phase::Certificate,
            observed(Some(&[]), &[], own()),
        ),
        (
            "a load balancer uses it",
            Phase::Certificate,
            observed(Some(&["lb"]), both, Sharers::NotAsked),
        ),
        (
            "a load balancer uses it, and a CNAME is missing",
            Phase::Certificate,
            observed(Some(&["lb"]), &["a"], Sharers::NotAsked),
        ),
        (
            "it does not exist",
            Phase::Certificate,
            observed(None, both, own()),
        ),
        (
            "ACM refused after the CNAMEs were deleted",
            refused(),
            observed(Some(&[]), &[], Sharers::NotAsked),
        ),
        (
            "ACM refused, and the CNAMEs exist again",
            refused(),
            observed(Some(&[]), both, Sharers::NotAsked),
        ),
        (
            "ACM failed, and the CNAMEs exist again",
            failed(),
            observed(Some(&[]), both, Sharers::NotAsked),
        ),
        (
            "it is not known whether ACM deleted it, and it does not exist",
            failed(),
            observed(None, &[], Sharers::NotAsked),
        ),
        (
            "it is deleted, and the other certificate too",
            shared(),
            observed(None, &["b"], own()),
        ),
    ];
    let mut text = String::new();
    for (situation, phase, observed) in situations {
        let plan = removal(&arn(1), &phase, &observed);
        let _ = write!(
            text,
            "{situation}\n  observed: {observed}\n  plan:     {plan}\n\n"
        );
    }
    assert_eq!(text, SITUATIONS, "\n{text}");
}

/// A small account: a certificate 1 for a and b, and perhaps another one that lists some of its names.
#[derive(Clone, Debug)]
struct Account {
    exists: bool,
    in_use: bool,
    /// ACM refuses to delete the certificate.
    refuses: bool,
    /// The CNAMEs are to be deleted.
    deletes_cnames: bool,
    existing: Vec<&'static str>,
    /// What the other certificate lists, or none if a Region cannot be asked.
    other: Option<Vec<&'static str>>,
}

impl Account {
    fn observed(&self) -> Observed {
        let users: &[&str] = if self.in_use { &["lb"] } else { &[] };
        let listed_by = match &self.other {
            None => unknown(),
            Some(names) => Sharers::Known(vec![sharer(1, &["a", "b"]), sharer(2, names)]),
        };
        let mut observed = observed(self.exists.then_some(users), &self.existing, listed_by);
        observed.cnames = observed.cnames.filter(|_| self.deletes_cnames);
        observed
    }

    /// Carries out an action, and says whether ACM refused it.
    fn act(&mut self, action: &Action) -> bool {
        let labels = |cnames: &ByZone| -> Vec<&str> {
            let is_in = |label: &&str| cnames.values().flatten().any(|one| *one == record(label));
            ["a", "b"].into_iter().filter(is_in).collect()
        };
        match action {
            Action::DeleteCnames(cnames) => {
                let is_in_use = self.exists && self.in_use;
                assert!(self.deletes_cnames && !is_in_use, "{self:?}");
                for label in labels(cnames) {
                    let other = self.other.as_ref().expect("every Region was asked");
                    assert!(!other.contains(&label), "{self:?} {label}");
                    self.existing.retain(|one| *one != label);
                }
            }
            Action::CreateCnames(cnames) => {
                assert!(self.deletes_cnames && self.exists, "{self:?}");
                self.existing.extend(labels(cnames));
            }
            Action::DeleteCertificate(deleted) => {
                assert!(*deleted == arn(1) && !self.in_use, "{self:?}");
                self.exists = self.refuses;
                return self.refuses;
            }
        }
        false
    }

    /// Carries out plans until nothing is left to do.
    fn run(&mut self, mut phase: Phase) -> Plan {
        for _ in 0..4 {
            match removal(&arn(1), &phase, &self.observed()) {
                Plan::Do(actions, then) => {
                    phase = then;
                    for action in actions {
                        if self.act(&action) {
                            phase = Phase::Refused(Refused::ForNow(error()));
                        }
                    }
                }
                end => return end,
            }
        }
        panic!("{self:?} {phase:?} has no end");
    }
}

/// All small accounts.
fn accounts() -> Vec<Account> {
    let subsets: [&[&str]; 4] = [&[], &["a"], &["b"], &["a", "b"]];
    let mut accounts = Vec::new();
    for bits in 0..16_u8 {
        let bit = |number: u8| bits & (1 << number) != 0;
        for existing in subsets {
            for other in subsets.map(Some).into_iter().chain([None]) {
                accounts.push(Account {
                    exists: bit(0),
                    in_use: bit(1),
                    refuses: bit(2),
                    deletes_cnames: bit(3),
                    existing: existing.to_vec(),
                    other: other.map(<[_]>::to_vec),
                });
            }
        }
    }
    accounts
}

#[test]
fn a_removal_of_any_account_comes_to_its_end_and_leaves_what_others_need() {
    for before in accounts() {
        let mut after = before.clone();
        let end = after.run(Phase::Certificate);
        let stays = before.exists && (before.in_use || before.refuses);
        assert_eq!(after.exists, stays, "{before:?}");
        assert_eq!(matches!(end, Plan::Wait(_)), stays, "{before:?}");
        let expected: Vec<&str> = ["a", "b"]
            .into_iter()
            .filter(|label| {
                let existed = before.existing.contains(label);
                let is_needed = before
                    .other
                    .as_ref()
                    .is_none_or(|other| other.contains(label));
                match (before.deletes_cnames, before.exists, stays) {
                    (false, ..) | (true, false, _) => existed,
                    // Its renewal needs them.
                    (true, true, true) => true,
                    (true, true, false) => existed && is_needed,
                }
            })
            .collect();
        after.existing.sort_unstable();
        assert_eq!(after.existing, expected, "{before:?}");
    }
}

#[test]
fn cnames_that_were_left_to_another_certificate_are_deleted_if_that_is_deleted_too() {
    for before in accounts() {
        if before.exists || !before.deletes_cnames {
            continue;
        }
        let mut after = before.clone();
        let kept = BTreeSet::from([record("a"), record("b")]);
        assert_eq!(after.run(Phase::Cnames(kept)), Plan::Done);
        let is_needed = |label: &&str| {
            before
                .other
                .as_ref()
                .is_none_or(|other| other.contains(label))
        };
        let expected: Vec<_> = before.existing.iter().copied().filter(is_needed).collect();
        assert_eq!(after.existing, expected, "{before:?}");
    }
}

/// When the certificates of the tests below were created, in seconds.
const CREATED: u64 = 1_795_549_687;

fn request(request_type: &str, id: &str, physical_id: &str, at: u64) -> Request {
    let event = json!({
        "RequestType": request_type,
        "ResponseURL": "https://bucket.s3.amazonaws.com/key",
        "RequestId": id,
        "StackId": "arn:aws:cloudformation:eu-west-1:111122223333:stack/dev/1",
        "LogicalResourceId": "Certificate",
        "ResourceType": "Custom::SubdomainCertificate",
        "PhysicalResourceId": physical_id,
    });
    Request::decode(&event, Clock::moment(at)).unwrap()
}

fn create(id: &str) -> Request {
    request("Create", id, "", CREATED)
}

/// The tags of a certificate of this resource, by what they have beside its owner.
fn tags(is_of_this_release: bool, is_settled: bool) -> Tags {
    let creating = create("create");
    let mut tags = if is_of_this_release {
        creating.ownership_tags()
    } else {
        creating.owner().tag_map()
    };
    if is_settled {
        tags.insert(SETTLED_TAG.to_owned(), "true".to_owned());
    }
    tags
}

/// Deletes of every kind that can meet the certificate 1, from before its Create to long after.
fn deletes() -> Vec<Request> {
    let named = arn(1).to_string();
    let ids = [
        named,
        arn(2).to_string(),
        create("create").refused_id(),
        create("other").refused_id(),
        "dev-Certificate-1A2B3C4D5E6F".to_owned(),
    ];
    let times = [CREATED - 1, CREATED + 5, CREATED + 7_201];
    ids.iter()
        .flat_map(|id| times.map(|at| request("Delete", "delete", id, at)))
        .collect()
}

#[test]
fn no_delete_deletes_what_another_request_created_or_finished() {
    for delete in deletes() {
        for bits in 0..4 {
            let (is_of_this_release, is_settled) = (bits & 1 != 0, bits & 2 != 0);
            let fate = fate(&delete, &arn(1), &tags(is_of_this_release, is_settled));
            let age = delete.requested_at.duration_since(Clock::moment(CREATED));
            let (is_later, is_old) = (
                age.is_ok(),
                age.as_ref().is_ok_and(|age| age.as_secs() > 7_200),
            );
            let id = delete.physical_id();
            let expected = if id == arn(1).as_str() {
                is_later || !is_of_this_release
            } else if id.starts_with("refused-") {
                is_of_this_release && id == create("create").refused_id()
            } else {
                is_of_this_release && is_later && !(is_settled && is_old)
            };
            assert_eq!(fate == Fate::Delete, expected, "{id} {age:?} {bits}");
        }
    }
}

#[test]
fn no_request_deletes_a_certificate_whose_tags_do_not_name_this_resource() {
    let own = tags(true, true);
    let with = |key: &str, value: &str| {
        let mut tags = own.clone();
        tags.insert(key.to_owned(), value.to_owned());
        tags
    };
    let owner = create("create").owner();
    let renamed = owner.tags_taken_from("Former");
    let mut back = owner.clone();
    back.logical_id = "Renamed".to_owned();
    let taken_from_us = back.tags_taken_from(&owner.logical_id);
    for delete in deletes() {
        let fate_of = |tags: &Tags| fate(&delete, &arn(1), tags);
        let foreign = [
            Tags::new(),
            with(STACK_ID_TAG, "another stack"),
            with("zone-delegation:logical-id", "Sibling"),
        ];
        for tags in foreign {
            assert!(matches!(fate_of(&tags), Fate::Leave(_)), "{tags:?}");
        }
        let to = "Former".to_owned();
        assert_eq!(fate_of(&renamed), Fate::GiveBack { to });
        let is_named = delete.physical_id() == arn(1).as_str();
        assert_eq!(fate_of(&taken_from_us) == Fate::EndRenaming, is_named);
        assert_ne!(fate_of(&taken_from_us), Fate::Delete);
    }
}
