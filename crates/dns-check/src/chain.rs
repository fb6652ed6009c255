//! Checks the chain of trust of DNSSEC, as far as DS and DNSKEY records show it.
//!
//! A DS record set in a parent zone declares that the child zone is signed, and with which key. If
//! the child has no such key, a validating resolver answers SERVFAIL for every name in the child
//! (RFC 4035, section 5.5). No certificate is issued then: certificate authorities have had to
//! validate DNSSEC in their DNS queries since March 2026
//! (<https://cabforum.org/2025/06/18/ballot-sc-85v2-Require-Validation-of-DNSSEC-(when-present)-for-CAA-and-DCV-Lookups>).
//!
//! 1. **A DS record set counts only if the chain of trust reaches it.** A delegation without a DS
//!    record set makes everything at and below it insecure (RFC 4033, section 5), and resolvers
//!    ignore DS record sets there. So the check descends from the root and stops at the first such
//!    delegation, usually after three queries.
//! 2. **Only authoritative answers count.** A query that is lost, refused or answered from a cache
//!    proves nothing.
//! 3. **Signatures are not checked.** This needs public-key cryptography, which the function does
//!    not use otherwise. The usual fault is a DS record set that was left behind when its zone was
//!    deleted, replaced, or no longer signed.

use std::fmt;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use hickory_proto::rr::{Name, RData, Record, RecordType};
use sha2::{Digest, Sha256, Sha384};
use thiserror::Error;

use super::question::{Heard, Reply, domain_name, shown};
use super::walk::{MOST_SERVERS, Zone};
use super::{Dns, Protocol, Transport};
use crate::DomainName;

/// Limits the whole check. Each delegation needs at most two queries to each of six servers.
const LONGEST: Duration = Duration::from_secs(15);

/// The algorithms that validating resolvers support (RFC 8624, section 3.1): RSA with SHA-256 and
/// SHA-512, ECDSA and EdDSA. A resolver treats a zone as unsigned if it supports no algorithm of
/// the DS record set (RFC 4035, section 5.2).
const SUPPORTED_ALGORITHMS: [u8; 6] = [8, 10, 13, 14, 15, 16];
/// The digest types that validating resolvers support (RFC 8624, section 3.3). Some have dropped
/// SHA-1 (RFC 9905).
const SHA_256: u8 = 2;
const SHA_384: u8 = 4;

/// The Zone Key flag of a DNSKEY record (RFC 4034, section 2.1.1).
const ZONE_KEY: u16 = 0x0100;
/// The only valid protocol of a DNSKEY record (RFC 4034, section 2.1.2).
const DNSSEC_PROTOCOL: u8 = 3;

/// A DS record set that matches no key of its zone. `Display` adds the consequence and what to do.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "{parent} has a stale DS record set for {zone} ({}): {zone} {}, so that resolvers that validate DNSSEC answer SERVFAIL \
     for every name in it; delete the DS record set in {parent}, or sign {zone} with that key",
    joined(.expected),
    signing(.found)
)]
pub struct BrokenChain {
    /// The child zone.
    pub zone: DomainName,
    /// The zone that has the DS record set; the root in words.
    pub parent: String,
    /// The keys that the DS record set names.
    pub expected: Vec<KeyId>,
    /// The keys of the child zone. Empty if it is not signed.
    pub found: Vec<KeyId>,
}

/// Identifies a key, as a DS record does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyId {
    /// The key tag (RFC 4034, appendix B).
    pub tag: u16,
    /// The number of the algorithm, such as 13.
    pub algorithm: u8,
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "key tag {}, algorithm {}", self.tag, self.algorithm)
    }
}

/// Returns how the child zone is signed, as a predicate.
fn signing(found: &[KeyId]) -> String {
    if found.is_empty() {
        "is not signed".to_owned()
    } else {
        format!("is signed with other keys ({})", joined(found))
    }
}

fn joined(keys: &[KeyId]) -> String {
    let keys: Vec<_> = keys.iter().map(ToString::to_string).collect();
    keys.join("; ")
}

/// What is known about the chain of trust from the root to a zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Chain {
    /// It reaches the zone, or ends at a delegation without a DS record set.
    Sound,
    /// It is broken.
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
    /// Follows the chain of trust from the first zone to the last. Takes at most 15 s.
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

    /// Queries the parent's servers for the DS record set of the child and, if there is one, the
    /// child's servers for its keys. Returns `None` if an answer is missing.
    async fn link(&self, parent: &Zone, child: &Zone) -> Option<Link> {
        let name = &child.name;
        // A server that has only the child answers NODATA with the child's SOA record, and knows nothing about the parent
        // (RFC 4035, section 3.1.4.1).
        let is_above = |soa: &Name| soa.zone_of(name) && soa != name;
        let ds = self.of_zone(parent, name, RecordType::DS, is_above).await?;
        let ds: Vec<Ds<'_>> = ds.iter().filter_map(Ds::read).collect();
        if !ds.iter().any(Ds::is_supported) {
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

    /// Returns the records of a type at a name from the first authoritative answer of the zone's
    /// servers. A negative answer counts only if its SOA record is of a zone that `may_deny` them.
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

/// Whether the chain of trust continues from a parent to its child.
enum Link {
    Secure,
    /// It ends here, which is not a fault.
    Insecure,
    Broken(BrokenChain),
}

/// Returns the RDATA of a DS or DNSKEY record, which the library does not parse without its
/// cryptography.
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

    /// Returns whether validating resolvers take it into account.
    fn is_supported(&self) -> bool {
        SUPPORTED_ALGORITHMS.contains(&self.key.algorithm)
            && matches!(self.digest_type, SHA_256 | SHA_384)
    }

    /// Returns whether it matches a key of its zone. For other digest types, the key tag and the
    /// algorithm are enough: a match only makes the check more lenient.
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
    /// RFC 4034, section 2.1. Returns `None` for a key that is not a zone key.
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

/// Computes a key tag (RFC 4034, appendix B): octets at even offsets count 256 times, and the carry
/// is added once.
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

    /// The key of RFC 4509, section 2.3, and its DS record with SHA-256.
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
    fn a_ds_record_matches_its_key() {
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
        // Another key tag, algorithm, digest; then no zone key, another protocol.
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
        // For a digest type that is not computed, the key tag and the algorithm decide.
        let sha_1 = [&ds[..3], &[1, 0, 0]].concat();
        assert!(belongs(&dnskey, &sha_1));
    }

    #[test]
    fn records_that_are_too_short_are_ignored() {
        assert!(Ds::read(&record(RecordType::DS, &[1, 2, 13])).is_none());
        assert!(Key::read(&record(RecordType::DNSKEY, &[1, 1, 3])).is_none());
    }
}
