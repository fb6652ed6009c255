//! DNS as it is seen from outside: what every name server answers, from data that is INSYNC.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use hickory_proto::op::{Message, Query, ResponseCode};
use hickory_proto::rr::rdata::NS;
use hickory_proto::rr::{self, RData, RecordType};
use name_server::{Asked, RecordSet, Registration, Zone, Zones, answer, answer_bytes};

use crate::route53 as hosted;
use crate::route53::name::Name;
use crate::route53::record_set as held;
use crate::state::State;

/// The address of the one server that replaces the Internet, which `DNS_NAME_SERVERS` names.
pub const EVERYWHERE: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 53));

/// A false answer of a resolver about a delegation that exists, because of a stale cache, a filter of names or another view of the
/// network. It is never authoritative. Such a resolver knows no address of a name server, so a client that follows a delegation
/// queries the resolver itself instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lie {
    /// NXDOMAIN, with the SOA of the zone.
    NoName,
    /// A referral to other name servers.
    Referral,
    /// An NS record set with other name servers.
    NameServers,
}

/// The snapshot from which queries are answered until something changes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Dns {
    snapshot: Option<Arc<Zones>>,
    /// The number of snapshots that were made.
    pub(crate) version: u64,
}

impl Dns {
    /// Discards the snapshot because something in DNS has changed.
    pub(crate) fn changed(&mut self) {
        self.snapshot = None;
    }
}

fn plain(key: &held::RecordKey, set: &held::RecordSet) -> RecordSet {
    RecordSet {
        name: key.name.to_string(),
        record_type: key.kind.clone(),
        ttl: set.ttl.unwrap_or(60),
        values: set.values.clone(),
    }
}

fn served(zone: &hosted::Zone) -> Zone {
    let sets = zone.published.iter();
    Zone {
        name: zone.name.to_string(),
        name_servers: zone.hosts(),
        record_sets: sets.map(|(key, set)| plain(key, set)).collect(),
        signed: zone.signed,
    }
}

/// The value of the DS record set that belongs to a zone's key.
pub(crate) fn ds(zone: &hosted::Zone) -> String {
    served(zone).ds().expect("its names are valid")
}

/// The DS record set that a registry holds for a domain: its owner keeps it in step with the zone.
fn registered_ds(state: &State, domain: &Name, hosts: &[String]) -> Vec<String> {
    let zones = state.route53.zones_named(domain);
    let signed = zones.filter(|zone| zone.signed && zone.hosts() == hosts);
    signed.map(ds).collect()
}

/// The zones as their name servers serve them now.
pub(crate) fn snapshot(state: &mut State) -> Arc<Zones> {
    if let Some(snapshot) = &state.dns.snapshot {
        return Arc::clone(snapshot);
    }
    let zones: Vec<Zone> = state
        .route53
        .zones
        .values()
        .filter(|zone| !zone.private && zone.in_dns())
        .map(served)
        .collect();
    let registrations: Vec<Registration> = state
        .registrations
        .iter()
        .map(|(name, hosts)| Registration {
            name: name.to_string(),
            name_servers: hosts.clone(),
            ds: registered_ds(state, name, hosts),
        })
        .collect();
    let mut zones =
        Zones::new(&zones, &registrations).expect("only valid record sets are taken in");
    zones.deny_empty_non_terminals(state.settings.empty_non_terminals_denied);
    let snapshot = Arc::new(zones);
    state.dns.version += 1;
    state.dns.snapshot = Some(Arc::clone(&snapshot));
    snapshot
}

/// Returns why DNS cannot carry a record set, or none if it can.
pub(crate) fn invalid(key: &held::RecordKey, set: &held::RecordSet) -> Option<String> {
    let zone = Zone {
        name: key.name.to_string(),
        name_servers: vec!["ns.example".to_owned()],
        record_sets: vec![plain(key, set)],
        signed: false,
    };
    Zones::new(&[zone], &[])
        .err()
        .map(|error| error.to_string())
}

/// Returns the response of the server at an address to a query, or none if no server is there or the bytes
/// are not a query.
pub(crate) fn exchange(
    state: &mut State,
    server: IpAddr,
    query: &[u8],
    udp: bool,
) -> Option<Vec<u8>> {
    let lie = state.settings.resolvers_lie.clone();
    let lie = lie.filter(|_| server == EVERYWHERE);
    let zones = snapshot(state);
    let asked = match server {
        EVERYWHERE => Asked::Everywhere {
            own_addresses: lie.is_none(),
        },
        IpAddr::V4(address) => Asked::At(address),
        IpAddr::V6(_) => return None,
    };
    let told = lie.and_then(|(zone, lie)| tell(&zones, asked, &zone, lie, query));
    told.or_else(|| answer_bytes(&zones, asked, query, udp))
}

/// Returns the answer of a resolver that lies about the names below a zone. None for all other queries.
fn tell(zones: &Zones, asked: Asked, zone: &Name, lie: Lie, query: &[u8]) -> Option<Vec<u8>> {
    let query = Message::from_vec(query).ok()?;
    let [question] = query.queries.as_slice() else {
        return None;
    };
    let name = question.name().clone();
    if !Name::of(&name.to_ascii()).is_below(zone) {
        return None;
    }
    let mut reply = Message::response(query.metadata.id, query.metadata.op_code);
    reply.queries.clone_from(&query.queries);
    let elsewhere = rr::Name::from_ascii("ns.elsewhere.example.").ok()?;
    let elsewhere = rr::Record::from_rdata(name, 300, RData::NS(NS(elsewhere)));
    match lie {
        Lie::Referral => reply.authorities.push(elsewhere),
        Lie::NameServers if question.query_type() == RecordType::NS => {
            reply.answers.push(elsewhere);
        }
        Lie::NoName | Lie::NameServers => {
            let mut for_soa = Message::query();
            let apex = rr::Name::from_labels(zone.labels().iter().map(Vec::as_slice)).ok()?;
            for_soa.add_query(Query::query(apex, RecordType::SOA));
            reply.metadata.response_code = ResponseCode::NXDomain;
            reply.authorities = answer(zones, asked, &for_soa).answers;
        }
    }
    reply.to_vec().ok()
}

/// Records of a type as a resolver finds them that starts at the registries, follows every delegation and validates DNSSEC.
pub(crate) fn resolve(state: &mut State, name: &Name, kind: RecordType) -> Vec<RData> {
    let zones = snapshot(state);
    if zones.is_bogus(&name.to_string()).unwrap_or_default() {
        return Vec::new();
    }
    let Ok(name) = rr::Name::from_labels(name.labels().iter().map(Vec::as_slice)) else {
        return Vec::new();
    };
    let mut query = Message::query();
    query.add_query(Query::query(name.clone(), kind));
    let asked = Asked::Everywhere {
        own_addresses: false,
    };
    answer(&zones, asked, &query)
        .answers
        .into_iter()
        .map(|record| record.data)
        .collect()
}

/// The CAA record set that applies to a name: the name that has it, and its values by tag.
pub(crate) type FoundCaa = (Name, BTreeMap<String, Vec<String>>);

/// Returns the CAA record set that applies to a name: its own, else its parent's, and so on (RFC 8659,
/// section 3).
pub(crate) fn caa(state: &mut State, name: &Name) -> Option<FoundCaa> {
    let ancestors: Vec<Name> = name
        .ancestors()
        .filter(|name| !name.labels().is_empty())
        .collect();
    ancestors.into_iter().find_map(|name| {
        let mut values: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for record in resolve(state, &name, RecordType::CAA) {
            // In text form: `0 issue "amazon.com"`.
            let text = record.to_string();
            let mut parts = text.splitn(3, ' ');
            if let (true, Some(tag), Some(value)) =
                (parts.next().is_some(), parts.next(), parts.next())
            {
                values
                    .entry(tag.to_lowercase())
                    .or_default()
                    .push(value.trim_matches('"').to_owned());
            }
        }
        (!values.is_empty()).then_some((name, values))
    })
}
