//! Answers one query.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use hickory_proto::op::{Edns, Message, MessageType, OpCode, ResponseCode};
use hickory_proto::rr::rdata::{A, NS, SOA};
use hickory_proto::rr::{DNSClass, Name, RData, Record, RecordType};
use hickory_proto::serialize::binary::{BinEncodable, BinEncoder};

use crate::zones::{Hosted, REGISTRY_TTL, Zones};

/// The server that is queried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// The name server with this address, see [`crate::address_of`]. It serves the zones whose delegation set
    /// names it.
    At(Ipv4Addr),
    /// One server in place of all name servers. It follows the delegations from the registered names, and
    /// answers from the last zone.
    Everywhere {
        /// Whether it also answers `A` for the host names of name servers, with the address of each. Correct
        /// if every name server listens on its own address.
        own_addresses: bool,
    },
}

/// The longest chain of CNAME records that is followed.
const LONGEST_CHAIN: usize = 8;

/// The payload in bytes that this server accepts over UDP; <https://www.dnsflagday.net/2020/>.
const UDP_PAYLOAD: u16 = 1232;

/// Answers a query as Route 53's name servers do: with authority inside a zone, with a referral at and below
/// a delegation, NXDOMAIN and NODATA with the zone's SOA, REFUSED for a zone that the server does not host.
pub fn answer(zones: &Zones, asked: Asked, query: &Message) -> Message {
    let mut reply = Message::response(query.metadata.id, query.metadata.op_code);
    reply.metadata.recursion_desired = query.metadata.recursion_desired;
    reply.queries.clone_from(&query.queries);
    if query.edns.is_some() {
        let mut edns = Edns::new();
        edns.set_max_payload(UDP_PAYLOAD);
        reply.edns = Some(edns);
    }
    let [question] = query.queries.as_slice() else {
        reply.metadata.response_code = ResponseCode::FormErr;
        return reply;
    };
    if query.metadata.op_code != OpCode::Query || query.metadata.message_type != MessageType::Query
    {
        reply.metadata.response_code = ResponseCode::NotImp;
        return reply;
    }
    if question.query_class() != DNSClass::IN {
        reply.metadata.response_code = ResponseCode::Refused;
        return reply;
    }
    let (name, record_type) = (question.name().to_lowercase(), question.query_type());
    match asked {
        Asked::Everywhere {
            own_addresses: true,
        } if zones.is_name_server(&name) => {
            reply.metadata.authoritative = true;
            if record_type == RecordType::A {
                let address = A(crate::address_of(&name.to_ascii()));
                reply
                    .answers
                    .push(Record::from_rdata(name, 60, RData::A(address)));
            }
        }
        _ => fill(&mut reply, zones, asked, name, record_type),
    }
    reply
}

/// Answers as [`answer`] does, from bytes to bytes. Over UDP, truncates the answer to the size that the
/// client accepts and sets the TC bit. `None` for bytes that are not a query, which a server does not answer.
pub fn answer_bytes(zones: &Zones, asked: Asked, query: &[u8], udp: bool) -> Option<Vec<u8>> {
    let query = Message::from_vec(query).ok()?;
    if query.metadata.message_type != MessageType::Query {
        return None;
    }
    let reply = answer(zones, asked, &query);
    let mut bytes = Vec::with_capacity(512);
    let mut encoder = BinEncoder::new(&mut bytes);
    if udp {
        encoder.set_max_size(udp_payload(&query));
    }
    reply.emit(&mut encoder).ok()?;
    Some(bytes)
}

/// Returns the size of a UDP answer in bytes: 512, or what EDNS offers (RFC 6891), at most what this server
/// accepts itself.
pub(crate) fn udp_payload(query: &Message) -> u16 {
    query
        .edns
        .as_ref()
        .map_or(512, |edns| edns.max_payload().clamp(512, UDP_PAYLOAD))
}

fn fill(reply: &mut Message, zones: &Zones, asked: Asked, mut name: Name, record_type: RecordType) {
    if record_type == RecordType::DS && registry_ds(reply, zones, asked, &name) {
        return;
    }
    for step in 0..LONGEST_CHAIN {
        let Some(zone) = zone_for(zones, asked, &name, record_type) else {
            // The target of a CNAME may be in a zone elsewhere, where the client continues.
            if step == 0 {
                match registry_referral(zones, asked, &name) {
                    Some(referral) => reply.authorities = referral,
                    None => reply.metadata.response_code = ResponseCode::Refused,
                }
            }
            return;
        };
        if let Some(cut) = cut_above(zone, &name, record_type) {
            // A referral without authority, with the child's name servers (RFC 1034, section 4.3.2, step 3b).
            if step == 0 {
                reply.authorities = zone.records(&cut, RecordType::NS);
            }
            return;
        }
        reply.metadata.authoritative = true;
        let denied = zones.empty_non_terminals_denied && zone.is_empty_non_terminal(&name);
        let Some(owner) = source(zone, &name).filter(|_| !denied) else {
            reply.metadata.response_code = ResponseCode::NXDomain;
            reply.authorities = negative(zone);
            return;
        };
        let found = as_named(zone.records(&owner, record_type), &name);
        let alias = as_named(zone.records(&owner, RecordType::CNAME), &name);
        if !found.is_empty() {
            reply.answers.extend(found);
            return;
        }
        let Some(RData::CNAME(target)) = alias.first().map(|record| record.data.clone()) else {
            reply.authorities = negative(zone);
            return;
        };
        reply.answers.extend(alias);
        name = target.0.to_lowercase();
    }
}

/// Returns the referral of the registry for a domain that is registered with servers which do not host it:
/// they are elsewhere, and refuse it. One server in place of all of them refuses in their place.
fn registry_referral(zones: &Zones, asked: Asked, name: &Name) -> Option<Vec<Record>> {
    let Asked::Everywhere {
        own_addresses: true,
    } = asked
    else {
        return None;
    };
    let (domain, registered) = zones.registration_of(name)?;
    let referral =
        |host: &Name| Record::from_rdata(domain.clone(), REGISTRY_TTL, RData::NS(NS(host.clone())));
    Some(registered.name_servers.iter().map(referral).collect())
}

/// Answers for the registry what DS record set it holds for a registered name; says whether the name is one.
fn registry_ds(reply: &mut Message, zones: &Zones, asked: Asked, name: &Name) -> bool {
    let Asked::Everywhere { .. } = asked else {
        return false;
    };
    let Some((_, registered)) = zones.registration_of(name).filter(|(at, _)| *at == name) else {
        return false;
    };
    reply.metadata.authoritative = true;
    reply.answers.clone_from(&registered.ds);
    if registered.ds.is_empty() {
        let registry = name.base_name();
        let soa = SOA::new(
            registry.clone(),
            registry.clone(),
            1,
            7200,
            900,
            1_209_600,
            900,
        );
        reply.authorities = vec![Record::from_rdata(registry, 900, RData::SOA(soa))];
    }
    true
}

/// Returns the zone to answer from: the deepest one that the server hosts, or to which the delegations lead.
fn zone_for<'a>(
    zones: &'a Zones,
    asked: Asked,
    name: &Name,
    record_type: RecordType,
) -> Option<&'a Hosted> {
    match asked {
        Asked::At(address) => zones
            .hosted_at(address)
            .filter(|zone| zone.name.zone_of(name))
            // DS belongs to the parent's side of a cut; who does not have the parent says that the child has none
            // (RFC 4035, 3.1.4.1).
            .max_by_key(|zone| {
                let is_child = record_type == RecordType::DS && zone.name == *name;
                (!is_child, zone.name.num_labels())
            }),
        Asked::Everywhere { .. } => zones.way_to(name, record_type).pop(),
    }
}

impl Zones {
    /// The zones from the registered one down to the one that a name lies in, as far as the delegations lead.
    pub(crate) fn way_to(&self, name: &Name, record_type: RecordType) -> Vec<&Hosted> {
        let find = |at: &Name, servers: &BTreeSet<Name>| {
            self.zones
                .iter()
                .find(|zone| zone.name == *at && zone.name_servers == *servers)
        };
        let top = self.registration_of(name);
        let mut next = top.and_then(|(top, registered)| find(top, &registered.name_servers));
        let mut way = Vec::new();
        while let Some(zone) = next {
            way.push(zone);
            next = cut_above(zone, name, record_type).and_then(|cut| {
                let servers = zone.records(&cut, RecordType::NS).into_iter();
                let servers = servers.filter_map(|record| match record.data {
                    RData::NS(host) => Some(host.0.to_lowercase()),
                    _ => None,
                });
                find(&cut, &servers.collect())
            });
        }
        way
    }
}

/// Returns the highest delegation in `zone` at `name` or its ancestors, below the apex.
fn cut_above(zone: &Hosted, name: &Name, record_type: RecordType) -> Option<Name> {
    let (apex, full) = (
        usize::from(zone.name.num_labels()),
        usize::from(name.num_labels()),
    );
    // The library does not count the label of a wildcard.
    let full = full + usize::from(name.is_wildcard());
    (apex + 1..=full)
        .map(|labels| name.trim_to(labels))
        .filter(|at| record_type != RecordType::DS || at != name)
        .find(|at| !zone.records(at, RecordType::NS).is_empty())
}

/// Returns the name whose records answer for `name`: itself, or the wildcard of its closest encloser (RFC
/// 4592).
fn source(zone: &Hosted, name: &Name) -> Option<Name> {
    let mut encloser = name.clone();
    while !zone.exists(&encloser) {
        if encloser == zone.name {
            return None;
        }
        encloser = encloser.base_name();
    }
    if encloser == *name {
        return Some(encloser);
    }
    let wildcard = encloser.prepend_label("*").ok()?;
    zone.exists(&wildcard).then_some(wildcard)
}

fn as_named(mut records: Vec<Record>, name: &Name) -> Vec<Record> {
    for record in &mut records {
        record.name = name.clone();
    }
    records
}

/// Returns the zone's SOA for a negative answer, with a TTL of at most the SOA's own minimum (RFC 2308).
fn negative(zone: &Hosted) -> Vec<Record> {
    let mut soa = zone.records(&zone.name, RecordType::SOA);
    for record in &mut soa {
        if let RData::SOA(data) = &record.data {
            record.ttl = record.ttl.min(data.minimum);
        }
    }
    soa
}
