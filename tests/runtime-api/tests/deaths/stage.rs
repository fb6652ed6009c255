//! A world in real time with its name servers and CloudFormation, and what exists in it of a stack.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use name_server::Served;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::sleep;
use world::cloudformation::{Engine, LambdaSettings, ResourceDefinition, Stack, Status, Template};
use world::{Edit, Hand, RecordKey, RecordSet, Role, Settings, Table, World, Zone};

use crate::host::{Binaries, Places};

/// The account with the base domain and the delegated zone.
pub(crate) const NETWORK: &str = "111111111111";
/// The account of the consumer.
pub(crate) const CONSUMER: &str = "222222222222";
pub(crate) const REGION: &str = "eu-west-1";
pub(crate) const BASE: &str = "example.com";
pub(crate) const BUILD: &str = "build.example.com";
const PREFIX: &str = "/zone-delegation/dev";

/// The factor by which the world's time, and with it that of the functions' processes, is faster than the
/// machine's. The shortest time-out of the functions, that of a DNS query, is 2 s, which has to be long
/// enough on a busy machine.
pub(crate) const FACTOR: u32 = 20;
/// The interval at which the name servers get the current zones.
const COPY_EVERY: Duration = Duration::from_millis(10);

/// A world whose functions are processes.
pub(crate) struct Stage {
    pub(crate) world: World,
    pub(crate) engine: Engine,
    pub(crate) binaries: Arc<Binaries>,
    /// The delegated zone.
    pub(crate) build_zone: String,
    /// The stack that publishes the delegated zone.
    network: Stack,
    _name_servers: Served,
    tasks: Vec<JoinHandle<()>>,
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl Stage {
    /// Creates a stage whose delegated zone is published, with this many attempts at an event after the
    /// first.
    pub(crate) async fn new(retries: u32) -> Self {
        let seconds = Duration::from_secs;
        let settings = Settings {
            propagation: seconds(1)..=seconds(10),
            certificate_appears: seconds(0)..=seconds(2),
            validation_records_appear: seconds(1)..=seconds(5),
            validation_interval: seconds(10),
            issuance: seconds(1)..=seconds(10),
            ..Settings::default()
        };
        let world = World::scaled(settings, FACTOR);
        let base_zone = world.make_zone(NETWORK, BASE).unwrap();
        let build_zone = world.make_zone(NETWORK, BUILD).unwrap();
        world.register(BASE, &world.zone(&base_zone).unwrap().hosts());
        delegate(&world, &base_zone, &build_zone);
        put_roles(&world);

        let (aws, serving) = world::serve(world.clone()).await.unwrap();
        let (sender, snapshots) = watch::channel(world.dns_snapshot());
        let name_servers = name_server::serve(snapshots, (Ipv4Addr::LOCALHOST, 0).into());
        let name_servers = name_servers.await.unwrap();
        let showing = tokio::spawn(show(world.clone(), sender));
        // Enough for an invocation, so that longer waits are handed over to the state machine.
        let lambda = LambdaSettings {
            timeout: seconds(240),
            retries,
            max_event_age: seconds(300 * u64::from(retries.min(1))),
            waiter: true,
        };
        let places = Places::new(aws, name_servers.address).await;
        let mut binaries = None;
        let engine = Engine::new(world.clone(), lambda, |desk| {
            let host = Arc::new(Binaries::new(world.clone(), desk, places));
            binaries = Some(host.clone());
            host
        });
        let mut network = Stack::new(NETWORK, REGION, "network");
        let template = published(&build_zone, PREFIX);
        let status = engine.create(&mut network, &template).await;
        assert_eq!(status, Status::Complete, "{:?}", network.failures);
        let stage = Self {
            binaries: binaries.expect("the engine was given one"),
            engine,
            build_zone,
            network,
            _name_servers: name_servers,
            tasks: vec![serving, showing],
            world,
        };
        stage.in_sync().await;
        stage
    }

    /// Creates a zone by hand.
    pub(crate) fn zone_by_hand(&self, account: &str, name: &str) -> String {
        self.world.make_zone(account, name).unwrap()
    }

    /// Creates a zone of the consumer's and its delegation, both by hand.
    pub(crate) fn delegated_by_hand(&self, name: &str) {
        let zone = self.zone_by_hand(CONSUMER, name);
        delegate(&self.world, &self.build_zone, &zone);
    }

    /// Returns the id of the one zone of a name.
    pub(crate) fn zone_named(&self, name: &str) -> String {
        let zones = self.world.zones();
        let mut named = zones.values().filter(|zone| zone.name.normalized() == name);
        named.next().expect("it was created by hand").id.clone()
    }

    /// Waits until the name servers agree with the API.
    pub(crate) async fn in_sync(&self) {
        let behind = |zone: &Zone| zone.records != zone.published;
        while self.world.zones().values().any(behind) {
            sleep(COPY_EVERY).await;
        }
        sleep(2 * COPY_EVERY).await;
    }

    /// Deletes the networking stack, after people have deleted the delegations that they created by hand.
    pub(crate) async fn close(&mut self) -> Result<(), String> {
        let zone = self
            .world
            .zone(&self.build_zone)
            .expect("nobody deletes it");
        let by_hand = |set: &RecordSet| set.written_by == Hand::Person;
        let edits: Vec<Edit> = zone
            .other_records()
            .filter(|(_, set)| by_hand(set))
            .map(|(key, _)| Edit::delete(&key.name.to_string(), &key.kind))
            .collect();
        if !edits.is_empty() {
            self.world.edit_records(&self.build_zone, &edits).unwrap();
        }
        let status = self.engine.delete(&mut self.network).await;
        self.engine.idle().await;
        if status != Status::Deleted {
            return Err(format!(
                "the network stack stays: {:?}",
                self.network.failures
            ));
        }
        Ok(())
    }

    /// Returns everything that was wrong.
    pub(crate) fn violations(&self) -> Vec<String> {
        let violations = self.world.violations().into_iter();
        violations.map(|violation| violation.what).collect()
    }

    /// Returns every call so far, as a table.
    pub(crate) fn history(&self) -> String {
        Table(&self.world.log()).to_string()
    }

    /// Returns everything that exists of a stack, without ids: two worlds with the same things have the same
    /// texts.
    pub(crate) fn existing(&self, stack: &Stack) -> BTreeSet<String> {
        let of_stack =
            |hand: &Hand| matches!(hand, Hand::Function(work) if work.stack_id == stack.id);
        let zones = self.world.zones();
        let mut existing = BTreeSet::new();
        for zone in zones.values() {
            let marks = in_names(&zones, &format!("{:?}", without_notes(&zone.tags)));
            if of_stack(&zone.made_by) {
                existing.insert(format!("zone {} {:?} {marks}", zone.name, zone.comment));
            } else if zone
                .tags
                .keys()
                .any(|tag| tag.starts_with("zone-delegation:"))
            {
                existing.insert(format!("marks on {}: {marks}", zone.name));
            }
            for (key, set) in zone
                .other_records()
                .filter(|(_, set)| of_stack(&set.written_by))
            {
                let view = match zone.published.get(key) {
                    Some(published) if published == set => "in the API and in DNS",
                    _ => "in the API only",
                };
                let values = values(&zones, key, set);
                let ttl = set.ttl.unwrap_or_default();
                existing.insert(format!("{} {} {ttl} {values} {view}", key.name, key.kind));
            }
        }
        for ((account, region, name), parameter) in self.world.parameters() {
            if of_stack(&parameter.made_by) {
                let (value, tags) = (parameter.value, without_notes(&parameter.tags));
                let words = in_names(&zones, &format!("{value} {tags:?}"));
                existing.insert(format!("parameter {account} {region} {name} = {words}"));
            }
        }
        for certificate in self.world.certificates().into_values() {
            if of_stack(&certificate.made_by) {
                let (names, status) = (certificate.names, certificate.status);
                let tags = in_names(&zones, &format!("{:?}", without_notes(&certificate.tags)));
                existing.insert(format!("certificate {names:?} {status} {tags}"));
            }
        }
        existing
    }
}

/// Sends the name servers what is INSYNC.
async fn show(world: World, sender: watch::Sender<Arc<name_server::Zones>>) {
    loop {
        let now = world.dns_snapshot();
        sender.send_if_modified(|shown| {
            let is_new = !Arc::ptr_eq(shown, &now);
            *shown = now;
            is_new
        });
        sleep(COPY_EVERY).await;
    }
}

/// Creates a zone's NS record set in its parent.
fn delegate(world: &World, parent: &str, zone: &str) {
    let zone = world.zone(zone).unwrap();
    let hosts = zone.hosts();
    let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
    let edit = Edit::create(&zone.name.to_string(), "NS", 900, &hosts);
    world.edit_records(parent, &[edit]).unwrap();
}

/// Creates the functions' roles and the delegation role, with all permissions. Other tests prove which
/// permissions are sufficient.
fn put_roles(world: &World) {
    let everything = json!({"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]});
    let policies = [("policy".to_owned(), everything)];
    let nobody = json!({"Statement": [{"Effect": "Deny", "Action": "*", "Principal": "*"}]});
    let consumer = json!({"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": {"AWS": format!("arn:aws:iam::{CONSUMER}:root")}}]});
    for (account, name, trust) in [
        (NETWORK, "publish-zone", &nobody),
        (NETWORK, "delegation", &consumer),
        (CONSUMER, "delegate-subdomain", &nobody),
    ] {
        world.put_role(Role::new(account, name, trust, &policies).unwrap());
    }
}

/// Returns a record set's values. The name servers of the delegated zone are replaced by the zone's name.
fn values(zones: &BTreeMap<String, Zone>, key: &RecordKey, set: &RecordSet) -> String {
    let sorted = |mut hosts: Vec<String>| {
        hosts
            .iter_mut()
            .for_each(|host| *host = host.trim_end_matches('.').to_lowercase());
        hosts.sort();
        hosts
    };
    let mut named = zones.values().filter(|zone| zone.name == key.name);
    let values = sorted(set.values.clone());
    match named.find(|zone| sorted(zone.hosts()) == values) {
        Some(zone) => format!("to zone {}", zone.name),
        None => format!("{values:?}"),
    }
}

/// Returns tags without the functions' own notes, such as a certificate's successor: a note may still exist
/// when its reason does not.
fn without_notes(tags: &BTreeMap<String, String>) -> BTreeMap<&String, &String> {
    let is_note = |tag: &str| {
        tag.strip_prefix("zone-delegation:")
            .is_some_and(|note| !["stack-id", "logical-id"].contains(&note))
    };
    tags.iter().filter(|(tag, _)| !is_note(tag)).collect()
}

/// Returns a text in which each zone's id and name servers are replaced by its name.
fn in_names(zones: &BTreeMap<String, Zone>, text: &str) -> String {
    let mut text = text.to_owned();
    for zone in zones.values() {
        text = text.replace(&zone.id, &format!("id of {}", zone.name));
        for host in zone.hosts() {
            text = text.replace(&host, &format!("server of {}", zone.name));
        }
    }
    text
}

/// Returns a template of one resource.
pub(crate) fn one(resource_type: &str, properties: Value) -> Template {
    let definition = ResourceDefinition::new(resource_type, properties);
    Template::from([("Resource".to_owned(), definition)])
}

/// Returns `Custom::PublishedZone`.
pub(crate) fn published(zone: &str, prefix: &str) -> Template {
    one(
        "Custom::PublishedZone",
        json!({"HostedZoneId": zone, "ParameterPrefix": prefix}),
    )
}

/// Returns `Custom::DelegatedSubdomain`, across accounts.
pub(crate) fn subdomain(name: &str, mut properties: Value) -> Template {
    properties["Subdomain"] = json!(name);
    properties["ParameterPrefix"] = json!(PREFIX);
    properties["NetworkRoleArn"] = json!(format!("arn:aws:iam::{NETWORK}:role/delegation"));
    one("Custom::DelegatedSubdomain", properties)
}

/// Returns `Custom::SubdomainCertificate` in a zone that was created by hand.
pub(crate) fn certificate(zone: &str, mut properties: Value) -> Template {
    properties["HostedZoneId"] = json!(zone);
    properties["ValidationRecordsOnDelete"] = json!("Delete");
    one("Custom::SubdomainCertificate", properties)
}
