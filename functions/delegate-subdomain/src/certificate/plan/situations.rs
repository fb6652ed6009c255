//! Writes the plans of the important situations as text in `tests/plans/certificate`. They are documentation:
//! each file is a story of requests, with what each finds and its plans. `UPDATE_PLANS=1 cargo test --lib
//! certificate` writes them again.

use super::{
    Phase, Refused,
    account::{
        Account, End, Event, OTHER_STACK, arn, delivery, name, record, refusal, set, zone_id,
    },
};
use crate::certificate::{
    arn::CertificateArn, cause::Cause, described::Status, observed::Obstacle, zones::ZoneState,
};
use aws_sdk_acm::types::FailureReason;
use dns_check::{BrokenChain, Caa, KeyId};
use ownership::{Requester, Tags, certificate::Successor, tags};
use serde_json::{Value, json};
use std::{collections::BTreeSet, env, fmt::Write as _, fs, path::Path};

const NAME: &str = "app.dev.example.com";

/// A story in progress.
struct Story {
    file: &'static str,
    text: String,
    account: Account,
    /// The time in seconds after the start.
    now: u64,
}

impl Story {
    fn new(file: &'static str, title: &str) -> Self {
        Self {
            file,
            text: format!("# {title}\n"),
            account: Account::new(),
            now: 0,
        }
    }

    fn remark(&mut self, text: &str) {
        let _ = write!(self.text, "\n{text}\n");
    }

    /// Returns the next request, an hour after the previous one.
    fn event(&mut self, kind: &'static str, physical_id: &str, properties: Value) -> Event {
        self.now += 3_600;
        Event {
            kind,
            logical_id: "Zone",
            physical_id: physical_id.to_owned(),
            properties,
            before: Value::Null,
            at: self.now,
        }
    }

    fn update(&mut self, physical_id: &str, before: Value, properties: Value) -> Event {
        Event {
            before,
            ..self.event("Update", physical_id, properties)
        }
    }

    /// Writes the plans of a request to the story, and carries them out.
    fn tell(&mut self, event: &Event) -> End {
        self.tell_for(event, 600, |_| ())
    }

    /// Does the same for at most this many seconds. `meanwhile` changes the account before each plan.
    fn tell_for(
        &mut self,
        event: &Event,
        seconds: u64,
        mut meanwhile: impl FnMut(&mut Account),
    ) -> End {
        let request = event.request();
        let text = &mut self.text;
        let _ = write!(text, "\n## {} of {}\n\n", event.kind, event.logical_id);
        let _ = writeln!(text, "Request: {}", request.ownership_tags()[tags::REQUEST]);
        if event.kind != "Create" {
            let _ = writeln!(text, "Physical id: {}", event.physical_id);
        }
        let shown = |properties: &Value| {
            let text = serde_json::to_string(properties).expect("it is JSON");
            text.replace("\":", "\": ").replace(",\"", ", \"")
        };
        let _ = writeln!(text, "Properties: {}", shown(&event.properties));
        if !event.before.is_null() {
            let _ = writeln!(text, "Before: {}", shown(&event.before));
        }
        let first = Phase::first(&request);
        self.go_on(event, first, seconds, &mut meanwhile)
    }

    fn go_on(
        &mut self,
        event: &Event,
        phase: Phase,
        seconds: u64,
        meanwhile: &mut dyn FnMut(&mut Account),
    ) -> End {
        let mut seen = BTreeSet::new();
        let text = &mut self.text;
        let end = self
            .account
            .serve(event, phase, seconds, &mut |account, observed, plan| {
                let plan = match plan {
                    Ok(plan) => format!("{plan:#}"),
                    Err(error) => format!("1. refuse: {error}\n"),
                };
                let round = format!("\nObserved:\n\n{observed:#}\nPlan:\n\n{plan}");
                // A wait repeats itself, so the same text is written once.
                let words = round.split(' ');
                let words = words.filter(|word| word.parse::<u64>().is_err());
                if seen.insert(words.collect::<Vec<_>>().join(" ")) {
                    text.push_str(&round);
                }
                meanwhile(account);
            });
        let said = match &end {
            End::Done(success) => format!("SUCCESS: {}", success.physical_resource_id),
            End::Waiting(_) => "it waits still".to_owned(),
            End::Failed(failure) => match &failure.physical_resource_id {
                None => format!("FAILED: {}", failure.reason),
                Some(id) => format!("FAILED, with the id {id}: {}", failure.reason),
            },
        };
        let _ = writeln!(text, "\nEnd: {said}");
        end
    }

    /// Ends the time of a request that waits.
    fn time_is_up(&mut self, event: &Event, phase: &Phase) {
        self.remark("Its time is up.");
        let request = event.request();
        let abandoned = phase.abandoned(&delivery(&request, request.requested_at));
        match abandoned {
            Some(phase) => drop(self.go_on(event, phase, 60, &mut |_| ())),
            None => self.remark("Nothing is to be undone."),
        }
    }

    /// Returns a certificate that an earlier Create of this logical id requested, with its CNAME.
    fn exists(&mut self, number: u8, names: &[&str], is_settled: bool) -> CertificateArn {
        let event = Event {
            properties: properties(json!({})),
            ..self.event("Create", "", json!({}))
        };
        let mut tags = event.request().ownership_tags();
        tags.insert(
            "zone-delegation:hosted-zone-ids".to_owned(),
            "Z1".to_owned(),
        );
        if is_settled {
            tags.insert(tags::SETTLED.to_owned(), "true".to_owned());
        }
        let arn = arn(number);
        self.account.certificate(&arn, names, tags);
        for validated in names {
            self.cname(validated, "_y.acm-validations.aws.");
        }
        arn
    }

    fn cname(&mut self, validated: &str, value: &str) {
        let set = set(&name(validated), value);
        let key = (zone_id("Z1"), set.name());
        self.account.cnames.insert(key, set);
    }

    /// Compares the story with its file. ARNs are shortened, and requests are numbered in order.
    fn end(mut self) {
        for hours in 1..=self.now / 3_600 {
            let event = Event {
                at: hours * 3_600,
                ..self.event("Create", "", plain())
            };
            let request = &event.request().ownership_tags()[tags::REQUEST];
            self.text = self.text.replace(request, &format!("R{hours}"));
        }
        let prefix = arn(1).to_string().replace("/1", "/");
        self.text = self.text.replace(&prefix, "arn:.../");
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/plans/certificate");
        let path = folder.join(self.file);
        if env::var_os("UPDATE_PLANS").is_some() {
            fs::create_dir_all(&folder).expect("it can be created");
            fs::write(&path, &self.text).expect("it can be written");
        }
        let expected = fs::read_to_string(&path).unwrap_or_default();
        let mut lines = self.text.lines().zip(expected.lines());
        let other = lines.find(|(now, before)| now != before);
        assert!(
            self.text == expected,
            "the plans of {} have changed ({other:?}): UPDATE_PLANS=1 writes them anew",
            self.file
        );
    }
}

fn properties(more: Value) -> Value {
    let mut properties = json!({ "HostedZoneId": "Z1", "DomainName": NAME });
    if let (Value::Object(properties), Value::Object(more)) = (&mut properties, more) {
        properties.extend(more);
    }
    properties
}

fn plain() -> Value {
    properties(json!({}))
}

/// Adds properties with which the CNAMEs are deleted on delete.
fn deleting(more: Value) -> Value {
    let mut properties = properties(more);
    properties["ValidationRecordsOnDelete"] = json!("Delete");
    properties
}

fn caa() -> Obstacle {
    Obstacle::Some(Cause::Caa {
        name: crate::certificate::properties::CertificateName::from_service(NAME),
        caa: Caa {
            at: name("example.com"),
            records: vec!["0 issue \"ca.example.net\"".to_owned()],
            missing: Some("0 issue \"amazon.com\""),
        },
    })
}

fn stale_ds() -> Obstacle {
    Obstacle::Some(Cause::BrokenChain(BrokenChain {
        zone: name("dev.example.com"),
        parent: "example.com".to_owned(),
        expected: vec![KeyId {
            tag: 12345,
            algorithm: 13,
        }],
        found: Vec::new(),
    }))
}

fn not_delegated() -> Obstacle {
    Obstacle::Some(Cause::NotDelegated {
        zone: name("dev.example.com"),
        found: "there is no delegation at dev.example.com".to_owned(),
    })
}

/// Issues the requested certificates whose CNAME exists.
fn issue(account: &mut Account) {
    let cnames = account.cnames.clone();
    for held in account.certificates.values_mut() {
        let mut validated = held.certificate.names.iter().map(|name| &name.base);
        let has_cnames = validated
            .all(|validated| cnames.contains_key(&(zone_id("Z1"), record(validated).name)));
        if held.certificate.status == Status::Pending && has_cnames {
            held.certificate.status = Status::Issued;
        }
    }
}

#[test]
fn create() {
    let mut story = Story::new("create.txt", "A certificate is created");
    let create = story.event("Create", "", properties(json!({ "Tags": { "team": "a" } })));
    let mut rounds = 0;
    story.tell_for(&create, 600, |account| {
        rounds += 1;
        if rounds > 6 {
            issue(account);
        }
    });
    story.end();
}

#[test]
fn create_again() {
    let mut story = Story::new(
        "create-again.txt",
        "A Create that died is delivered again, and finds what it requested",
    );
    let create = story.event("Create", "", plain());
    let mut tags = create.request().ownership_tags();
    tags.insert(
        "zone-delegation:hosted-zone-ids".to_owned(),
        "Z1".to_owned(),
    );
    story.account.certificate(&arn(1), &[NAME], tags);
    story.account.edit(&arn(1)).certificate.status = Status::Pending;
    story.tell_for(&create, 600, issue);
    story.remark(
        "It is delivered once more after its answer, and finds that nothing is left to do.",
    );
    story.tell(&create);
    story.end();
}

#[test]
fn retained() {
    let mut story = Story::new(
        "retained.txt",
        "A certificate that DeletionPolicy: Retain kept, added again",
    );
    let kept = story.exists(1, &[NAME], true);
    story.remark(
        "Somebody has changed its CNAME, so that the Create is refused. The certificate stays.",
    );
    story.cname(NAME, "other.example.net.");
    let create = story.event("Create", "", deleting(json!({})));
    story.tell(&create);
    let refused = create.request().refused_id();
    let delete = story.event("Delete", &refused, deleting(json!({})));
    story.tell(&delete);
    assert!(story.account.certificates.contains_key(&kept));
    story.remark("It is corrected, and the certificate is adopted.");
    story.cname(NAME, "_y.acm-validations.aws.");
    let create = story.event("Create", "", deleting(json!({ "Tags": { "team": "b" } })));
    story.tell(&create);
    story.end();
}

#[test]
fn renamed() {
    let mut story = Story::new("rename.txt", "A logical id is renamed in the template");
    let arn = story.exists(1, &[NAME], true);
    let former = json!({ "FormerLogicalIds": ["Zone"] });
    let create = Event {
        logical_id: "Renamed",
        ..story.event("Create", "", properties(former))
    };
    story.tell(&create);
    story.remark("CloudFormation deletes the former logical id.");
    let delete = story.event("Delete", arn.as_str(), plain());
    story.tell(&delete);
    story.remark("From now on, a Delete of the new one deletes the certificate.");
    let delete = Event {
        logical_id: "Renamed",
        ..story.event("Delete", arn.as_str(), plain())
    };
    story.tell(&delete);
    story.end();
}

#[test]
fn renamed_and_rolled_back() {
    let mut story = Story::new(
        "rename-rolled-back.txt",
        "A logical id is renamed, and the update is rolled back",
    );
    let arn = story.exists(1, &[NAME], true);
    let former = json!({ "FormerLogicalIds": ["Zone"] });
    let create = Event {
        logical_id: "Renamed",
        ..story.event("Create", "", properties(former))
    };
    story.tell(&create);
    story.remark("Another resource fails: CloudFormation deletes the new logical id.");
    let delete = Event {
        logical_id: "Renamed",
        ..story.event("Delete", arn.as_str(), plain())
    };
    story.tell(&delete);
    story.end();
}

#[test]
fn in_place() {
    let mut story = Story::new("update-in-place.txt", "Tags are changed");
    let arn = story.exists(1, &[NAME], true);
    let before = properties(json!({ "Tags": { "team": "a", "cost": "7" } }));
    let old = [("team", "a"), ("cost", "7"), ("audit", "of another")];
    let old = old.map(|(key, value)| (key.to_owned(), value.to_owned()));
    story.account.edit(&arn).tags.extend(old);
    let after = properties(json!({ "Tags": { "team": "b" } }));
    let update = story.update(arn.as_str(), before.clone(), after.clone());
    story.tell(&update);
    story.remark(
        "The certificate was deleted by someone. Another one is not requested in its place.",
    );
    story.account.certificates.clear();
    let update = story.update(arn.as_str(), before, after);
    story.tell(&update);
    story.end();
}

#[test]
fn which_certificate() {
    let mut story = Story::new(
        "which-certificate.txt",
        "Two certificates that the resource can use",
    );
    let zones = story.account.zones.clone();
    let pending = story.exists(1, &[NAME], false);
    story.account.edit(&pending).certificate.status = Status::Pending;
    story.remark("Its zone does not exist any more, so that it cannot be issued.");
    story
        .account
        .zones
        .insert(zone_id("Z1"), ZoneState::Missing);
    let create = story.event("Create", "", plain());
    assert!(matches!(story.tell(&create), End::Failed(_)));
    story.account.zones = zones;
    story.remark("Another one is issued.");
    let issued = story.exists(2, &[NAME], true);
    let create = story.event("Create", "", plain());
    let answered = |end: End| match end {
        End::Done(success) => success.physical_resource_id,
        _ => panic!("it is no success"),
    };
    assert_eq!(answered(story.tell(&create)), issued.as_str());
    story.remark("Both are issued. The one that CloudFormation tracks is kept.");
    story.account.edit(&pending).certificate.status = Status::Issued;
    let tags = properties(json!({ "Tags": { "team": "a" } }));
    let update = story.update(issued.as_str(), plain(), tags);
    assert_eq!(answered(story.tell(&update)), issued.as_str());
    story.end();
}

fn replaced(story: &mut Story) -> (CertificateArn, Value) {
    let arn = story.exists(1, &[NAME], true);
    let names = json!({ "SubjectAlternativeNames": ["b.dev.example.com"] });
    (arn, deleting(names))
}

#[test]
fn replace() {
    let mut story = Story::new("replace.txt", "A certificate is replaced");
    let (old, after) = replaced(&mut story);
    let update = story.update(old.as_str(), deleting(json!({})), after);
    story.tell_for(&update, 600, issue);
    story.remark("CloudFormation deletes the old one in its clean-up.");
    let delete = story.event("Delete", old.as_str(), deleting(json!({})));
    story.tell(&delete);
    story.end();
}

#[test]
fn replace_and_rolled_back() {
    let mut story = Story::new(
        "replace-rolled-back.txt",
        "A certificate is replaced, and the update is rolled back",
    );
    let (old, after) = replaced(&mut story);
    let update = story.update(old.as_str(), deleting(json!({})), after.clone());
    story.account.becomes = Status::Issued;
    story.tell(&update);
    let new = arn(101);
    story.remark("The rollback is an Update with the properties swapped. It carries the old id, or the new one.");
    let account = story.account.clone();
    for id in [&old, &new] {
        story.account = account.clone();
        let rollback = story.update(id.as_str(), after.clone(), deleting(json!({})));
        story.tell(&rollback);
    }
    story.remark("CloudFormation deletes the new one in its clean-up, if it knows it.");
    let delete = story.event("Delete", new.as_str(), after);
    story.tell(&delete);
    story.end();
}

#[test]
fn replace_again() {
    let mut story = Story::new(
        "replace-again.txt",
        "An Update that replaces a certificate has died, and another Update replaces it",
    );
    let old = story.exists(1, &[NAME], true);
    let named = |name: &str| deleting(json!({ "DomainName": name }));
    let died = story.update(old.as_str(), plain(), named("b.dev.example.com"));
    let request = died.request();
    let noted = name("b.dev.example.com");
    let note = Successor::of_request(&request, old.region(), &noted);
    story.account.edit(&old).tags.extend(note.tag());
    let tags = request.ownership_tags();
    story
        .account
        .certificate(&arn(2), &["b.dev.example.com"], tags);
    story.remark(
        "The note leads to what the first one requested. It is deleted before it is overwritten.",
    );
    let update = story.update(old.as_str(), plain(), named("c.dev.example.com"));
    story.tell_for(&update, 600, issue);
    assert!(!story.account.certificates.contains_key(&arn(2)));
    story.end();
}

#[test]
fn replace_never_answered() {
    let mut story = Story::new(
        "replace-never-answered.txt",
        "An update dies after it has requested a certificate, and its rollback dies too",
    );
    let (old, after) = replaced(&mut story);
    let update = story.update(old.as_str(), deleting(json!({})), after);
    story.tell_for(&update, 0, |_| ());
    story.remark("The stack is deleted. The Delete knows the old certificate alone, and what is noted on it.");
    let delete = story.event("Delete", old.as_str(), deleting(json!({})));
    story.tell(&delete);
    assert_eq!(story.account.certificates.len(), 0);
    story.end();
}

#[test]
fn cannot_be_issued() {
    let mut story = Story::new("not-issued.txt", "A certificate that cannot be issued");
    story.remark("A CAA record set forbids it. ACM is not asked.");
    story.account.obstacle = caa();
    let create = story.event("Create", "", plain());
    story.tell(&create);
    assert_eq!(story.account.requested, 0);
    story.remark("The zone is in use, and not delegated.");
    story.account.obstacle = not_delegated();
    let create = story.event("Create", "", plain());
    story.tell(&create);
    assert_eq!(story.account.requested, 0);
    story.remark("Its zone has a stale DS record set.");
    story.account.obstacle = stale_ds();
    let create = story.event("Create", "", plain());
    story.tell(&create);
    assert_eq!(story.account.requested, 0);
    story.remark(
        "The delegation breaks after the certificate was requested. It is deleted, with its CNAME.",
    );
    story.account.obstacle = Obstacle::None;
    let create = story.event("Create", "", deleting(json!({})));
    story.tell_for(&create, 600, |account| {
        if account.requested > 0 {
            account.obstacle = not_delegated();
        }
    });
    story.remark("ACM fails it.");
    story.account.obstacle = Obstacle::None;
    story.account.becomes = Status::Failed(Some(FailureReason::DomainNotAllowed));
    let create = story.event("Create", "", plain());
    story.tell(&create);
    story.remark("ACM fails it because of a CAA record set.");
    story.account.becomes = Status::Failed(Some(FailureReason::CaaError));
    let create = story.event("Create", "", plain());
    story.tell_for(&create, 600, |account| {
        if account.requested > 2 {
            account.obstacle = caa();
        }
    });
    story.remark(
        "ACM fails it because a stale DS record set keeps it from reading CAA record sets.",
    );
    story.account.obstacle = Obstacle::None;
    let create = story.event("Create", "", plain());
    story.tell_for(&create, 600, |account| {
        if account.requested > 3 {
            account.obstacle = stale_ds();
        }
    });
    assert_eq!(story.account.certificates.len(), 0);
    story.end();
}

#[test]
fn new_zone() {
    let mut story = Story::new(
        "new-zone.txt",
        "A certificate in a new zone that a person has to delegate",
    );
    let Some(ZoneState::Public { zone, .. }) = story.account.zones.get_mut(&zone_id("Z1")) else {
        panic!("it exists");
    };
    zone.has_only_apex = true;
    let zone = zone.clone();
    story.account.obstacle = Obstacle::Some(Cause::NotDelegatedYet {
        zone: zone.name,
        name_servers: zone.name_servers,
        found: "there is no delegation at dev.example.com".to_owned(),
    });
    story.remark("Its absence is waited for, up to the end. After 750 s the certificate is requested all the same.");
    let create = story.event("Create", "", plain());
    let End::Waiting(phase) = story.tell_for(&create, 3_000, |_| ()) else {
        panic!("it has not ended");
    };
    story.time_is_up(&create, &phase);
    assert_eq!(story.account.certificates.len(), 0);
    story.end();
}

#[test]
fn time_is_up() {
    let mut story = Story::new("time-is-up.txt", "A certificate is not issued in time");
    let create = story.event("Create", "", deleting(json!({})));
    let End::Waiting(phase) = story.tell_for(&create, 600, |_| ()) else {
        panic!("it has not ended");
    };
    story.time_is_up(&create, &phase);
    story.remark("The Create was cut off before it learned the ARN.");
    let create = story.event("Create", "", deleting(json!({})));
    let first = Phase::first(&create.request());
    let tags = create.request().ownership_tags();
    story.account.certificate(&arn(2), &[NAME], tags.clone());
    story.time_is_up(&create, &first);
    story.remark("The invocation that undid it was cut off.");
    let request = create.request();
    let undoing = first.abandoned(&delivery(&request, request.requested_at));
    let undoing = undoing.expect("it can have requested a certificate");
    story.account.certificate(&arn(2), &[NAME], tags);
    story.time_is_up(&create, &undoing);
    assert_eq!(story.account.certificates.len(), 0);
    story.end();
}

#[test]
fn refusals() {
    let mut story = Story::new("refused.txt", "Creates and Updates that are refused");
    let zones = story.account.zones.clone();
    let id = zone_id("Z1");
    story.remark("The zone does not exist, is private, or may not be read.");
    let denied = refusal("GetHostedZone", "AccessDenied");
    let unusable = [
        ZoneState::Missing,
        ZoneState::Private,
        ZoneState::Unreadable(denied),
    ];
    for state in unusable {
        story.account.zones.insert(id.clone(), state);
        let create = story.event("Create", "", plain());
        story.tell(&create);
    }
    story.account.zones = zones.clone();
    story.remark("The name is in no zone.");
    let create = story.event(
        "Create",
        "",
        properties(json!({ "DomainName": "example.org" })),
    );
    story.tell(&create);
    story.remark("The zone delegates the name to another one.");
    if let Some(ZoneState::Public { delegations, .. }) = story.account.zones.get_mut(&id) {
        delegations.push(name(NAME));
    }
    let create = story.event("Create", "", plain());
    story.tell(&create);
    story.account.zones = zones;
    story.remark("The CNAME has another value. The certificate that was requested is deleted.");
    story.cname(NAME, "other.example.net.");
    let create = story.event("Create", "", plain());
    story.tell(&create);
    story.account.cnames.clear();
    story.remark("ACM refuses the request.");
    story.account.fails = Some("RequestCertificate");
    let create = story.event("Create", "", plain());
    story.tell(&create);
    story.remark("Somebody deletes the certificate while it is waited for.");
    let create = story.event("Create", "", deleting(json!({})));
    let mut rounds = 0;
    story.tell_for(&create, 600, |account| {
        rounds += 1;
        if rounds > 7 {
            account.certificates.clear();
        }
    });
    assert_eq!(story.account.cnames.len(), 0);
    story.end();
}

#[test]
fn undo_fails() {
    let mut story = Story::new(
        "undo-fails.txt",
        "A certificate that is not issued, and that ACM does not delete",
    );
    story.account.becomes = Status::Failed(Some(FailureReason::DomainNotAllowed));
    let error = refusal("DeleteCertificate", "AccessDeniedException");
    story.account.refused = Some(Refused::Failed(error));
    let create = story.event("Create", "", plain());
    story.tell(&create);
    story.remark("CloudFormation deletes what the answer names.");
    story.account.refused = None;
    let delete = story.event("Delete", arn(101).as_str(), plain());
    story.tell(&delete);
    story.end();
}

#[test]
fn delete() {
    let mut story = Story::new("delete.txt", "A certificate is deleted");
    let id = arn(1);
    let situations = [
        "Its CNAME is to be kept.",
        "Its CNAME is to be deleted, and nothing else needs it.",
        "Another certificate needs the CNAME.",
        "A Region cannot be asked.",
        "A load balancer uses the certificate.",
        "ACM refuses to delete the certificate, and the CNAME is created again.",
        "It does not exist.",
    ];
    for (number, situation) in situations.into_iter().enumerate() {
        story.account = Account::new();
        story.exists(1, &[NAME], true);
        story.remark(situation);
        match number {
            2 => story.account.certificate(&arn(2), &[NAME], Tags::new()),
            3 => story.account.unknown_region = Some("us-west-2".to_owned()),
            4 => {
                let users = &mut story.account.edit(&id).certificate.in_use_by;
                users.push("the load balancer".to_owned());
            }
            5 => {
                let error = refusal("DeleteCertificate", "ConflictException");
                story.account.refused = Some(Refused::ForNow(error));
            }
            6 => story.account.certificates.clear(),
            _ => {}
        }
        let properties = if number == 0 {
            plain()
        } else {
            deleting(json!({}))
        };
        let delete = story.event("Delete", id.as_str(), properties);
        story.tell_for(&delete, 0, |_| ());
    }
    story.end();
}

#[test]
fn delete_unanswered() {
    let mut story = Story::new(
        "delete-unanswered.txt",
        "The Delete of a Create that CloudFormation received no answer to",
    );
    story.exists(1, &[NAME], false);
    story.remark("The Create may still run, so its Delete searches once more.");
    let delete = story.event("Delete", "dev-Zone-1A2B3C4D5E6F", plain());
    story.tell_for(&delete, 1_000, |_| ());
    story.remark("The properties are unusable: nothing was requested with them.");
    let delete = story.event(
        "Delete",
        "dev-Zone-1A2B3C4D5E6F",
        json!({ "DomainName": "*" }),
    );
    story.tell(&delete);
    story.end();
}

#[test]
fn delete_of_others() {
    let mut story = Story::new("delete-others.txt", "A Delete leaves what is not its own");
    let id = story.exists(1, &[NAME], true);
    story.remark("Its tags name another stack, or another logical id of this one.");
    for (key, value) in [(tags::STACK_ID, OTHER_STACK), (tags::LOGICAL_ID, "Sibling")] {
        let mut account = story.account.clone();
        let tags = &mut account.edit(&id).tags;
        tags.insert(key.to_owned(), value.to_owned());
        let before = std::mem::replace(&mut story.account, account);
        let delete = story.event("Delete", id.as_str(), plain());
        story.tell(&delete);
        assert_eq!(story.account.certificates.len(), 1);
        story.account = before;
    }
    story.remark(
        "The Delete of a refused Create is delivered again, after a later Create was answered.",
    );
    let refused = Event {
        at: 60,
        ..story.event("Create", "", plain())
    };
    let delete = story.event("Delete", &refused.request().refused_id(), plain());
    story.tell(&delete);
    assert_eq!(story.account.certificates.len(), 1);
    story.end();
}
