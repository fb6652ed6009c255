//! Writes the plans of the important situations as text in `tests/plans/subdomain`. They are documentation:
//! each file is a story of requests, with what each finds and its plans. `UPDATE_PLANS=1 cargo test
//! --workspace --lib situations` writes them again.

use super::account::{
    Account, OTHER_STACK, Outcome, START, id, name, properties, request, servers,
};
use crate::subdomain::delegation::Delegation;
use custom_resource::Request;
use dns_check::Standing;
use hosted_zones::RecordSet;
use ownership::zone::{Proof, Tagging};
use ownership::{Owner, Requester};
use serde_json::{Value, json};
use std::{env, fmt::Write as _, fs, path::Path};

/// A story in progress.
struct Story {
    file: &'static str,
    text: String,
    account: Account,
}

impl Story {
    fn new(file: &'static str, title: &str) -> Self {
        Self {
            file,
            text: format!("# {title}\n"),
            account: Account::new(),
        }
    }

    fn remark(&mut self, text: &str) {
        let _ = write!(self.text, "\n{text}\n");
    }

    /// Returns the next request, a minute after the previous one.
    fn request(&mut self, kind: &str, logical_id: &str, of: Value) -> Request {
        self.account.now += 60;
        request(kind, logical_id, of, self.account.now)
    }

    /// Creates the subdomain, and returns its physical id.
    fn create(&mut self, logical_id: &str, more: Value) -> String {
        let create = self.request(
            "Create",
            logical_id,
            json!({ "ResourceProperties": properties(more) }),
        );
        self.tell(&create)
    }

    fn delete(&mut self, logical_id: &str, physical_id: &str, more: Value) -> String {
        let of =
            json!({ "PhysicalResourceId": physical_id, "ResourceProperties": properties(more) });
        let delete = self.request("Delete", logical_id, of);
        self.tell(&delete)
    }

    fn update(&mut self, logical_id: &str, physical_id: &str, old: Value, new: Value) -> String {
        let of = json!({
            "PhysicalResourceId": physical_id, "ResourceProperties": properties(new),
            "OldResourceProperties": properties(old),
        });
        let update = self.request("Update", logical_id, of);
        self.tell(&update)
    }

    /// Writes the plans of a request to the story, and carries them out. Returns the physical id of a
    /// success.
    fn tell(&mut self, request: &Request) -> String {
        let kind = format!("{:?}", request.request_type);
        let _ = write!(
            self.text,
            "\n## {kind} of {}\n",
            request.logical_resource_id
        );
        if kind != "Create" {
            let _ = write!(self.text, "\nPhysical id: {}\n", request.physical_id());
        }
        let text = &mut self.text;
        let outcome = self.account.serve(request, |account, observed, plan| {
            let at = account.now + START;
            let _ = write!(
                text,
                "\nObserved at {at}:\n\n{observed:#}\nPlan:\n\n{plan:#}"
            );
        });
        match outcome {
            Outcome::Success(id) => id,
            Outcome::Refused => {
                let _ = writeln!(self.text);
                String::new()
            }
        }
    }

    /// Compares the story with its file.
    fn end(self) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/plans/subdomain");
        let path = folder.join(self.file);
        if env::var_os("UPDATE_PLANS").is_some() {
            fs::create_dir_all(&folder).expect("it can be created");
            fs::write(&path, &self.text).expect("it can be written");
        }
        let expected = fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(
            self.text, expected,
            "the plans of {} have changed: UPDATE_PLANS=1 writes them anew",
            self.file
        );
    }
}

fn none() -> Value {
    json!({})
}

#[test]
fn create_and_delete() {
    let mut story = Story::new(
        "create-and-delete.txt",
        "A subdomain is created and deleted",
    );
    let physical_id = story.create("Dev", none());
    story.delete("Dev", &physical_id, none());
    story.end();
}

#[test]
fn update() {
    let mut story = Story::new("update.txt", "The TTL changes in place");
    let physical_id = story.create("Dev", none());
    let ttl = json!({ "Ttl": "60", "Comment": "web" });
    let again = story.update("Dev", &physical_id, none(), ttl);
    assert_eq!(physical_id, again);
    story.end();
}

#[test]
fn delegation_deleted_by_hand() {
    let mut story = Story::new(
        "delegation-deleted-by-hand.txt",
        "Another program deletes the NS record set, and the next Update creates it again",
    );
    let physical_id = story.create("Dev", none());
    story.account.sets.clear();
    story.update("Dev", &physical_id, none(), json!({ "Comment": "web" }));
    story.end();
}

#[test]
fn refused() {
    let mut story = Story::new("refused.txt", "What a Create refuses");
    story.remark("The parent has an NS record set of someone else.");
    story.account.delegate("ZOTHER");
    story.create("Dev", none());
    story.account.sets.clear();
    story.remark("The delegation would occlude a record set.");
    let set = RecordSet::cname(&name("www.dev"), 60, "web.example.net");
    story.account.occluded.push(set);
    story.create("Dev", none());
    story.account.occluded.clear();
    story.remark("Another logical id of the stack has the name.");
    story.create("Former", none());
    story.create("Dev", none());
    story.end();
}

#[test]
fn rename_rolled_back() {
    let mut story = Story::new(
        "rename-rolled-back.txt",
        "A logical id is renamed, and the deployment is rolled back",
    );
    story.create("Former", none());
    let former = json!({ "FormerLogicalIds": ["Former"] });
    let physical_id = story.create("Dev", former.clone());
    story.remark(
        "Something else in the deployment fails. CloudFormation deletes the new logical id.",
    );
    story.delete("Dev", &physical_id, former);
    story.end();
}

#[test]
fn rename() {
    let mut story = Story::new("rename.txt", "A logical id is renamed");
    let old = story.create("Former", none());
    story.create("Dev", json!({ "FormerLogicalIds": ["Former"] }));
    story.remark("CloudFormation deletes the old logical id when the deployment has succeeded.");
    story.delete("Former", &old, none());
    story.end();
}

#[test]
fn replacement_rolled_back() {
    let mut story = Story::new(
        "replacement-rolled-back.txt",
        "Another name replaces the subdomain, and the deployment is rolled back",
    );
    let physical_id = story.create("Dev", none());
    let web = json!({ "Subdomain": "web" });
    story.update("Dev", &physical_id, none(), web.clone());
    story.remark("Something else fails. CloudFormation sends the properties the other way round, with the old physical id.");
    story.update("Dev", &physical_id, web, none());
    story.end();
}

#[test]
fn external() {
    let mut story = Story::new(
        "external.txt",
        "An existing zone is delegated, and released",
    );
    story
        .account
        .zone("ZEXTERNAL", "by hand", Tagging::default());
    let external = json!({ "HostedZoneId": "ZEXTERNAL" });
    let physical_id = story.create("Dev", external.clone());
    story.delete("Dev", &physical_id, external);
    assert!(story.account.zones.contains_key(&id("ZEXTERNAL")));
    story.end();
}

#[test]
fn adoption() {
    let mut story = Story::new("adoption.txt", "A delegation that exists is adopted");
    story
        .account
        .zone("ZEXTERNAL", "by hand", Tagging::default());
    story.account.delegate("ZEXTERNAL");
    let external = json!({ "HostedZoneId": "ZEXTERNAL" });
    story.create("Dev", external);
    let adopted = json!({ "HostedZoneId": "ZEXTERNAL", "AdoptDelegation": "true" });
    story.create("Dev", adopted);
    story.end();
}

#[test]
fn failed_create() {
    let mut story = Story::new(
        "failed-create.txt",
        "A Create fails after it created its zone, and its Delete deletes only that",
    );
    let create = story.request(
        "Create",
        "Dev",
        json!({ "ResourceProperties": properties(none()) }),
    );
    let reference = create.caller_reference();
    story.account.zone("ZKEPT", "by hand", Tagging::default());
    story
        .account
        .zone("ZFAILED", &reference, Tagging::created(&create));
    story.delete("Dev", &create.refused_id(), none());
    assert!(story.account.zones.contains_key(&id("ZKEPT")));
    story.end();
}

#[test]
fn unanswered_create() {
    let mut story = Story::new(
        "unanswered-create.txt",
        "CloudFormation never heard of a Create, and deletes by a physical id of its own",
    );
    let create = story.request(
        "Create",
        "Dev",
        json!({ "ResourceProperties": properties(none()) }),
    );
    let reference = create.caller_reference();
    story
        .account
        .zone("ZLEFT", &reference, Tagging::created(&create));
    story.account.delegate("ZLEFT");
    story.delete("Dev", "dev-Dev-1A2B3C4D5E6F", none());
    story.end();
}

#[test]
fn role_deleted() {
    let mut story = Story::new(
        "role-deleted.txt",
        "The delegation role does not exist any more when the subdomain is deleted",
    );
    let physical_id = story.create("Dev", none());
    story.account.permission = false;
    story.remark("The parent still delegates to the zone.");
    story.delete("Dev", &physical_id, none());
    story.remark("The owner of the parent has deleted the NS record set.");
    story.account.sets.clear();
    story.delete("Dev", &physical_id, none());
    story.end();
}

#[test]
fn records_in_the_zone() {
    let mut story = Story::new("records-in-the-zone.txt", "A zone has records of someone");
    let physical_id = story.create("Dev", none());
    let zone = story
        .account
        .zones
        .keys()
        .next()
        .expect("it exists")
        .clone();
    let record = RecordSet::cname(&name("www.dev"), 60, "web.example.net");
    let contents = crate::subdomain::observed::Contents {
        records: vec![record],
        ..Default::default()
    };
    story.account.contents.insert(zone, contents);
    story.delete("Dev", &physical_id, none());
    story.delete("Dev", &physical_id, json!({ "RecordsOnDelete": "Delete" }));
    story.end();
}

#[test]
fn zone_deleted_by_hand() {
    let mut story = Story::new(
        "zone-deleted-by-hand.txt",
        "A person deletes the zone, and leaves a dangling delegation",
    );
    let physical_id = story.create("Dev", none());
    story.account.zones.clear();
    story.delete("Dev", &physical_id, none());
    story.remark("Without permission, and the parent's name servers do not answer.");
    story.account.permission = false;
    story.account.said = Some(Standing::Unknown("no answer".to_owned()));
    story.delete("Dev", &physical_id, none());
    story.end();
}

#[test]
fn an_update_in_place_answers_the_physical_id_that_it_has() {
    let mut story = Story::new("", "");
    let created = story.create("Dev", none());
    let mut delegation = Delegation::parse(&created).unwrap();
    let owner = story.request("Create", "Dev", json!({})).owner();
    let zone = delegation.zone.to_string();
    delegation.proof = Proof::OfNameServers.digest(&servers(&zone), &owner);
    let of_0_2_0 = delegation.to_string();
    let updated = story.update("Dev", &of_0_2_0, none(), json!({ "Ttl": "60" }));
    assert_eq!(updated, of_0_2_0, "another id would be a replacement");
}

#[test]
fn an_update_in_place_returns_from_another_zone_of_the_resource() {
    let mut story = Story::new("", "");
    let created = story.create("Dev", none());
    let before = story.account.sets.clone();
    let other = story.request("Create", "Dev", json!({}));
    let tagging = Tagging::created(&other);
    story
        .account
        .zone("ZOTHER", &other.caller_reference(), tagging);
    story.account.delegate("ZOTHER");
    let updated = story.update("Dev", &created, none(), json!({ "Comment": "web" }));
    assert_eq!(updated, created);
    assert_eq!(story.account.sets, before);
}

#[test]
fn another_stack() {
    let mut story = Story::new(
        "another-stack.txt",
        "Tags never make a zone another stack's",
    );
    let physical_id = story.create("Dev", none());
    let zone = story.account.zones.values_mut().next().expect("it exists");
    let other = Owner {
        stack_id: OTHER_STACK.to_owned(),
        logical_id: "Theirs".to_owned(),
    };
    zone.tags.extend(other.tags());
    story.remark("Someone writes the tags of another stack. Its owner's own Delete says so, and changes nothing.");
    story.delete("Dev", &physical_id, none());
    story.end();
}
