//! The templates of a history, with few names, and the stacks to which they are deployed.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};
use world::cloudformation::{DeletionPolicy, ResourceDefinition, Stack, Template};
use world::{Hand, Name};

use crate::cast::{BUILD, CONSUMER, Cast, NETWORK, SECOND, certificate, subdomain, with};
use crate::exclusions::NAME_MOVES_ON;

/// A stack of the histories.
pub(crate) struct Place {
    pub(crate) account: &'static str,
    pub(crate) name: &'static str,
}

/// All stacks. The first publishes the delegated zone at the start of a history. The second and third share
/// an account and its names.
pub(crate) const STACKS: [Place; 5] = [
    Place {
        account: NETWORK,
        name: "network",
    },
    Place {
        account: CONSUMER,
        name: "one",
    },
    Place {
        account: CONSUMER,
        name: "two",
    },
    Place {
        account: SECOND,
        name: "ops",
    },
    Place {
        account: NETWORK,
        name: "network-two",
    },
];

/// The names in templates, relative to the delegated zone. The last is the second consumer's.
pub(crate) const NAMES: [&str; 4] = ["dev", "a.dev", "test", "ops"];
/// The prefixes in templates. The consumers read the first.
pub(crate) const PREFIXES: [&str; 2] = ["/zone-delegation/dev", "/zone-delegation/other"];
/// The logical ids of a published zone. Each may be the former id of the other.
const PUBLISHED_IDS: [&str; 2] = ["Published", "Renamed"];
/// The logical ids of zones.
const ZONE_IDS: [&str; 2] = ["A", "B"];
/// The first labels of certificates' names.
const LABELS: [&str; 2] = ["app", "api"];

/// The choices that make a template.
#[derive(Clone, Debug)]
pub(crate) struct StackChoice {
    /// One or two subdomains, with different names ([`crate::exclusions::ONE_NAME_TWO_LOGICAL_IDS`]).
    pub(crate) zones: Vec<ZoneChoice>,
    /// A certificate in the last one.
    pub(crate) certificate: Option<CertificateChoice>,
    /// A resource that depends on all others and fails.
    pub(crate) fails: bool,
    /// The prefix, for the stacks that publish.
    pub(crate) prefix: usize,
}

/// A subdomain.
#[derive(Clone, Debug)]
pub(crate) struct ZoneChoice {
    pub(crate) logical_id: usize,
    pub(crate) name: usize,
    pub(crate) ttl: u32,
    pub(crate) comment: bool,
    pub(crate) drain: u32,
    /// Whether it uses a zone that people created, if there is one of its name.
    pub(crate) existing: bool,
    pub(crate) deletes_records: bool,
    pub(crate) tags: TagsChoice,
    pub(crate) policy: DeletionPolicy,
    /// Whether it has an unknown property, so that its request is refused.
    pub(crate) broken: bool,
}

/// The user's tags: their number, and how their keys sort.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TagsChoice {
    pub(crate) count: usize,
    pub(crate) order: TagOrder,
}

/// How the keys of tags sort relative to those of the ownership tags.
#[derive(Clone, Copy, Debug)]
pub(crate) enum TagOrder {
    Before,
    After,
    Around,
}

impl TagsChoice {
    fn tags(self) -> Map<String, Value> {
        let start = |index: usize| match self.order {
            TagOrder::Before => "a",
            TagOrder::After => "zz",
            TagOrder::Around if index.is_multiple_of(2) => "a",
            TagOrder::Around => "zz",
        };
        let tag = |index| (format!("{}-{index:02}", start(index)), json!("x"));
        (0..self.count).map(tag).collect()
    }

    /// Adds `Tags`, if there are any.
    fn add_to(self, properties: &mut Value) {
        if self.count > 0 {
            properties["Tags"] = Value::Object(self.tags());
        }
    }
}

/// A certificate.
#[derive(Clone, Debug)]
pub(crate) struct CertificateChoice {
    pub(crate) label: usize,
    pub(crate) wildcard: bool,
    pub(crate) keeps: bool,
    pub(crate) elsewhere: bool,
    /// Another certificate of the template for the same name, which is validated by the same record.
    pub(crate) twin: bool,
    /// Whether that one is in the other Region.
    pub(crate) twin_elsewhere: bool,
    /// Whether it is in any zone of that name in the account, if there is one: another stack's, or a
    /// person's.
    pub(crate) shares: bool,
    pub(crate) tags: TagsChoice,
    pub(crate) policy: DeletionPolicy,
    pub(crate) broken: bool,
}

/// The Region in which certificates are elsewhere.
const ELSEWHERE: &str = "us-east-1";

impl StackChoice {
    /// Returns the template for a stack.
    pub(crate) fn template(&self, cast: &Cast, at: usize, stack: &Stack) -> Template {
        let mut template = Template::new();
        if STACKS[at].account == NETWORK {
            let mut published = cast.published_zone(PREFIXES[self.prefix]);
            published.deletion_policy = self.zones[0].policy;
            if self.zones[0].broken {
                published = with(published, json!({"Nonsense": "x"}));
            }
            let former = json!({ "FormerLogicalIds": PUBLISHED_IDS });
            template.insert(self.published_id().to_owned(), with(published, former));
        } else {
            // A former logical id is not in the template any more.
            let stays = NAME_MOVES_ON.covers(self.zones.len() > 1);
            for zone in &self.zones {
                let mut definition = zone.definition(cast, stack);
                if !stays {
                    let former = [ZONE_IDS[1 - zone.logical_id]];
                    definition = with(definition, json!({ "FormerLogicalIds": former }));
                }
                template.insert(zone.id().to_owned(), definition);
            }
            if let (Some(certificate), Some(zone)) = (&self.certificate, self.zones.last()) {
                let shared = certificate.shared_zone(cast, stack, zone);
                let definition = certificate.definition(zone, shared.as_deref());
                template.insert("Certificate".to_owned(), definition);
                if certificate.twin {
                    let twin = certificate.twin(zone, shared.as_deref());
                    template.insert("Twin".to_owned(), twin);
                }
            }
        }
        if self.fails {
            let first = template.values().next().expect("a template has a resource");
            let mut bad = ResourceDefinition::new(&first.resource_type, json!({"Nonsense": "x"}));
            bad.depends_on = template.keys().cloned().collect();
            template.insert("Bad".to_owned(), bad);
        }
        template
    }

    /// Returns the same template with every logical id renamed.
    pub(crate) fn renamed(&self, fails: bool) -> Self {
        let mut choice = self.clone();
        for zone in &mut choice.zones {
            zone.logical_id = 1 - zone.logical_id;
        }
        choice.fails = fails;
        choice
    }

    /// Returns the same template with every resource valid, or with its last resource refused.
    pub(crate) fn broken(&self, broken: bool) -> Self {
        let mut choice = self.clone();
        choice.fails = false;
        for zone in &mut choice.zones {
            zone.broken = false;
        }
        if let Some(certificate) = &mut choice.certificate {
            certificate.broken = broken;
        } else if let Some(zone) = choice.zones.last_mut() {
            zone.broken = broken;
        }
        choice
    }

    /// Returns the same template without its certificate, or without its last zone.
    pub(crate) fn smaller(&self) -> Self {
        let mut choice = self.clone();
        choice.fails = false;
        if choice.certificate.take().is_none() && choice.zones.len() > 1 {
            choice.zones.pop();
        }
        choice
    }

    /// Returns the validation record that it keeps; a name and its wildcard share one.
    pub(crate) fn kept_record(&self, at: usize) -> Option<Name> {
        let certificate = self.certificate.as_ref().filter(|found| found.keeps)?;
        let name = certificate.name(self.zones.last()?);
        let (record, _) = world::validation_record(STACKS[at].account, &name);
        Some(Name::of(&record))
    }

    fn published_id(&self) -> &'static str {
        PUBLISHED_IDS[self.zones[0].logical_id]
    }

    /// Returns a description of the template in one line.
    pub(crate) fn shown(&self, at: usize) -> String {
        let mut line = String::new();
        if STACKS[at].account == NETWORK {
            let ZoneChoice { policy, broken, .. } = self.zones[0];
            let refused = if broken { ", refused" } else { "" };
            let (id, prefix) = (self.published_id(), PREFIXES[self.prefix]);
            let _ = write!(line, "{id} = {prefix} ({policy:?}{refused}), ");
        } else {
            for zone in &self.zones {
                let _ = write!(
                    line,
                    "{} = {} (TTL {}, {} tags, {:?}",
                    zone.id(),
                    NAMES[zone.name],
                    zone.ttl,
                    zone.tags.count,
                    zone.policy
                );
                for (set, word) in [
                    (zone.comment, "comment"),
                    (zone.tags.count > 0, "tags"),
                    (zone.broken, "refused"),
                    (zone.existing, "a zone of people's"),
                    (zone.deletes_records, "deletes records"),
                    (zone.drain > 0, "drains"),
                ] {
                    if set {
                        let _ = write!(line, ", {word}");
                    }
                }
                line.push_str("), ");
            }
            if let (Some(certificate), Some(zone)) = (&self.certificate, self.zones.last()) {
                let _ = write!(
                    line,
                    "Certificate = {} ({certificate:?}), ",
                    certificate.name(zone)
                );
            }
        }
        if self.fails {
            line.push_str("Bad after all, which fails");
        }
        line.trim_end_matches(", ").to_owned()
    }
}

impl ZoneChoice {
    fn id(&self) -> &'static str {
        ZONE_IDS[self.logical_id]
    }

    fn definition(&self, cast: &Cast, stack: &Stack) -> ResourceDefinition {
        let name = NAMES[self.name];
        let mut properties = json!({
            "Ttl": self.ttl,
            "DrainSeconds": self.drain,
            "AdoptDelegation": true,
        });
        if self.comment {
            properties["Comment"] = json!("hello");
        }
        self.tags.add_to(&mut properties);
        if self.broken {
            properties["Nonsense"] = json!("x");
        }
        if self.deletes_records {
            properties["RecordsOnDelete"] = json!("Delete");
        }
        if self.existing
            && let Some(id) = peoples_zone(cast, stack, name)
        {
            properties["HostedZoneId"] = json!(id);
        }
        let mut definition = with(subdomain(&stack.account, name), properties);
        definition.deletion_policy = self.policy;
        definition
    }
}

impl CertificateChoice {
    fn name(&self, zone: &ZoneChoice) -> String {
        format!("{}.{}.{BUILD}", LABELS[self.label], NAMES[zone.name])
    }

    /// Returns the id of a zone in which the names are validated and which the template does not have.
    fn shared_zone(&self, cast: &Cast, stack: &Stack, zone: &ZoneChoice) -> Option<String> {
        let name = Name::of(&format!("{}.{BUILD}", NAMES[zone.name]));
        let is_own =
            |made_by: &Hand| matches!(made_by, Hand::Function(work) if work.stack_id == stack.id);
        let zones = cast.world.zones();
        let found = zones.values().find(|found| {
            found.account == stack.account && found.name == name && !is_own(&found.made_by)
        });
        found.filter(|_| self.shares).map(|found| found.id.clone())
    }

    fn definition(&self, zone: &ZoneChoice, shared: Option<&str>) -> ResourceDefinition {
        let name = self.name(zone);
        let mut properties = json!({});
        if let Some(shared) = shared {
            properties["HostedZoneId"] = json!(shared);
        }
        self.tags.add_to(&mut properties);
        if self.broken {
            properties["Nonsense"] = json!("x");
        }
        if self.wildcard {
            properties["SubjectAlternativeNames"] = json!([format!("*.{name}")]);
        }
        if self.keeps {
            properties["ValidationRecordsOnDelete"] = json!("Keep");
        }
        if self.elsewhere {
            properties["Region"] = json!(ELSEWHERE);
        }
        let mut definition = with(certificate(zone.id(), &name), properties);
        definition.deletion_policy = self.policy;
        definition
    }

    fn twin(&self, zone: &ZoneChoice, shared: Option<&str>) -> ResourceDefinition {
        let mut properties = json!({"Tags": {"twin": "yes"}});
        if let Some(shared) = shared {
            properties["HostedZoneId"] = json!(shared);
        }
        if self.twin_elsewhere {
            properties["Region"] = json!(ELSEWHERE);
        }
        with(certificate(zone.id(), &self.name(zone)), properties)
    }
}

/// Returns a zone of that name that people created in the stack's account.
fn peoples_zone(cast: &Cast, stack: &Stack, name: &str) -> Option<String> {
    let name = Name::of(&format!("{name}.{BUILD}"));
    let zones = cast.world.zones();
    let found = zones.values().find(|zone| {
        zone.account == stack.account && zone.name == name && zone.made_by == Hand::Person
    });
    found.map(|zone| zone.id.clone())
}
