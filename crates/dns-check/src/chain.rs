//! Checks the chain of trust of DNSSEC, as far as records show it: whether validating resolvers
//! accept a zone.
//!
//! A DS record set in a parent zone says that its child zone is signed, and with which key. If the child has no such key, a
//! validating resolver answers SERVFAIL for every name in it (RFC 4035, section 5.5), and so no certificate is issued:
//! certificate authorities validate DNSSEC up to the root in their DNS queries since March 2026
//! (<https://cabforum.org/2025/06/18/ballot-sc-85v2-Require-Validation-of-DNSSEC-(when-present)-for-CAA-and-DCV-Lookups>).
//!
//! 1. **A DS record set counts only if the chain leads to it.** Below a delegation without a DS
//!    record set, a resolver treats everything as unsigned (RFC 4033, section 5, "insecure"),
//!    whatever DS record sets there are. So the chain is followed from the root, and ends at the
//!    first such delegation, usually after two or three queries.
//! 2. **Only authoritative answers count.** A query that is lost, refused or answered from a cache
//!    proves nothing.
//! 3. **Signatures are not checked.** That needs public-key cryptography, for which this function
//!    has no other use. The fault that people cause is a DS record set whose zone was deleted,
//!    replaced or is not signed any more.

use std::fmt;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use hickory_proto::rr::{Name, RData, Record, RecordType};
use sha2::{Digest, Sha256, Sha384};

use super::question::{Heard, Reply, domain_name, shown};
use super::walk::{MOST_SERVERS, Zone};
use super::{Dns, Protocol, Transport};
use crate::DomainName;

/// Limits all queries about the chain. At most two are sent for each delegation from the root on.
const LONGEST: Duration = Duration::from_secs(15);

/// Algorithms of keys that all validating resolvers know (RFC 8624, section 3.1): RSA with SHA-256
/// and SHA-512, ECDSA and EdDSA. A resolver treats a zone as unsigned if it knows no algorithm in
/// the DS record set.
const KNOWN_ALGORITHMS: [u8; 6] = [8, 10, 13, 14, 15, 16];
/// Digest types of DS records (RFC 8624, section 3.3). Resolvers now differ about SHA-1.
const SHA_256: u8 = 2;
const SHA_384: u8 = 4;

/// The flag of a DNSKEY record for a key of the zone (RFC 4034, section 2.1.1).
const ZONE_KEY: u16 = 0x0100;
/// The only protocol that a DNSKEY record may have (RFC 4034, section 2.1.2).
const DNSSEC_PROTOCOL: u8 = 3;

/// A DS record set to which no key of its zone belongs. `Display` adds the consequence and the
/// remedy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokenChain {
    /// The zone whose keys were queried.
    pub zone: DomainName,
    /// The zone that has the DS record set, as text.
    pub parent: String,
    /// The keys that the DS record set names.
    pub expected: Vec<KeyId>,
    /// The zone's own keys. None if it is not signed.
    pub found: Vec<KeyId>,
}

/// The fields with which people and DS records name a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyId {
    /// RFC 4034, appendix B.
    pub tag: u16,
    /// The number of the algorithm, such as 13.
    pub algorithm: u8,
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "key tag {}, algorithm {}", self.tag, self.algorithm)
    }
}

impl fmt::Display for BrokenChain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { zone, parent, .. } = self;
        let all = |keys: &[KeyId]| {
            let keys: Vec<_> = keys.iter().map(ToString::to_string).collect();
            keys.join("; ")
        };
        let expected = all(&self.expected);
        write!(
            f,
            "{parent} has a stale DS record set for {zone} ({expected}): {zone} "
        )?;
        if self.found.is_empty() {
            f.write_str("is not signed")?;
        } else {
            write!(f, "is signed with other keys ({})", all(&self.found))?;
        }
        write!(
            f,
            ", so that resolvers that validate DNSSEC answer SERVFAIL for every name in it; delete the DS record set in \
             {parent}, or sign {zone} with that key"
        )
    }
}

/// The state of the chain of trust down to a zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Chain {
    /// It reaches the zone, or ends before at a delegation without a DS record set.
    Sound,
    /// It breaks.
    Broken(BrokenChain),
    /// A necessary answer is missing.
    Unknown,
}

/// A DS record.
struct Ds<'a> {
    key: KeyId,
    digest_type: u8,
    digest: &'a [u8],
}

/// A DNSKEY record.
struct Key<'a> {
    id: KeyId,
    data: &'a [u8],
}

impl<T: Transport> Dns<T> {
    /// Follows the chain of trust from the first of these zones to the last, if there are any.
    /// Takes at most 15 s.
    pub(super) async fn chain(&self, zones: &[Zone]) -> Chain {
        if zones.is_empty() {
            return Chain::Unknown;
        }
        let links = async {
            for pair in zones.windows(2) {
                match self.link(&pair[0], &pair[1]).await {
                    Some(Link::Secure) => {}
                    Some(Link::Insecure) => return Chain::Sound,
                    Some(Link::Broken(broken)) => return Chain::Broken(broken),
                    None => return Chain::Unknown,
                }
            }
            Chain::Sound
        };
        let chain = tokio::time::timeout(LONGEST, links).await;
        chain.unwrap_or(Chain::Unknown)
    }

    /// Queries a zone's servers for the DS record set of a child and, if there is one, the child's
    /// servers for its keys. None if an answer is missing.
    async fn link(&self, parent: &Zone, child: &Zone) -> Option<Link> {
        let name = &child.name;
        // The parent zone has no such record set only if it says so itself: a server that has only
        // the child sends the child's SOA (RFC 4035, section 3.1.4.1).
        let is_above = |soa: &Name| soa.zone_of(name) && soa != name;
        let ds = self.of_zone(parent, name, RecordType::DS, is_above).await?;
        let ds: Vec<Ds<'_>> = ds.iter().filter_map(Ds::read).collect();
        if !ds.iter().any(Ds::is_known_to_all) {
            return Some(Link::Insecure);
        }
        let is_own = |soa: &Name| soa == name;
        let keys = self
            .of_zone(child, name, RecordType::DNSKEY, is_own)
            .await?;
        let keys: Vec<Key<'_>> = keys.iter().filter_map(Key::read).collect();
        if ds
            .iter()
            .any(|ds| keys.iter().any(|key| ds.is_of(name, key)))
        {
            return Some(Link::Secure);
        }
        let ids = |ids: &mut dyn Iterator<Item = KeyId>| {
            let mut ids: Vec<_> = ids.collect();
            ids.sort_unstable();
            ids.dedup();
            ids
        };
        Some(Link::Broken(BrokenChain {
            zone: domain_name(name),
            parent: shown(&parent.name),
            expected: ids(&mut ds.iter().map(|ds| ds.key)),
            found: ids(&mut keys.iter().map(|key| key.id)),
        }))
    }

    /// Returns the records of a type at a name, or that there are none, from the first of a zone's
    /// servers that answers with authority. A zone has to satisfy `may_deny` if there are none.
    async fn of_zone(
        &self,
        zone: &Zone,
        name: &Name,
        record_type: RecordType,
        may_deny: impl Fn(&Name) -> bool,
    ) -> Option<Vec<Record>> {
        let servers = zone.servers.iter().take(MOST_SERVERS);
        let ask = |server| self.hear(server, name, record_type, Protocol::Udp);
        let mut asked: FuturesUnordered<_> = servers.map(ask).collect();
        while let Some(heard) = asked.next().await {
            match heard {
                Ok(Heard {
                    reply: Reply::Records(records),
                    is_authoritative: true,
                    ..
                }) => return Some(records),
                Ok(Heard {
                    reply: Reply::NoData { zone: Some(soa) } | Reply::NoName { zone: Some(soa) },
                    is_authoritative: true,
                    ..
                }) if may_deny(&soa) => return Some(Vec::new()),
                _ => {}
            }
        }
        tracing::debug!(name = shown(name), %record_type, "DNSSEC is not checked: no authoritative answer");
        None
    }
}

/// The state of the chain of trust from a parent to its child.
enum Link {
    Secure,
    /// It ends here, without a fault.
    Insecure,
    Broken(BrokenChain),
}

/// Returns the data of a DNSSEC record, which the library does not parse without cryptography.
fn data(record: &Record) -> &[u8] {
    match &record.data {
        RData::Unknown { rdata, .. } => &rdata.anything,
        _ => &[],
    }
}

impl<'a> Ds<'a> {
    /// Parses the data of a DS record (RFC 4034, section 5.1).
    fn read(record: &'a Record) -> Option<Self> {
        let [high, low, algorithm, digest_type, digest @ ..] = data(record) else {
            return None;
        };
        Some(Self {
            key: KeyId {
                tag: u16::from_be_bytes([*high, *low]),
                algorithm: *algorithm,
            },
            digest_type: *digest_type,
            digest,
        })
    }

    /// Returns whether every validating resolver uses it.
    fn is_known_to_all(&self) -> bool {
        KNOWN_ALGORITHMS.contains(&self.key.algorithm)
            && matches!(self.digest_type, SHA_256 | SHA_384)
    }

    /// Returns whether it belongs to a key of its zone. For other digest types, tag and algorithm
    /// are enough, because the digest is not computed here.
    fn is_of(&self, zone: &Name, key: &Key<'_>) -> bool {
        let digested = || {
            let labels = zone.iter().flat_map(|label| {
                let length = u8::try_from(label.len()).ok();
                length.into_iter().chain(label.to_ascii_lowercase())
            });
            labels.chain([0]).chain(key.data.iter().copied())
        };
        self.key == key.id
            && match self.digest_type {
                SHA_256 => Sha256::digest(Vec::from_iter(digested()))[..] == *self.digest,
                SHA_384 => Sha384::digest(Vec::from_iter(digested()))[..] == *self.digest,
                _ => true,
            }
    }
}

impl<'a> Key<'a> {
    /// Parses a key of the zone. No other key counts (RFC 4034, section 2.1).
    fn read(record: &'a Record) -> Option<Self> {
        let data = data(record);
        let [high, low, DNSSEC_PROTOCOL, algorithm, ..] = data else {
            return None;
        };
        let flags = u16::from_be_bytes([*high, *low]);
        (flags & ZONE_KEY != 0).then(|| Self {
            id: KeyId {
                tag: key_tag(data),
                algorithm: *algorithm,
            },
            data,
        })
    }
}

/// Returns the key tag (RFC 4034, appendix B): octets at even positions count 256 times, and the
/// carry is added once.
fn key_tag(data: &[u8]) -> u16 {
    let octets = data.iter().zip([8, 0].into_iter().cycle());
    let sum: u32 = octets
        .map(|(octet, shift)| u32::from(*octet) << shift)
        .sum();
    let folded = (sum + (sum >> 16)) & 0xffff;
    u16::try_from(folded).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use hickory_proto::rr::rdata::NULL;

    fn record(code: RecordType, bytes: &[u8]) -> Record {
        let name = Name::from_ascii("dskey.example.com.").unwrap();
        let rdata = NULL::with(bytes.to_vec());
        Record::from_rdata(name, 60, RData::Unknown { code, rdata })
    }

    /// Returns the example of RFC 4509, section 2.3: a key, and its DS record with SHA-256.
    fn example() -> (Vec<u8>, Vec<u8>) {
        let hex = |text: &str| -> Vec<u8> {
            let byte = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
            (0..text.len()).step_by(2).map(byte).collect()
        };
        let key = hex(
            "01039e8a247418e318903b215a848acfd5f37f026bd4062db26c774c690968d5d56df8bfda91e6f36d9a279888f4\
             1333357c5e6029990d10fdf5663062a512763326980a615ddbf17a05ddfcce7e5fb3abcca05a31b0957452d4521e\
             83870789063115bf97f6c308ccf57cdc9ce7fe10f6ed1bd0cc0660038c50dcdb0feb963c2f17",
        );
        let digest = hex("D4B7D520E7BB5F0F67674A0CCEB1E3E0614B93C4F9E99B8383F6A1E4469DA50A");
        let dnskey = [&[1, 0, 3, 5][..], &key].concat();
        let ds = [&60485_u16.to_be_bytes()[..], &[5, 2], &digest].concat();
        (dnskey, ds)
    }

    #[test]
    fn a_ds_record_belongs_to_its_key() {
        let (dnskey, ds) = example();
        let zone = Name::from_ascii("DSKEY.example.com.").unwrap();
        let belongs = |dnskey: &[u8], ds: &[u8]| {
            let (key, ds) = (
                record(RecordType::DNSKEY, dnskey),
                record(RecordType::DS, ds),
            );
            let ds = Ds::read(&ds).unwrap();
            Key::read(&key).is_some_and(|key| ds.is_of(&zone, &key))
        };
        assert!(belongs(&dnskey, &ds));
        // Another key tag, algorithm, digest; not a key of the zone; another protocol.
        for at in [1, 2, 10] {
            let mut other = ds.clone();
            other[at] ^= 1;
            assert!(!belongs(&dnskey, &other), "{at}");
        }
        for (at, value) in [(0, 0), (2, 4)] {
            let mut other = dnskey.clone();
            other[at] = value;
            assert!(!belongs(&other, &ds), "{at}");
        }
        // For a digest that is not computed here, the tag and the algorithm decide.
        let sha_1 = [&ds[..3], &[1, 0, 0]].concat();
        assert!(belongs(&dnskey, &sha_1));
    }

    #[test]
    fn truncated_records_are_ignored() {
        assert!(Ds::read(&record(RecordType::DS, &[1, 2, 13])).is_none());
        assert!(Key::read(&record(RecordType::DNSKEY, &[1, 1, 3])).is_none());
    }
}
