//! DNS as the outside sees this world: what every name server answers, from data that is INSYNC.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use hickory_proto::op::{Message, Query, ResponseCode};
use hickory_proto::rr::rdata::NS;
use hickory_proto::rr::{self, RData, RecordType};
use name_server::{Asked, RecordSet, Registration, Zone, Zones, answer, answer_bytes};

use crate::route53::name::Name;
use crate::route53::record_set as held;
use crate::state::State;

/// Where the one server listens that plays the whole Internet: what `DNS_NAME_SERVERS` names.
pub const EVERYWHERE: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 53));

/// What resolvers that have a stale cache, filter names or see another part of the network answer about a delegation that exists.
/// They know no address of a name server, so that whoever follows a delegation asks them instead. None of it has authority.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lie {
    /// NXDOMAIN, with the SOA of the zone.
    NoName,
    /// A referral to name servers of someone else.
    Referral,
    /// An NS record set of someone else.
    NameServers,
}

/// The snapshot that questions are answered from, until something changes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Dns {
    snapshot: Option<Arc<Zones>>,
    /// Times that a snapshot was made.
    pub(crate) version: u64,
}

impl Dns {
    /// Something in DNS has changed.
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
        .map(|zone| Zone {
            name: zone.name.to_string(),
            name_servers: zone.hosts(),
            record_sets: zone
                .published
                .iter()
                .map(|(key, set)| plain(key, set))
                .collect(),
        })
        .collect();
    let registrations: Vec<Registration> = state
        .registrations
        .iter()
        .map(|(name, hosts)| Registration {
            name: name.to_string(),
            name_servers: hosts.clone(),
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

/// Why DNS could not carry a record set, where it could not.
pub(crate) fn invalid(key: &held::RecordKey, set: &held::RecordSet) -> Option<String> {
    let zone = Zone {
        name: key.name.to_string(),
        name_servers: vec!["ns.example".to_owned()],
        record_sets: vec![plain(key, set)],
    };
    Zones::new(&[zone], &[])
        .err()
        .map(|error| error.to_string())
}

/// What the server at an address answers to a question's bytes; none where none listens there or the bytes are no question.
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

/// What a resolver says that lies about what is below a zone. None if it does not lie about that.
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

/// Records of a type as a resolver finds them that starts at the registries and follows every delegation.
pub(crate) fn resolve(state: &mut State, name: &Name, kind: RecordType) -> Vec<RData> {
    let zones = snapshot(state);
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

/// A CAA record set found for a name: where it stands, and its values by tag.
pub(crate) type FoundCaa = (Name, BTreeMap<String, Vec<String>>);

/// The CAA record set that governs a name: its own, else its parent's, and so on up (RFC 8659, section 3).
pub(crate) fn caa(state: &mut State, name: &Name) -> Option<FoundCaa> {
    let ancestors: Vec<Name> = name
        .ancestors()
        .filter(|name| !name.labels().is_empty())
        .collect();
    ancestors.into_iter().find_map(|name| {
        let mut values: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for record in resolve(state, &name, RecordType::CAA) {
            // As text: `0 issue "amazon.com"`.
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
