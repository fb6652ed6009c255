//! Writes the plans of the important situations as text in `tests/plans`. They are documentation: each file
//! is a story of requests, with what each finds and its plans. `UPDATE_PLANS=1 cargo test -p publish-zone`
//! writes them again.

use super::{
    Delivery, Phase, Plan,
    store::{Event, OTHER_STACK, PREFIX, STACK, START, Store, at_once, name},
};
use crate::{
    observed::{Conflict, Parameter},
    properties::{Part, Task},
};
use custom_resource::Clock;
use hosted_zones::DomainName;
use ownership::{Requester, tags};
use serde_json::{Value, json};
use std::{collections::BTreeMap, env, fmt::Write as _, fs, path::Path, time::Duration};

/// A story in progress.
struct Story {
    file: &'static str,
    text: String,
    store: Store,
    /// The time in seconds after the start.
    now: u64,
}

impl Story {
    fn new(file: &'static str, title: &str) -> Self {
        Self {
            file,
            text: format!("# {title}\n"),
            store: Store::default(),
            now: 0,
        }
    }

    fn remark(&mut self, text: &str) {
        let _ = write!(self.text, "\n{text}\n");
    }

    /// Returns the next request, a minute after the previous one.
    fn event<'a>(&mut self, kind: &'a str, logical_id: &'a str, properties: Value) -> Event<'a> {
        self.now += 60;
        Event {
            kind,
            logical_id,
            physical_id: PREFIX.to_owned(),
            properties,
            before: Value::Null,
            at: self.now,
        }
    }

    /// Writes the plans of a request to the story, and carries them out.
    fn tell(&mut self, event: &Event<'_>) {
        let request = event.request();
        self.tell_turn(event, &at_once(&request));
    }

    fn tell_turn(&mut self, event: &Event<'_>, delivery: &Delivery<'_>) {
        let (observed, plan) = self.store.plan(delivery);
        let late = if delivery.may_be_repeat {
            ", delivered late or again"
        } else {
            ""
        };
        let kind = event.kind;
        let _ = write!(self.text, "\n## {kind} of {}{late}\n\n", event.logical_id);
        let tags = delivery.request.ownership_tags();
        let _ = writeln!(self.text, "Request: {}", tags[tags::REQUEST]);
        if kind != "Create" {
            let _ = writeln!(self.text, "Physical id: {}", event.physical_id);
        }
        let shown = |properties: &Value| {
            let text = serde_json::to_string(properties).expect("it is JSON");
            text.replace("\":", "\": ").replace(",\"", ", \"")
        };
        let _ = writeln!(self.text, "Properties: {}", shown(&event.properties));
        if !event.before.is_null() {
            let _ = writeln!(self.text, "Before: {}", shown(&event.before));
        }
        let _ = write!(self.text, "\nObserved:\n\n{observed:#}\nPlan:\n\n{plan:#}");
        self.store.carry_out(&plan, delivery.now);
    }

    /// Lets someone else write a parameter.
    fn write(&mut self, part: Part, value: &str, tags: &[(&str, &str)]) {
        let pair = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        let parameter = Parameter {
            part,
            value: value.to_owned(),
            modified: Clock::moment(START),
            tags: tags.iter().map(pair).collect(),
        };
        self.store.parameters.insert(name(PREFIX, part), parameter);
    }

    /// Lets someone delegate names in a zone.
    fn delegate(&mut self, zone: &str, names: &[&str]) {
        let names = names.iter().map(|name| DomainName::parse(name).unwrap());
        self.store
            .delegations
            .insert(zone.to_owned(), names.collect());
    }

    /// Compares the story with its file.
    fn end(self) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/plans")
            .join(self.file);
        if env::var_os("UPDATE_PLANS").is_some() {
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

fn zone_at(zone: &str, more: Value) -> Value {
    let mut properties = json!({ "HostedZoneId": zone, "ParameterPrefix": PREFIX });
    if let (Value::Object(properties), Value::Object(more)) = (&mut properties, more) {
        properties.extend(more);
    }
    properties
}

fn plain(zone: &str) -> Value {
    zone_at(zone, json!({}))
}

#[test]
fn create() {
    let mut story = Story::new("create.txt", "A zone is published");
    let event = story.event(
        "Create",
        "Zone",
        zone_at("Z1", json!({ "Tags": { "team": "dns" } })),
    );
    story.tell(&event);
    story.remark("Lambda delivers the same request again. It finds that everything is done.");
    let request = event.request();
    let delivery = Delivery {
        may_be_repeat: true,
        ..at_once(&request)
    };
    story.tell_turn(&event, &delivery);
    story.end();
}

#[test]
fn refused() {
    let mut story = Story::new("refused.txt", "A Create that is refused");
    story.remark("The zone does not exist, or is private.");
    for zone in ["Z404", "ZPRIVATE"] {
        let event = story.event("Create", "Zone", plain(zone));
        story.tell(&event);
    }
    story.remark("A person's parameter has the name.");
    story.write(Part::NameServers, "mine", &[]);
    let event = story.event("Create", "Zone", plain("Z1"));
    story.tell(&event);
    let refused_id = event.request().refused_id();
    story.remark(
        "Its Delete has the id of the refused Create, and leaves the person's parameter alone.",
    );
    let mut event = story.event("Delete", "Zone", plain("Z1"));
    event.physical_id = refused_id;
    story.tell(&event);
    story.remark("Another stack publishes there, or another logical id of this stack.");
    for (stack, logical_id) in [(OTHER_STACK, "Zone"), (STACK, "Former")] {
        for part in Part::ALL {
            let tags = [(tags::STACK_ID, stack), (tags::LOGICAL_ID, logical_id)];
            story.write(part, "Z9", &tags);
        }
        let event = story.event("Create", "Zone", plain("Z1"));
        story.tell(&event);
    }
    story.remark("The first delivery may have been answered, and undone, already.");
    story.store = Store::default();
    let event = story.event("Create", "Zone", plain("Z1"));
    let request = event.request();
    let delivery = Delivery {
        may_be_repeat: true,
        now: request.requested_at + Duration::from_secs(61),
        ..at_once(&request)
    };
    story.tell_turn(&event, &delivery);
    story.end();
}

#[test]
fn overwrite() {
    let mut story = Story::new(
        "overwrite.txt",
        "Another zone is published under the same prefix",
    );
    let event = story.event("Create", "Zone", plain("Z1"));
    story.tell(&event);
    story.remark("The zone before still delegates to a consumer.");
    story.delegate("Z1", &["app.dev1.example.com"]);
    let mut event = story.event("Update", "Zone", plain("Z2"));
    event.before = plain("Z1");
    story.tell(&event);
    story.remark("The consumer deletes its subdomain, and the update is deployed again.");
    story.delegate("Z1", &[]);
    let mut first = story.event("Update", "Zone", plain("Z2"));
    first.before = plain("Z1");
    story.tell(&first);
    story.remark("A later update publishes a third zone.");
    let mut event = story.event("Update", "Zone", plain("Z3"));
    event.before = plain("Z2");
    story.tell(&event);
    story.remark("Lambda delivers the update before it once more.");
    let request = first.request();
    let delivery = Delivery {
        may_be_repeat: true,
        ..at_once(&request)
    };
    story.tell_turn(&first, &delivery);
    story.end();
}

#[test]
fn tags() {
    let mut story = Story::new("tags.txt", "The template's tags");
    let before = zone_at("Z1", json!({ "Tags": { "team": "dns", "cost": "7" } }));
    let event = story.event("Create", "Zone", before.clone());
    story.tell(&event);
    let after = zone_at("Z1", json!({ "Tags": { "team": "net" } }));
    let mut event = story.event("Update", "Zone", after);
    event.before = before;
    story.tell(&event);
    story.end();
}

#[test]
fn rename() {
    let mut story = Story::new(
        "rename.txt",
        "A logical id is renamed in the template, and another zone is published",
    );
    let event = story.event("Create", "Former", plain("Z1"));
    story.tell(&event);
    story.remark("The template does not declare it.");
    let event = story.event("Create", "Zone", plain("Z2"));
    story.tell(&event);
    story.remark("The template declares it.");
    let renamed = zone_at("Z2", json!({ "FormerLogicalIds": ["Former"] }));
    let event = story.event("Create", "Zone", renamed);
    story.tell(&event);
    story.remark("CloudFormation cleans up: it deletes the old logical id.");
    let event = story.event("Delete", "Former", plain("Z1"));
    story.tell(&event);
    story.end();
}

#[test]
fn rename_rolled_back() {
    let mut story = Story::new(
        "rename-rolled-back.txt",
        "A logical id is renamed, another zone is published, and the update is rolled back",
    );
    let event = story.event("Create", "Former", plain("Z1"));
    story.tell(&event);
    let renamed = zone_at("Z2", json!({ "FormerLogicalIds": ["Former"] }));
    let event = story.event("Create", "Zone", renamed.clone());
    story.tell(&event);
    story
        .remark("Another resource of the update fails: CloudFormation deletes the new logical id.");
    let event = story.event("Delete", "Zone", renamed);
    story.tell(&event);
    story.remark("Former has what it had. The stack is deleted.");
    let event = story.event("Delete", "Former", plain("Z1"));
    story.tell(&event);
    story.end();
}

#[test]
fn replace_prefix() {
    let mut story = Story::new("replace-prefix.txt", "The prefix is changed");
    let event = story.event("Create", "Zone", plain("Z1"));
    story.tell(&event);
    let moved = json!({ "HostedZoneId": "Z1", "ParameterPrefix": "/zone-delegation/test" });
    let mut event = story.event("Update", "Zone", moved.clone());
    event.before = plain("Z1");
    story.tell(&event);
    story.remark("Another resource of the update fails: an Update rolls this one back, with the old id if the new one was lost.");
    let mut event = story.event("Update", "Zone", plain("Z1"));
    event.before = moved.clone();
    let kept = story.store.clone();
    story.tell(&event);
    story.remark("If the update succeeds, CloudFormation deletes the old prefix.");
    story.store = kept;
    let event = story.event("Delete", "Zone", plain("Z1"));
    story.tell(&event);
    story.end();
}

#[test]
fn retained() {
    let mut story = Story::new(
        "retained.txt",
        "Parameters that DeletionPolicy: Retain kept, added again",
    );
    let event = story.event("Create", "Zone", plain("Z1"));
    story.tell(&event);
    story.remark("The resource leaves the template, is kept, and is added again a day later for another zone.");
    story.now += 86_400;
    let event = story.event("Create", "Zone", plain("Z2"));
    story.tell(&event);
    story.remark("If that Create fails after all, its Delete returns the parameters as they were.");
    let refused_id = event.request().refused_id();
    let mut event = story.event("Delete", "Zone", plain("Z2"));
    event.physical_id = refused_id.clone();
    story.tell(&event);
    story.remark("The template is corrected, and the resource created. Then the Delete before is delivered again.");
    let create = story.event("Create", "Zone", plain("Z2"));
    story.tell(&create);
    story.tell(&event);
    story.end();
}

#[test]
fn delete() {
    let mut story = Story::new("delete.txt", "The resource is deleted");
    let event = story.event("Create", "Zone", plain("Z1"));
    story.tell(&event);
    story.remark("The zone still delegates to consumers.");
    story.delegate("Z1", &["app.dev1.example.com", "web.dev1.example.com"]);
    let event = story.event("Delete", "Zone", plain("Z1"));
    story.tell(&event);
    story.remark("They are ignored.");
    let kept = story.store.clone();
    let ignore = zone_at("Z1", json!({ "DelegationsOnDelete": "Ignore" }));
    let event = story.event("Delete", "Zone", ignore);
    story.tell(&event);
    story.store = kept;
    story.remark("Or there are none any more.");
    story.delegate("Z1", &[]);
    let first = story.event("Delete", "Zone", plain("Z1"));
    story.tell(&first);
    story.remark("The resource is created again. Then Lambda delivers the Delete once more.");
    let event = story.event("Create", "Zone", plain("Z1"));
    story.tell(&event);
    story.tell(&first);
    story.end();
}

#[test]
fn names_in_use() {
    let mut story = Story::new(
        "names-in-use.txt",
        "A name is removed from DelegatedNames while its consumer still has a subdomain",
    );
    let names = |names: &[&str]| zone_at("Z1", json!({ "DelegatedNames": names }));
    let both = names(&["app.dev1.example.com", "web.dev1.example.com"]);
    let event = story.event("Create", "Zone", both.clone());
    story.tell(&event);
    story.delegate("Z1", &["app.dev1.example.com"]);
    let mut event = story.event("Update", "Zone", names(&["web.dev1.example.com"]));
    event.before = both.clone();
    story.tell(&event);
    story.remark("The other name is free.");
    let mut event = story.event("Update", "Zone", names(&["app.dev1.example.com"]));
    event.before = both;
    story.tell(&event);
    story.end();
}

#[test]
fn unanswered_create() {
    let mut story = Story::new(
        "unanswered-create.txt",
        "The Delete of a Create that CloudFormation received no answer to",
    );
    story.remark("The Create died after its first two parameters.");
    let create = story.event("Create", "Zone", plain("Z1"));
    story.tell(&create);
    story
        .store
        .parameters
        .remove(&name(PREFIX, Part::NameServers));
    let mut delete = story.event("Delete", "Zone", plain("Z1"));
    delete.physical_id = "networking-Zone-1A2B3C4D5E6F".to_owned();
    story.tell(&delete);
    story.remark("It may still have run then, so its Delete searches once more.");
    let request = delete.request();
    let second_search = at_once(&request).second_search;
    let delivery = Delivery {
        phase: Phase::SecondSearch(Clock::seconds(second_search)),
        now: second_search,
        ..at_once(&request)
    };
    story.tell_turn(&delete, &delivery);
    story.end();
}

#[test]
fn name_kept() {
    let file = "name-kept.txt";
    let mut story = Story::new(
        file,
        "SSM keeps the name of a parameter that was deleted a moment ago",
    );
    let event = story.event("Create", "Zone", plain("Z1"));
    let request = event.request();
    let task = Task::of(&request).unwrap();
    let since = Clock::seconds(request.requested_at);
    let answers: BTreeMap<u64, &str> = BTreeMap::from([
        (
            1,
            "PutParameter is answered ParameterAlreadyExists, and the parameter does not exist.",
        ),
        (95, "The same for 90 seconds and more."),
    ]);
    for (later, remark) in answers {
        story.remark(remark);
        let mut observed = story.store.observe(&task);
        observed.conflict = Some(Conflict::NameTaken);
        let delivery = Delivery {
            phase: if later == 1 {
                Phase::First
            } else {
                Phase::NameKept(since)
            },
            now: request.requested_at + Duration::from_secs(later),
            ..at_once(&request)
        };
        let plan = Plan::of(&task, &observed, &delivery);
        let _ = write!(story.text, "\nObserved:\n\n{observed:#}\nPlan:\n\n{plan:#}");
    }
    story.end();
}
