//! One case for each operation (create, update in place, replace, delete) on each resource type, and for
//! combinations.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use serde_json::{Value, json};
use world::cloudformation::{DeletionPolicy, ResourceDefinition, Template};
use world::{Edit, Fault, FaultRule, Lie, Name, RecordKey, When, Zone};

use crate::cast::{BUILD, CONSUMER, Cast, NETWORK, PREFIX, REGION, certificate, subdomain, with};
use crate::roles;

/// Another zone of the networking account.
const SECOND_ZONE: &str = "second.example.com";
/// The prefix under which it is published.
const SECOND_PREFIX: &str = "/zone-delegation/second";

/// An operation on a stack, and the state before it.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) account: &'static str,
    /// Things that people have created.
    pub(crate) setup: for<'a> fn(&'a Cast) -> Pin<Box<dyn Future<Output = ()> + 'a>>,
    /// An earlier template of the stack whose resources were removed from it and kept by a deletion policy.
    pub(crate) kept: Option<fn(&Cast) -> Template>,
    /// The template before the operation, or none for a create.
    pub(crate) before: Option<fn(&Cast) -> Template>,
    /// The template of the operation, or none for a delete.
    pub(crate) after: Option<fn(&Cast) -> Template>,
    /// Whether the operation fails and is rolled back even if nothing dies.
    pub(crate) fails: bool,
    /// Whether people have removed permissions, so that calls are denied.
    pub(crate) denied: bool,
}

/// A case of the consumer's, in which people created nothing.
pub(crate) const PLAIN: Case = Case {
    name: "",
    account: CONSUMER,
    setup: |_| Box::pin(async {}),
    kept: None,
    before: None,
    after: None,
    fails: false,
    denied: false,
};

/// All cases.
pub(crate) const CASES: &[Case] = &[
    Case {
        name: "PublishedZone: create",
        account: NETWORK,
        after: Some(|cast| published(cast, "/zone-delegation/own")),
        ..PLAIN
    },
    Case {
        name: "PublishedZone: update in place, another zone",
        account: NETWORK,
        setup: |cast| Box::pin(async { second_zone(cast).await }),
        before: Some(|cast| published(cast, "/zone-delegation/own")),
        after: Some(|cast| {
            let zone = zone_named(cast, NETWORK, SECOND_ZONE);
            let own = cast.published_zone("/zone-delegation/own");
            one("Zone", with(own, json!({"HostedZoneId": zone})))
        }),
        ..PLAIN
    },
    Case {
        name: "PublishedZone: replace, another prefix",
        account: NETWORK,
        before: Some(|cast| published(cast, "/zone-delegation/own")),
        after: Some(|cast| published(cast, "/zone-delegation/other")),
        ..PLAIN
    },
    Case {
        name: "PublishedZone: replace, another prefix and another zone",
        account: NETWORK,
        setup: |cast| Box::pin(async { second_zone(cast).await }),
        before: Some(|cast| published(cast, "/zone-delegation/own")),
        after: Some(|cast| {
            let zone = zone_named(cast, NETWORK, SECOND_ZONE);
            let other = cast.published_zone("/zone-delegation/other");
            one("Zone", with(other, json!({"HostedZoneId": zone})))
        }),
        ..PLAIN
    },
    Case {
        name: "PublishedZone: delete",
        account: NETWORK,
        before: Some(|cast| published(cast, "/zone-delegation/own")),
        ..PLAIN
    },
    Case {
        name: "PublishedZone: logical id renamed",
        account: NETWORK,
        before: Some(|cast| published(cast, "/zone-delegation/own")),
        after: Some(|cast| {
            cast.renamed(NETWORK, "Zone", "Renamed");
            let own = cast.published_zone("/zone-delegation/own");
            let renamed = json!({"FormerLogicalIds": ["Zone"]});
            one("Renamed", with(own, renamed))
        }),
        ..PLAIN
    },
    Case {
        name: "PublishedZone: logical id renamed together with the zone, and rolled back",
        account: NETWORK,
        setup: |cast| Box::pin(async { second_zone(cast).await }),
        before: Some(|cast| published(cast, "/zone-delegation/own")),
        after: Some(|cast| {
            cast.renamed(NETWORK, "Zone", "Renamed");
            let zone = zone_named(cast, NETWORK, SECOND_ZONE);
            let own = cast.published_zone("/zone-delegation/own");
            let renamed = json!({"HostedZoneId": zone, "FormerLogicalIds": ["Zone"]});
            let mut template = one("Renamed", with(own, renamed));
            let mut bad = cast.published_zone("/zone-delegation/bad");
            bad = with(bad, json!({"Nonsense": "x"}));
            bad.depends_on.push("Renamed".to_owned());
            template.insert("Bad".to_owned(), bad);
            template
        }),
        fails: true,
        ..PLAIN
    },
    Case {
        name: "DelegatedSubdomain: create",
        after: Some(|_| one("Zone", subdomain(CONSUMER, "dev"))),
        ..PLAIN
    },
    Case {
        name: "DelegatedSubdomain: create with an existing zone",
        setup: |cast| Box::pin(async { existing_zone(cast).await }),
        after: Some(|cast| one("Zone", with_existing_zone(cast))),
        ..PLAIN
    },
    Case {
        name: "DelegatedSubdomain: create without its delegation role",
        setup: |cast| Box::pin(async { cast.world.delete_role(&roles::delegation_role(CONSUMER)) }),
        after: Some(|_| one("Zone", subdomain(CONSUMER, "dev"))),
        fails: true,
        denied: true,
        ..PLAIN
    },
    Case {
        name: "DelegatedSubdomain: create below one of the same stack",
        after: Some(|_| family()),
        ..PLAIN
    },
    Case {
        name: "DelegatedSubdomain: update in place",
        before: Some(|_| one("Zone", subdomain(CONSUMER, "dev"))),
        after: Some(|_| {
            let properties = json!({"Ttl": 60, "Comment": "hello", "Tags": {"team": "a"}});
            one("Zone", with(subdomain(CONSUMER, "dev"), properties))
        }),
        ..PLAIN
    },
    Case {
        name: "DelegatedSubdomain: replace, another name",
        before: Some(|_| one("Zone", subdomain(CONSUMER, "dev"))),
        after: Some(|_| one("Zone", subdomain(CONSUMER, "test"))),
        ..PLAIN
    },
    Case {
        name: "DelegatedSubdomain: replace, another parent by another delegation role",
        setup: |cast| Box::pin(async { second_parent(cast).await }),
        before: Some(|_| one("Zone", subdomain(CONSUMER, "dev"))),
        after: Some(|_| {
            let role = roles::delegation_role_of(CONSUMER, SECOND_PREFIX);
            let parent = json!({"ParameterPrefix": SECOND_PREFIX, "NetworkRoleArn": role});
            one("Zone", with(subdomain(CONSUMER, "dev"), parent))
        }),
        ..PLAIN
    },
    Case {
        name: "DelegatedSubdomain: the stack's last one is removed, a certificate in another zone stays",
        setup: |cast| Box::pin(async { delegated_zone(cast).await }),
        before: Some(|cast| {
            let mut template = one("Zone", subdomain(CONSUMER, "test"));
            let certificate = certificate_in_given(cast, "app");
            template.insert("Certificate".to_owned(), certificate);
            template
        }),
        after: Some(|cast| one("Certificate", certificate_in_given(cast, "app"))),
        ..PLAIN
    },
    Case {
        name: "DelegatedSubdomain: replace, an existing zone instead of a managed one",
        setup: |cast| Box::pin(async { existing_zone(cast).await }),
        before: Some(|_| one("Zone", subdomain(CONSUMER, "dev"))),
        after: Some(|cast| one("Zone", with_existing_zone(cast))),
        ..PLAIN
    },
    Case {
        name: "DelegatedSubdomain: replace, a managed zone instead of an existing one",
        setup: |cast| Box::pin(async { existing_zone(cast).await }),
        before: Some(|cast| one("Zone", with_existing_zone(cast))),
        after: Some(|_| one("Zone", subdomain(CONSUMER, "dev"))),
        ..PLAIN
    },
    Case {
        name: "DelegatedSubdomain: logical id renamed",
        before: Some(|_| one("Zone", subdomain(CONSUMER, "dev"))),
        after: Some(|cast| {
            cast.renamed(CONSUMER, "Zone", "Renamed");
            let former = json!({"FormerLogicalIds": ["Zone"]});
            one("Renamed", with(subdomain(CONSUMER, "dev"), former))
        }),
        ..PLAIN
    },
    Case {
        name: "DelegatedSubdomain: removed with the records that people added to its zone",
        before: Some(|_| {
            let deletes = json!({"RecordsOnDelete": "Delete"});
            one("Zone", with(subdomain(CONSUMER, "dev"), deletes))
        }),
        after: Some(|cast| {
            let name = Name::of(&format!("dev.{BUILD}"));
            let zones = cast.world.zones();
            let zone = zones.values().find(|zone| zone.name == name);
            let records = [
                Edit::create(&format!("dev.{BUILD}"), "TXT", 300, &["\"text\""]),
                Edit::create(&format!("*.www.dev.{BUILD}"), "A", 300, &["192.0.2.1"]),
            ];
            let zone = &zone.expect("it exists").id;
            cast.world.edit_records(zone, &records).unwrap();
            Template::new()
        }),
        ..PLAIN
    },
    Case {
        name: "DelegatedSubdomain: logical id renamed, with tags that fill a call, and rolled back",
        before: Some(|_| one("Zone", with_tags(subdomain(CONSUMER, "dev"), 9))),
        after: Some(|cast| {
            cast.renamed(CONSUMER, "Zone", "Renamed");
            and_fails(one("Renamed", with_tags(subdomain(CONSUMER, "dev"), 9)))
        }),
        fails: true,
        ..PLAIN
    },
    Case {
        name: "DelegatedSubdomain: kept by its deletion policy, and added again",
        kept: Some(|_| kept(one("Zone", subdomain(CONSUMER, "dev")))),
        before: Some(|_| Template::new()),
        after: Some(|_| one("Zone", subdomain(CONSUMER, "dev"))),
        ..PLAIN
    },
    Case {
        name: "DelegatedSubdomain: kept by its deletion policy, added again, and refused at the end",
        setup: |cast| Box::pin(async { parent_without_delegation(cast).await }),
        kept: Some(|_| {
            let unverified = json!({"VerifyDelegation": false});
            kept(one("Zone", with(subdomain(CONSUMER, "dev"), unverified)))
        }),
        before: Some(|_| Template::new()),
        after: Some(|_| {
            let properties = json!({"Ttl": 60, "Comment": "hello", "Tags": {"team": "a"}});
            one("Zone", with(subdomain(CONSUMER, "dev"), properties))
        }),
        fails: true,
        ..PLAIN
    },
    Case {
        name: "DelegatedSubdomain: create with a zone that people delegated, and refused at the end",
        setup: |cast| Box::pin(async { delegated_zone(cast).await }),
        after: Some(|cast| {
            resolvers_lie(cast, Lie::NoName);
            one("Zone", with(with_existing_zone(cast), json!({"Ttl": 60})))
        }),
        fails: true,
        ..PLAIN
    },
    Case {
        name: "DelegatedSubdomain: create with a zone that people delegated, and rolled back",
        setup: |cast| Box::pin(async { delegated_zone(cast).await }),
        after: Some(|cast| and_fails(one("Zone", with_existing_zone(cast)))),
        fails: true,
        ..PLAIN
    },
    Case {
        name: "DelegatedSubdomain: removed, and its NS record set cannot be deleted",
        before: Some(|_| one("Zone", subdomain(CONSUMER, "dev"))),
        after: Some(|cast| {
            let delegation = RecordKey::new(&Name::of(&format!("dev.{BUILD}")), "NS");
            let stick = |zone: &mut Zone| zone.undeletable = [delegation].into();
            cast.world.edit_zone(&cast.build_zone, stick).unwrap();
            Template::new()
        }),
        ..PLAIN
    },
    Case {
        name: "DelegatedSubdomain: removed without its delegation role, and the resolvers deny every name",
        before: Some(|_| one("Zone", subdomain(CONSUMER, "dev"))),
        after: Some(|cast| {
            cast.world.delete_role(&roles::delegation_role(CONSUMER));
            resolvers_lie(cast, Lie::NoName);
            Template::new()
        }),
        denied: true,
        ..PLAIN
    },
    Case {
        name: "DelegatedSubdomain: removed without its delegation role, and the resolvers refer to others",
        before: Some(|_| one("Zone", subdomain(CONSUMER, "dev"))),
        after: Some(|cast| {
            cast.world.delete_role(&roles::delegation_role(CONSUMER));
            resolvers_lie(cast, Lie::Referral);
            Template::new()
        }),
        denied: true,
        ..PLAIN
    },
    Case {
        name: "DelegatedSubdomain: removed without its delegation role, and the resolvers name others",
        before: Some(|_| one("Zone", subdomain(CONSUMER, "dev"))),
        after: Some(|cast| {
            cast.world.delete_role(&roles::delegation_role(CONSUMER));
            resolvers_lie(cast, Lie::NameServers);
            Template::new()
        }),
        denied: true,
        ..PLAIN
    },
    Case {
        name: "SubdomainCertificate: one of two Regions' certificates for a name is removed",
        before: Some(|_| {
            let mut template = with_certificate("app");
            let elsewhere = certificate("Zone", &format!("app.dev.{BUILD}"));
            let elsewhere = with(elsewhere, json!({"Region": "us-east-1"}));
            template.insert("Elsewhere".to_owned(), elsewhere);
            template
        }),
        after: Some(|_| with_certificate("app")),
        ..PLAIN
    },
    Case {
        name: "PublishedZone: kept by its deletion policy, and added again",
        account: NETWORK,
        kept: Some(|cast| kept(published(cast, "/zone-delegation/own"))),
        before: Some(|_| Template::new()),
        after: Some(|cast| published(cast, "/zone-delegation/own")),
        ..PLAIN
    },
    Case {
        name: "SubdomainCertificate: kept by its deletion policy, and added again",
        setup: |cast| Box::pin(async { delegated_zone(cast).await }),
        kept: Some(|cast| kept(one("Certificate", certificate_in_given(cast, "app")))),
        before: Some(|_| Template::new()),
        after: Some(|cast| one("Certificate", certificate_in_given(cast, "app"))),
        ..PLAIN
    },
    Case {
        name: "DelegatedSubdomain: delete",
        before: Some(|_| one("Zone", subdomain(CONSUMER, "dev"))),
        ..PLAIN
    },
    Case {
        name: "DelegatedSubdomain: delete of an existing zone",
        setup: |cast| Box::pin(async { existing_zone(cast).await }),
        before: Some(|cast| one("Zone", with_existing_zone(cast))),
        ..PLAIN
    },
    Case {
        name: "DelegatedSubdomain: delete after a drain that outlasts the invocation",
        before: Some(|_| {
            let properties = json!({"DrainSeconds": 1800, "Ttl": 1800});
            one("Zone", with(subdomain(CONSUMER, "dev"), properties))
        }),
        ..PLAIN
    },
    Case {
        name: "DelegatedSubdomain: create while each change takes four minutes",
        setup: |cast| Box::pin(async { changes_take_four_minutes(cast) }),
        after: Some(|_| one("Zone", subdomain(CONSUMER, "dev"))),
        ..PLAIN
    },
    Case {
        name: "DelegatedSubdomain: replace while each change takes four minutes",
        setup: |cast| {
            Box::pin(async {
                existing_zone(cast).await;
                changes_take_four_minutes(cast);
            })
        },
        before: Some(|cast| one("Zone", with_existing_zone(cast))),
        after: Some(|_| one("Zone", subdomain(CONSUMER, "dev"))),
        ..PLAIN
    },
    Case {
        name: "DelegatedSubdomain: delete while each change takes four minutes",
        setup: |cast| Box::pin(async { changes_take_four_minutes(cast) }),
        before: Some(|_| one("Zone", subdomain(CONSUMER, "dev"))),
        ..PLAIN
    },
    Case {
        name: "SubdomainCertificate: create",
        setup: |cast| Box::pin(async { delegated_zone(cast).await }),
        after: Some(|cast| one("Certificate", certificate_in_given(cast, "app"))),
        ..PLAIN
    },
    Case {
        name: "SubdomainCertificate: create with its zone",
        after: Some(|_| with_certificate("app")),
        ..PLAIN
    },
    Case {
        name: "SubdomainCertificate: update in place",
        setup: |cast| Box::pin(async { delegated_zone(cast).await }),
        before: Some(|cast| {
            let tags = json!({"Tags": {"stage": "x"}});
            one("Certificate", with(certificate_in_given(cast, "app"), tags))
        }),
        after: Some(|cast| {
            let tags = json!({"Tags": {"team": "a"}, "ValidationRecordsOnDelete": "Keep"});
            let keep = json!({"ValidationRecordsOnDelete": "Delete"});
            let changed = with(certificate_in_given(cast, "app"), tags);
            one("Certificate", with(changed, keep))
        }),
        ..PLAIN
    },
    Case {
        name: "SubdomainCertificate: replace, another name",
        setup: |cast| Box::pin(async { delegated_zone(cast).await }),
        before: Some(|cast| one("Certificate", certificate_in_given(cast, "app"))),
        after: Some(|cast| {
            let names = json!({"SubjectAlternativeNames": [format!("*.dev.{BUILD}")]});
            one(
                "Certificate",
                with(certificate_in_given(cast, "app"), names),
            )
        }),
        ..PLAIN
    },
    Case {
        name: "SubdomainCertificate: update in place beside its zone",
        before: Some(|_| tagged(with_certificate("app"), json!({"stage": "x"}))),
        after: Some(|_| tagged(with_certificate("app"), json!({"team": "a"}))),
        ..PLAIN
    },
    Case {
        name: "SubdomainCertificate: the stack's last one is removed, its zone stays",
        before: Some(|_| with_certificate("app")),
        after: Some(|_| one("Zone", subdomain(CONSUMER, "dev"))),
        ..PLAIN
    },
    Case {
        name: "SubdomainCertificate: delete",
        setup: |cast| Box::pin(async { delegated_zone(cast).await }),
        before: Some(|cast| one("Certificate", certificate_in_given(cast, "app"))),
        ..PLAIN
    },
    Case {
        name: "an update that fails after its replacement has succeeded",
        before: Some(|_| one("Zone", subdomain(CONSUMER, "dev"))),
        after: Some(|_| {
            let mut template = one("Zone", subdomain(CONSUMER, "test"));
            let mut bad = with(subdomain(CONSUMER, "a.dev"), json!({"Nonsense": "x"}));
            bad.depends_on.push("Zone".to_owned());
            template.insert("Bad".to_owned(), bad);
            template
        }),
        fails: true,
        ..PLAIN
    },
];

/// A certificate that ACM takes longer to issue than an invocation may last. The invocation dies after the
/// hand-over, so that its next attempt asks whether the execution still runs.
pub(crate) const SLOW_CERTIFICATE: Case = Case {
    name: "SubdomainCertificate: create that outlasts the invocation",
    setup: |cast| {
        Box::pin(async {
            delegated_zone(cast).await;
            let slow = Duration::from_secs(1_800);
            cast.world
                .change_settings(|settings| settings.issuance = slow..=slow);
            dies_when_handed_over(cast);
        })
    },
    after: Some(|cast| one("Certificate", certificate_in_given(cast, "app"))),
    ..PLAIN
};

/// A drain that is longer than the invocation, which dies as that of the slow certificate does.
pub(crate) const LONG_DRAIN: Case = Case {
    name: "DelegatedSubdomain: delete that dies when it has handed over",
    setup: |cast| Box::pin(async { dies_when_handed_over(cast) }),
    before: Some(|_| {
        let properties = json!({"DrainSeconds": 1800, "Ttl": 1800});
        one("Zone", with(subdomain(CONSUMER, "dev"), properties))
    }),
    ..PLAIN
};

fn dies_when_handed_over(cast: &Cast) {
    let death = FaultRule::on_operation("StartExecution", 1, Fault::Kill(When::After));
    cast.world.inject(death);
}

pub(crate) fn one(
    logical_id: &str,
    definition: world::cloudformation::ResourceDefinition,
) -> Template {
    Template::from([(logical_id.to_owned(), definition)])
}

fn published(cast: &Cast, prefix: &str) -> Template {
    assert_ne!(prefix, PREFIX, "the prefix of the cast");
    one("Zone", cast.published_zone(prefix))
}

fn with_certificate(label: &str) -> Template {
    let mut template = one("Zone", subdomain(CONSUMER, "dev"));
    let definition = certificate("Zone", &format!("{label}.dev.{BUILD}"));
    template.insert("Certificate".to_owned(), definition);
    template
}

fn tagged(mut template: Template, tags: Value) -> Template {
    let certificate = template.get_mut("Certificate").expect("it has one");
    certificate.properties.insert("Tags".to_owned(), tags);
    template
}

/// Returns `dev`, delegated across accounts, and its subdomain `a.dev` within the account.
fn family() -> Template {
    let mut template = one("Zone", subdomain(CONSUMER, "dev"));
    template.insert(
        "Child".to_owned(),
        world::cloudformation::ResourceDefinition::new(
            "Custom::DelegatedSubdomain",
            json!({"Subdomain": "a", "ParentHostedZoneId": {"Fn::GetAtt": ["Zone", "HostedZoneId"]}}),
        ),
    );
    template
}

/// Returns the id of a zone that people created.
pub(crate) fn zone_named(cast: &Cast, account: &str, name: &str) -> String {
    let zones = cast.world.zones();
    let found = zones.values().find(|zone| {
        zone.account == account
            && zone.name == Name::of(name)
            && zone.made_by == world::Hand::Person
    });
    found.expect("people created it").id.clone()
}

/// Returns a template whose deletion policy keeps its resources.
fn kept(mut template: Template) -> Template {
    for definition in template.values_mut() {
        definition.deletion_policy = DeletionPolicy::Retain;
    }
    template
}

/// Returns a template with a resource that depends on all others and fails.
fn and_fails(mut template: Template) -> Template {
    let mut bad = with(subdomain(CONSUMER, "test"), json!({"Nonsense": "x"}));
    bad.depends_on = template.keys().cloned().collect();
    template.insert("Bad".to_owned(), bad);
    template
}

/// Adds this many tags whose keys sort before those of the ownership tags.
fn with_tags(definition: ResourceDefinition, count: usize) -> ResourceDefinition {
    let tags: serde_json::Map<String, Value> = (0..count)
        .map(|index| (format!("a-{index:02}"), json!("x")))
        .collect();
    with(definition, json!({"Tags": tags}))
}

/// From now on the resolvers lie about every delegation of the parent zone.
fn resolvers_lie(cast: &Cast, lie: Lie) {
    cast.world
        .change_settings(|settings| settings.resolvers_lie = Some((Name::of(BUILD), lie)));
}

/// Deletes the delegation of the parent zone, so that no name in it resolves from now on.
async fn parent_without_delegation(cast: &Cast) {
    let edit = Edit::delete(BUILD, "NS");
    cast.world.edit_records(&cast.base_zone, &[edit]).unwrap();
    tokio::time::sleep(Duration::from_secs(60)).await;
}

async fn second_zone(cast: &Cast) {
    cast.world.make_zone(NETWORK, SECOND_ZONE).unwrap();
    tokio::time::sleep(Duration::from_secs(60)).await;
}

/// Creates another parent, published by people, with delegation roles of its own.
async fn second_parent(cast: &Cast) {
    second_zone(cast).await;
    let zone = zone_named(cast, NETWORK, SECOND_ZONE);
    roles::put_delegation_roles(&cast.world, &zone, SECOND_PREFIX);
    let servers = cast.world.zone(&zone).unwrap().hosts();
    let values: Vec<&str> = servers.iter().map(String::as_str).collect();
    let edit = Edit::create(SECOND_ZONE, "NS", 900, &values);
    cast.world.edit_records(&cast.base_zone, &[edit]).unwrap();
    tokio::time::sleep(Duration::from_secs(60)).await;
    let servers = servers.join(",");
    for (name, value) in [
        ("hosted-zone-id", zone.as_str()),
        ("hosted-zone-name", SECOND_ZONE),
        ("name-servers", &servers),
    ] {
        let name = format!("{SECOND_PREFIX}/{name}");
        cast.world.write_parameter(NETWORK, REGION, &name, value);
    }
}

/// From now on Route 53 brings a change to its name servers only after four minutes: longer than an attempt waits, and short enough for one invocation.
fn changes_take_four_minutes(cast: &Cast) {
    let long = Duration::from_secs(240);
    cast.world
        .change_settings(|settings| settings.propagation = long..=long);
}

/// A zone of the name of a subdomain, made by people, not delegated.
pub(crate) async fn existing_zone(cast: &Cast) {
    cast.world
        .make_zone(CONSUMER, &format!("dev.{BUILD}"))
        .unwrap();
    tokio::time::sleep(Duration::from_secs(60)).await;
}

/// Creates a zone and its delegation.
async fn delegated_zone(cast: &Cast) {
    let name = format!("dev.{BUILD}");
    let zone = cast.world.make_zone(CONSUMER, &name).unwrap();
    let hosts = cast.world.zone(&zone).unwrap().hosts();
    let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
    let edit = Edit::create(&name, "NS", 900, &hosts);
    cast.world.edit_records(&cast.build_zone, &[edit]).unwrap();
    // The networking stack cannot be deleted while the zone is delegated, because people created that
    // delegation.
    tokio::time::sleep(Duration::from_secs(60)).await;
}

pub(crate) fn with_existing_zone(cast: &Cast) -> world::cloudformation::ResourceDefinition {
    let zone = zone_named(cast, CONSUMER, &format!("dev.{BUILD}"));
    with(subdomain(CONSUMER, "dev"), json!({"HostedZoneId": zone}))
}

fn certificate_in_given(cast: &Cast, label: &str) -> world::cloudformation::ResourceDefinition {
    let zone = zone_named(cast, CONSUMER, &format!("dev.{BUILD}"));
    let definition = certificate("Zone", &format!("{label}.dev.{BUILD}"));
    with(definition, json!({"HostedZoneId": zone}))
}
