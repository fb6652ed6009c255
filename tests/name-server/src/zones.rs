//! A snapshot of zones, with their name servers and record sets.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use hickory_proto::rr::rdata::{CNAME, NS, SOA};
use hickory_proto::rr::{Name, RData, Record, RecordType};

use crate::dnssec::{self, Key};
use crate::name;

/// A record set as Route 53 lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordSet {
    /// The full name. A trailing dot and octal escapes are accepted.
    pub name: String,
    /// The type in Route 53's words: `NS`, `CNAME`, `TXT`.
    pub record_type: String,
    /// The TTL in seconds.
    pub ttl: u32,
    /// The values in Route 53's text form, such as `"\"text\""` of a TXT record. Empty for an alias.
    pub values: Vec<String>,
}

/// A public hosted zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    /// The zone's name.
    pub name: String,
    /// The host names of its delegation set.
    pub name_servers: Vec<String>,
    /// Its record sets. If the SOA or NS record set of the apex is missing, it is added as Route 53 creates
    /// it.
    pub record_sets: Vec<RecordSet>,
    /// Whether DNSSEC signs it: then it has a DNSKEY at its apex, which belongs to [`Zone::ds`]. Nothing else of DNSSEC is
    /// served, and in particular no signature.
    pub signed: bool,
}

impl Zone {
    /// The value of the DS record set that belongs to the zone's key if it is signed: `12345 13 2 DIGEST`.
    ///
    /// # Errors
    /// Its name, or that of a name server, is none.
    pub fn ds(&self) -> Result<String, InvalidRecordSet> {
        let name = name::parse(&self.name)?;
        let key = Key::of(&name, &host_names(&self.name_servers)?);
        Ok(dnssec::shown(&key.ds(&name)))
    }
}

/// A name that a registry delegates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    /// The registered name, such as `example.com`.
    pub name: String,
    /// The host names in the registry.
    pub name_servers: Vec<String>,
    /// The values of the DS record set that the registry holds for it. The registry's own zones count as signed.
    pub ds: Vec<String>,
}

/// What a registry holds for a name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Registered {
    pub(crate) name_servers: BTreeSet<Name>,
    pub(crate) ds: Vec<Record>,
}

/// A name or value that DNS cannot carry, and that Route 53 does not accept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidRecordSet(String);

impl std::fmt::Display for InvalidRecordSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for InvalidRecordSet {}

impl From<String> for InvalidRecordSet {
    fn from(text: String) -> Self {
        Self(text)
    }
}

/// Seconds that what a registry says is valid for.
pub(crate) const REGISTRY_TTL: u32 = 172_800;

/// A snapshot of zones, ready to be asked. Build a new one when anything changes.
#[derive(Clone, Debug, Default)]
pub struct Zones {
    pub(crate) zones: Vec<Hosted>,
    /// Registered names.
    pub(crate) registrations: BTreeMap<Name, Registered>,
    hosts: BTreeSet<Name>,
    /// Whether a name that only has subdomains gets NXDOMAIN. This violates RFC 8020, but some servers do so
    /// (RFC 9156, section 2.3).
    pub(crate) empty_non_terminals_denied: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Hosted {
    pub(crate) name: Name,
    pub(crate) name_servers: BTreeSet<Name>,
    addresses: BTreeSet<Ipv4Addr>,
    /// An entry without records is a name that exists with a type that this server cannot serve (DS, an
    /// alias).
    names: BTreeMap<Name, Vec<Record>>,
    /// With what it is signed.
    pub(crate) key: Option<Key>,
}

impl Zones {
    /// Creates a snapshot in which the registry delegates `registrations`, and nothing else can be reached
    /// from outside.
    ///
    /// # Errors A name, or a value that is invalid for its type. Record sets of types that need DNSSEC, and
    /// aliases, become names without data.
    pub fn new(zones: &[Zone], registrations: &[Registration]) -> Result<Self, InvalidRecordSet> {
        let zones = zones.iter().map(Hosted::new).collect::<Result<_, _>>()?;
        let registrations = registrations
            .iter()
            .map(|r| {
                let name = name::parse(&r.name)?;
                let ds = RecordSet {
                    name: r.name.clone(),
                    record_type: "DS".to_owned(),
                    ttl: REGISTRY_TTL,
                    values: r.ds.clone(),
                };
                let registered = Registered {
                    name_servers: host_names(&r.name_servers)?,
                    ds: records(&name, &ds)?,
                };
                Ok((name, registered))
            })
            .collect::<Result<_, InvalidRecordSet>>()?;
        let mut snapshot = Self {
            zones,
            registrations,
            hosts: BTreeSet::new(),
            empty_non_terminals_denied: false,
        };
        snapshot.collect_hosts();
        Ok(snapshot)
    }

    /// Sets whether a name that only has subdomains gets NXDOMAIN, as some servers answer.
    pub fn deny_empty_non_terminals(&mut self, denied: bool) {
        self.empty_non_terminals_denied = denied;
    }

    /// A snapshot in which every zone that lies below no other is registered with its own name servers and, if it is
    /// signed, with its DS record. Of several with the same name, the first is.
    ///
    /// # Errors
    /// As [`Zones::new`].
    pub fn from_top(zones: &[Zone]) -> Result<Self, InvalidRecordSet> {
        let mut snapshot = Self::new(zones, &[])?;
        for zone in &snapshot.zones {
            let is_top = snapshot
                .zones
                .iter()
                .all(|other| other.name == zone.name || !other.name.zone_of(&zone.name));
            if is_top {
                snapshot
                    .registrations
                    .entry(zone.name.clone())
                    .or_insert_with(|| Registered {
                        name_servers: zone.name_servers.clone(),
                        ds: zone.ds().into_iter().collect(),
                    });
            }
        }
        Ok(snapshot)
    }

    /// Returns the addresses of all name servers that a zone, an NS record set or a registration names, each
    /// [`address_of`] its host name. Includes servers whose zone was deleted, which exist and refuse.
    pub fn addresses(&self) -> BTreeSet<Ipv4Addr> {
        self.hosts
            .iter()
            .map(|host| address_of(&host.to_ascii()))
            .collect()
    }

    /// Returns the zones that the name server at `address` hosts.
    pub(crate) fn hosted_at(&self, address: Ipv4Addr) -> impl Iterator<Item = &Hosted> {
        self.zones
            .iter()
            .filter(move |zone| zone.addresses.contains(&address))
    }

    /// The registered domain that holds a name, with the servers that its registry refers to.
    pub(crate) fn registration_of(&self, name: &Name) -> Option<(&Name, &Registered)> {
        self.registrations
            .iter()
            .filter(|(registered, _)| registered.zone_of(name))
            .max_by_key(|(registered, _)| registered.num_labels())
    }

    /// Returns whether anything in this snapshot names `host` as a name server.
    pub(crate) fn is_name_server(&self, host: &Name) -> bool {
        self.hosts.contains(host)
    }

    fn collect_hosts(&mut self) {
        let targets = |zone: &Hosted| {
            let host = |record: &Record| match &record.data {
                RData::NS(host) => Some(host.0.clone()),
                _ => None,
            };
            zone.names
                .values()
                .flatten()
                .filter_map(host)
                .collect::<Vec<_>>()
        };
        let of_zones = self
            .zones
            .iter()
            .flat_map(|zone| [zone.name_servers.iter().cloned().collect(), targets(zone)]);
        self.hosts = of_zones
            .flatten()
            .chain(
                self.registrations
                    .values()
                    .flat_map(|registered| registered.name_servers.iter().cloned()),
            )
            .collect();
    }
}

impl Hosted {
    fn new(zone: &Zone) -> Result<Self, InvalidRecordSet> {
        let mut hosted = Self {
            name: name::parse(&zone.name)?,
            name_servers: host_names(&zone.name_servers)?,
            addresses: zone
                .name_servers
                .iter()
                .map(|host| address_of(host))
                .collect(),
            names: BTreeMap::new(),
            key: None,
        };
        hosted.key = zone
            .signed
            .then(|| Key::of(&hosted.name, &hosted.name_servers));
        for set in &zone.record_sets {
            let at = name::parse(&set.name)?;
            if !hosted.name.zone_of(&at) {
                return Err(format!("{} is outside of its zone {}", set.name, zone.name).into());
            }
            let records = records(&at, set)?;
            hosted.names.entry(at).or_default().extend(records);
        }
        hosted.complete_apex();
        Ok(hosted)
    }

    /// Adds the record sets that Route 53 creates with the zone and does not let anyone delete.
    fn complete_apex(&mut self) {
        let apex = self.names.entry(self.name.clone()).or_default();
        if !apex.iter().any(|r| r.record_type() == RecordType::NS) {
            apex.extend(self.name_servers.iter().map(|host| {
                Record::from_rdata(self.name.clone(), 172_800, RData::NS(NS(host.clone())))
            }));
        }
        if !apex.iter().any(|r| r.record_type() == RecordType::SOA) {
            let primary = self
                .name_servers
                .first()
                .cloned()
                .unwrap_or_else(Name::root);
            let contact = Name::from_labels(["awsdns-hostmaster", "amazon", "com"])
                .unwrap_or_else(|_| Name::root());
            let soa = SOA::new(primary, contact, 1, 7200, 900, 1_209_600, 86_400);
            apex.push(Record::from_rdata(self.name.clone(), 900, RData::SOA(soa)));
        }
        if let Some(key) = &self.key {
            apex.push(Record::from_rdata(self.name.clone(), 3_600, key.rdata()));
        }
    }

    /// The DS record that belongs to its key.
    pub(crate) fn ds(&self) -> Option<Record> {
        let key = self.key.as_ref()?;
        let ds = dnssec::rdata_of_ds(key.ds(&self.name));
        Some(Record::from_rdata(self.name.clone(), REGISTRY_TTL, ds))
    }

    /// Returns the records of one type at one name.
    pub(crate) fn records(&self, at: &Name, record_type: RecordType) -> Vec<Record> {
        let all = self.names.get(at).map(Vec::as_slice).unwrap_or_default();
        all.iter()
            .filter(|r| r.record_type() == record_type || record_type == RecordType::ANY)
            .cloned()
            .collect()
    }

    /// Returns whether a name has subdomains and no records of its own.
    pub(crate) fn is_empty_non_terminal(&self, name: &Name) -> bool {
        self.exists(name) && !self.names.contains_key(name)
    }

    /// Returns whether the name exists, by records of its own or because a subdomain exists.
    pub(crate) fn exists(&self, name: &Name) -> bool {
        self.names.keys().any(|at| name.zone_of(at))
    }
}

/// Returns the loopback address for a name server's host name. It is the same for every spelling.
///
/// Two of 16 million host names may have the same address, and are then one server, as on the Internet.
pub fn address_of(host: &str) -> Ipv4Addr {
    // FNV-1a, which is small and the same in every run.
    let hash = host
        .trim_end_matches('.')
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte.to_ascii_lowercase())).wrapping_mul(0x0100_0000_01b3)
        });
    let [.., a, b, c] = (hash ^ (hash >> 32)).to_be_bytes();
    // From 127.16.0.1 on, apart from the addresses that people and resolvers use.
    Ipv4Addr::new(127, 16 + a % 224, b, 1 + c % 254)
}

fn host_names(hosts: &[String]) -> Result<BTreeSet<Name>, InvalidRecordSet> {
    hosts
        .iter()
        .map(|host| name::parse(host).map_err(InvalidRecordSet))
        .collect()
}

fn records(at: &Name, set: &RecordSet) -> Result<Vec<Record>, InvalidRecordSet> {
    let Ok(record_type) = set.record_type.parse::<RecordType>() else {
        return Ok(Vec::new());
    };
    if matches!(record_type, RecordType::Unknown(_)) {
        return Ok(Vec::new());
    }
    let record = |value: &String| {
        // The library parses NS and CNAME values as host names and converts them. Route 53 keeps them
        // unchanged.
        let data = match record_type {
            RecordType::NS => name::parse(value).map(|host| RData::NS(NS(host))),
            RecordType::CNAME => name::parse(value).map(|target| RData::CNAME(CNAME(target))),
            RecordType::DS => dnssec::parse_ds(value).map(dnssec::rdata_of_ds),
            _ => RData::try_from_str(record_type, value).map_err(|error| error.to_string()),
        };
        let data =
            data.map_err(|error| format!("{} {} {value:?}: {error}", set.name, set.record_type))?;
        Ok(Record::from_rdata(at.clone(), set.ttl, data))
    };
    set.values.iter().map(record).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(name: &str, record_type: &str, value: &str) -> RecordSet {
        RecordSet {
            name: name.into(),
            record_type: record_type.into(),
            ttl: 60,
            values: vec![value.into()],
        }
    }

    #[test]
    fn values_are_parsed_in_route_53s_form() {
        let at = name::parse("a.example.com").unwrap();
        for (record_type, value) in [
            ("A", "192.0.2.1"),
            ("AAAA", "2001:db8::1"),
            ("CAA", "0 issue \"amazon.com\""),
            ("CAA", "0 issue \";\""),
            ("CNAME", "_x1.acm-validations.aws."),
            ("DS", "12345 3 1 123456789abcdef0"),
            ("MX", "10 mail.example.com."),
            ("NS", "ns-1.awsdns-01.org."),
            (
                "SOA",
                "ns-1.awsdns-01.org. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400",
            ),
            ("SRV", "1 10 5269 xmpp.example.com."),
            ("TXT", "\"v=spf1 -all\" \"more\""),
        ] {
            let read = records(&at, &set("a.example.com", record_type, value)).unwrap();
            assert_eq!(read.len(), 1, "{record_type} {value}");
            assert_eq!(read[0].record_type().to_string(), record_type);
        }
        for (record_type, value) in [
            ("A", "not an address"),
            ("DS", "12345 3 1"),
            ("DS", "12345 3 1 0"),
            ("DS", "65536 3 1 00"),
        ] {
            assert!(records(&at, &set("a.example.com", record_type, value)).is_err());
        }
    }

    #[test]
    fn an_address_is_on_loopback_and_the_same_for_every_spelling() {
        assert_eq!(
            address_of("NS-1.awsdns-01.org."),
            address_of("ns-1.awsdns-01.org")
        );
        assert_ne!(
            address_of("ns-1.awsdns-01.org"),
            address_of("ns-2.awsdns-01.org")
        );
        assert!(address_of("ns-1.awsdns-01.org").is_loopback());
    }

    #[test]
    fn a_record_set_outside_its_zone_is_refused() {
        let zone = Zone {
            name: "example.com".into(),
            name_servers: vec!["ns-1.example.org".into()],
            record_sets: vec![set("a.example.net", "A", "192.0.2.1")],
            signed: false,
        };
        assert!(Zones::from_top(&[zone]).is_err());
    }
}
