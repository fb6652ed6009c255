//! Sends one query to one server and interprets the response.

use std::fmt;

use hickory_proto::op::{Edns, Message, MessageType, Query, ResponseCode};
use hickory_proto::rr::{Name, RData, Record, RecordType};

use super::name_server::Server;
use super::{Dns, Protocol, Transport};
use crate::{DomainName, NameServers};

/// The UDP payload size in bytes that a query offers: every network delivers it without
/// fragmentation, <https://www.dnsflagday.net/2020/>.
const UDP_PAYLOAD: u16 = 1232;

/// The response of a server.
#[derive(Clone, Debug)]
pub(super) enum Reply {
    /// Records of the type exist at the name.
    Records(Vec<Record>),
    /// The name is an alias (CNAME) of another.
    Alias(Name),
    /// The zone at `zone` is delegated to `servers`.
    Referral { zone: Name, servers: NameServers },
    /// The name exists without records of the type. `zone` is the owner name of the SOA record in
    /// the response.
    NoData { zone: Option<Name> },
    /// Neither the name nor a subdomain of it exists.
    NoName { zone: Option<Name> },
    /// REFUSED, SERVFAIL and similar codes.
    Failed(ResponseCode),
}

/// A response, with whether it is proof.
#[derive(Clone, Debug)]
pub(super) struct Heard {
    pub(super) reply: Reply,
    /// Whether the name server itself answered: from its own address, and with authority (the AA
    /// bit). A referral has no AA bit; it is proof only without `DNS_NAME_SERVERS`, because no
    /// resolver can have sent it.
    pub(super) is_proof: bool,
    /// Whether it has the AA bit, whichever server sent it.
    pub(super) is_authoritative: bool,
}

/// Why there is no usable response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Silence(pub(super) String);

impl fmt::Display for Silence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no answer ({})", self.0)
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let from = |zone: &Option<Name>| {
            zone.as_ref()
                .map(|zone| format!(" in {}", shown(zone)))
                .unwrap_or_default()
        };
        match self {
            Self::Records(records) => {
                let values: Vec<_> = records
                    .iter()
                    .map(|record| record.data.to_string())
                    .collect();
                write!(f, "answers {}", values.join(", "))
            }
            Self::Alias(target) => write!(f, "answers with an alias of {}", shown(target)),
            Self::Referral { zone, servers } => {
                write!(f, "refers to {servers} for {}", shown(zone))
            }
            Self::NoData { zone } => write!(f, "has no such record set{}", from(zone)),
            Self::NoName { zone } => write!(f, "has no such name{}", from(zone)),
            Self::Failed(ResponseCode::Refused) => f.write_str("refuses (REFUSED)"),
            Self::Failed(code) => write!(f, "fails ({code})"),
        }
    }
}

impl Reply {
    /// Returns the NS record set at exactly `name`, from a referral of the parent zone or from the
    /// zone itself.
    pub(super) fn name_servers_of(&self, name: &Name) -> Option<NameServers> {
        match self {
            Self::Records(records) => {
                let servers = name_servers(records);
                let any = servers.iter().next().is_some();
                any.then_some(servers)
            }
            Self::Referral { zone, servers } if zone == name => Some(servers.clone()),
            _ => None,
        }
    }

    /// Returns whether a server that sends this response for `name` serves the zone `zone`. It does
    /// not if the response is a referral that does not lead closer to the name, or is from an
    /// ancestor of the zone.
    pub(super) fn serves(&self, zone: &Name, name: &Name) -> bool {
        match self {
            Self::Records(_) | Self::Alias(_) => true,
            Self::Referral { zone: cut, .. } => {
                zone.zone_of(cut) && zone != cut && cut.zone_of(name)
            }
            Self::NoData { zone: soa } | Self::NoName { zone: soa } => {
                soa.as_ref().is_some_and(|soa| zone.zone_of(soa))
            }
            Self::Failed(_) => false,
        }
    }

    /// Returns whether only a server of the zone can know this, and must set the AA bit
    /// (<https://www.rfc-editor.org/rfc/rfc1035#section-4.1.1>). Without the bit the response is
    /// from a cache: a firewall or a proxy has intercepted the query, and its data may be 15
    /// minutes old.
    fn is_a_servers_own(&self) -> bool {
        match self {
            Self::Records(_) | Self::Alias(_) | Self::NoData { .. } | Self::NoName { .. } => true,
            Self::Referral { .. } | Self::Failed(_) => false,
        }
    }

    fn read(message: &Message, name: &Name, record_type: RecordType) -> Self {
        let at_name = |wanted: RecordType| {
            message
                .answers
                .iter()
                .filter(move |r| r.name == *name && r.record_type() == wanted)
                .cloned()
        };
        let records: Vec<_> = at_name(record_type).collect();
        if !records.is_empty() {
            return Self::Records(records);
        }
        if let Some(RData::CNAME(target)) =
            at_name(RecordType::CNAME).next().map(|record| record.data)
        {
            return Self::Alias(target.0.to_lowercase());
        }
        let authority = |wanted: RecordType| {
            message
                .authorities
                .iter()
                .filter(move |r| r.record_type() == wanted)
        };
        let soa = authority(RecordType::SOA)
            .next()
            .map(|record| record.name.to_lowercase());
        match message.metadata.response_code {
            ResponseCode::NXDomain => Self::NoName { zone: soa },
            ResponseCode::NoError => match authority(RecordType::NS).next() {
                Some(cut) if soa.is_none() => Self::Referral {
                    zone: cut.name.to_lowercase(),
                    servers: name_servers(authority(RecordType::NS).filter(|r| r.name == cut.name)),
                },
                _ => Self::NoData { zone: soa },
            },
            code => Self::Failed(code),
        }
    }
}

fn name_servers<'a>(records: impl IntoIterator<Item = &'a Record>) -> NameServers {
    let host = |record: &Record| match &record.data {
        RData::NS(host) => Some(domain_name(&host.0)),
        _ => None,
    };
    NameServers::new(
        records
            .into_iter()
            .filter_map(host)
            .map(|host| host.as_str().to_owned()),
    )
}

impl<T: Transport> Dns<T> {
    /// Queries a server at the first of its addresses that answers.
    pub(super) async fn ask(
        &self,
        server: &Server,
        name: &Name,
        record_type: RecordType,
        protocol: Protocol,
    ) -> Result<Reply, Silence> {
        let heard = self.hear(server, name, record_type, protocol).await?;
        Ok(heard.reply)
    }

    /// Queries as [`Dns::ask`] does, and returns whether the response is proof.
    pub(super) async fn hear(
        &self,
        server: &Server,
        name: &Name,
        record_type: RecordType,
        protocol: Protocol,
    ) -> Result<Heard, Silence> {
        self.send(server, &query(name, record_type), protocol).await
    }

    /// Queries as [`Dns::ask`] does, over UDP and with recursion desired.
    pub(super) async fn ask_resolver(
        &self,
        server: &Server,
        name: &Name,
        record_type: RecordType,
    ) -> Result<Reply, Silence> {
        let mut query = query(name, record_type);
        query.metadata.recursion_desired = true;
        let heard = self.send(server, &query, Protocol::Udp).await?;
        Ok(heard.reply)
    }

    async fn send(
        &self,
        server: &Server,
        query: &Message,
        protocol: Protocol,
    ) -> Result<Heard, Silence> {
        let (name, record_type) = (query.queries[0].name(), query.queries[0].query_type());
        let mut silence = Silence("no address is known for it".to_owned());
        for address in &server.addresses {
            // Each query has a new id from a generator whose output cannot be predicted.
            let mut query = query.clone();
            query.metadata.id = Message::query().metadata.id;
            let mut answer = self.exchange(*address, &query, protocol).await;
            if protocol == Protocol::Udp
                && answer
                    .as_ref()
                    .is_ok_and(|answer| answer.metadata.truncation)
            {
                answer = self.exchange(*address, &query, Protocol::Tcp).await;
            }
            match answer {
                Ok(answer) => {
                    let reply = Reply::read(&answer, name, record_type);
                    let authoritative = answer.metadata.authoritative;
                    if reply.is_a_servers_own() && !authoritative && !self.may_be_resolvers() {
                        silence = Silence(format!(
                            "it {reply}, but without authority: something on the path answers in its place"
                        ));
                        continue;
                    }
                    tracing::debug!(%server, %address, name = shown(name), %record_type, %protocol, %reply, "DNS");
                    let is_proof = self.is_own_address(*address)
                        && (authoritative || !self.may_be_resolvers());
                    return Ok(Heard {
                        reply,
                        is_proof,
                        is_authoritative: authoritative,
                    });
                }
                Err(why) => silence = why,
            }
        }
        tracing::debug!(%server, name = shown(name), %record_type, %protocol, %silence, "DNS");
        Err(silence)
    }

    async fn exchange(
        &self,
        address: std::net::SocketAddr,
        query: &Message,
        protocol: Protocol,
    ) -> Result<Message, Silence> {
        let bytes = query.to_vec().map_err(|error| Silence(error.to_string()))?;
        let answer = self
            .transport
            .exchange(address, &bytes, protocol)
            .await
            .map_err(|error| Silence(error.kind().to_string()))?;
        let message = Message::from_vec(&answer)
            .map_err(|_| Silence("its answer is no DNS message".to_owned()))?;
        let fits = message.metadata.id == query.metadata.id
            && message.metadata.message_type == MessageType::Response
            // A server that fails may omit the question.
            && (message.queries == query.queries
                || message.queries.is_empty() && message.metadata.response_code != ResponseCode::NoError);
        if fits {
            Ok(message)
        } else {
            Err(Silence("its answer is to another question".to_owned()))
        }
    }
}

fn query(name: &Name, record_type: RecordType) -> Message {
    let mut query = Message::query();
    query.add_query(Query::query(name.clone(), record_type));
    let mut edns = Edns::new();
    edns.set_max_payload(UDP_PAYLOAD);
    query.edns = Some(edns);
    query
}

/// Returns a name in wire format.
pub(super) fn wire_name(name: &DomainName) -> Name {
    let label = |text: &str| {
        let mut bytes = Vec::with_capacity(text.len());
        let mut rest = text.as_bytes();
        while let Some((&byte, tail)) = rest.split_first() {
            // `DomainName` escapes with three octal digits, and nothing else contains a backslash.
            if let (b'\\', [a, b, c, after @ ..]) = (byte, tail) {
                bytes.push((a & 7) << 6 | (b & 7) << 3 | (c & 7));
                rest = after;
            } else {
                bytes.push(byte);
                rest = tail;
            }
        }
        bytes
    };
    // A service's name may be longer than DNS allows. No server can have such a name.
    let mut name =
        Name::from_labels(name.as_str().split('.').map(label)).unwrap_or_else(|_| Name::root());
    name.set_fqdn(true);
    name
}

/// Returns the domain name of a name in wire format.
pub(super) fn domain_name(name: &Name) -> DomainName {
    let label = |bytes: &[u8]| {
        let escape = |&byte: &u8| match byte {
            b'!'..=b'~' if byte != b'.' && byte != b'\\' => char::from(byte).to_string(),
            _ => format!("\\{byte:03o}"),
        };
        bytes.iter().map(escape).collect::<String>()
    };
    DomainName::from_service(&name.iter().map(label).collect::<Vec<_>>().join("."))
}

/// Returns a name in wire format for people. The root is written as such.
pub(super) fn shown(name: &Name) -> String {
    if name.is_root() {
        "the root".to_owned()
    } else {
        domain_name(name).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_equal_after_the_wire_format() {
        for text in [
            "dev.example.com",
            "*.example.com",
            "a\\056b.example.com",
            "_x1.example.com",
        ] {
            let name = DomainName::from_service(text);
            assert_eq!(domain_name(&wire_name(&name)), name);
            assert!(wire_name(&name).is_fqdn());
        }
        assert_eq!(
            wire_name(&DomainName::from_service("*.example.com"))
                .iter()
                .next(),
            Some(&b"*"[..])
        );
        assert_eq!(
            wire_name(&DomainName::from_service("a\\056b.example.com"))
                .iter()
                .next(),
            Some(&b"a.b"[..])
        );
    }
}
