//! The DNSKEY record of a signed zone, its DS record, and what a validating resolver makes of them.
//!
//! Nothing is signed and no signature is checked: a zone with a DNSKEY record counts as signed.

use std::collections::BTreeSet;

use hickory_proto::rr::rdata::NULL;
use hickory_proto::rr::{Name, RData, Record, RecordType};
use sha2::{Digest, Sha256};

use crate::zones::{Hosted, Zones};

/// The flags of a key-signing key (RFC 4034, section 2.1.1).
const FLAGS: u16 = 257;
/// The only valid protocol.
const PROTOCOL: u8 = 3;
/// ECDSAP256SHA256, as for Route 53's keys.
const ALGORITHM: u8 = 13;
/// SHA-256.
const DIGEST_TYPE: u8 = 2;

/// The RDATA of a zone's DNSKEY record. It depends only on the zone's name and name servers, as in the emulator
/// (`tests/emulator/corrections/dnssec.py`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key(Vec<u8>);

impl Key {
    /// Returns the key of a zone with these name servers.
    pub(crate) fn of(zone: &Name, name_servers: &BTreeSet<Name>) -> Self {
        let mut servers: Vec<String> = name_servers.iter().map(Name::to_ascii).collect();
        servers.sort();
        let text = format!("{} {}", zone.to_ascii(), servers.join(" "));
        let mut rdata = FLAGS.to_be_bytes().to_vec();
        rdata.extend([PROTOCOL, ALGORITHM]);
        for half in 0..2 {
            rdata.extend(Sha256::digest(format!("{half} {text}")));
        }
        Self(rdata)
    }

    /// Returns the record's data.
    pub(crate) fn rdata(&self) -> RData {
        raw(RecordType::DNSKEY, self.0.clone())
    }

    /// Returns the RDATA of its DS record (RFC 4034, section 5.1.4).
    pub(crate) fn ds(&self, zone: &Name) -> Vec<u8> {
        let mut digested = Vec::new();
        for label in &zone.to_lowercase() {
            digested.extend(u8::try_from(label.len()));
            digested.extend(label);
        }
        digested.push(0);
        digested.extend(&self.0);
        let mut rdata = self.tag().to_be_bytes().to_vec();
        rdata.extend([ALGORITHM, DIGEST_TYPE]);
        rdata.extend(Sha256::digest(digested));
        rdata
    }

    /// Returns the key tag (RFC 4034, appendix B): the sum of the 16-bit words, with the carry added once.
    fn tag(&self) -> u16 {
        let words = self.0.chunks(2).map(|word| match word {
            [high, low] => u32::from(*high) << 8 | u32::from(*low),
            rest => u32::from(rest[0]) << 8,
        });
        let sum: u32 = words.sum();
        let [_, _, high, low] = (sum + (sum >> 16)).to_be_bytes();
        u16::from_be_bytes([high, low])
    }
}

/// Returns data of a type that the library supports only with its cryptography.
fn raw(code: RecordType, bytes: Vec<u8>) -> RData {
    let rdata = NULL::with(bytes);
    RData::Unknown { code, rdata }
}

fn bytes(record: &Record) -> &[u8] {
    match &record.data {
        RData::Unknown { rdata, .. } => &rdata.anything,
        _ => &[],
    }
}

/// Returns the data of a DS record.
pub(crate) fn rdata_of_ds(bytes: Vec<u8>) -> RData {
    raw(RecordType::DS, bytes)
}

/// Parses the value of a DS record: key tag, algorithm, digest type, and the digest in hexadecimal.
pub(crate) fn parse_ds(value: &str) -> Result<Vec<u8>, String> {
    let fault = || format!("{value:?} is not KEY-TAG ALGORITHM DIGEST-TYPE DIGEST");
    let mut words = value.split_whitespace();
    let mut number = || words.next().and_then(|word| word.parse::<u16>().ok());
    let (tag, algorithm, digest_type) = (number(), number(), number());
    let mut rdata = tag.ok_or_else(fault)?.to_be_bytes().to_vec();
    for byte in [algorithm, digest_type] {
        let byte = byte.and_then(|byte| u8::try_from(byte).ok());
        rdata.push(byte.ok_or_else(fault)?);
    }
    let digest: Vec<char> = words.flat_map(str::chars).collect();
    if digest.is_empty() || digest.len() % 2 == 1 {
        return Err(fault());
    }
    for pair in digest.chunks(2) {
        let byte = u8::from_str_radix(&String::from_iter(pair), 16);
        rdata.push(byte.map_err(|_| fault())?);
    }
    Ok(rdata)
}

/// Returns the value of a DS record in Route 53's form.
pub(crate) fn shown(rdata: &[u8]) -> String {
    let tag = u16::from_be_bytes([rdata[0], rdata[1]]);
    let digest: String = rdata[4..]
        .iter()
        .map(|byte| format!("{byte:02X}"))
        .collect();
    format!("{tag} {} {} {digest}", rdata[2], rdata[3])
}

/// Returns whether resolvers support the algorithm of a DS record (RFC 8624, section 3.1) and its digest type.
fn is_supported(ds: &[u8]) -> bool {
    matches!(ds, [_, _, 8 | 10 | 13..=16, 2 | 4, ..])
}

/// Returns whether the chain of trust is broken at one of `zones`, each the parent of the next (RFC 4035, section 5).
/// `registered` is the DS record set that the registry has for the first.
///
/// A zone is valid if one DS record in its parent matches its key. If the parent has no DS record set for it, the zone and
/// all its descendants are insecure: the chain ends without a fault.
pub(crate) fn is_broken(registered: &[Record], zones: &[&Hosted]) -> bool {
    let mut above = registered.to_vec();
    for (at, zone) in zones.iter().enumerate() {
        // A resolver treats a zone as unsigned if it supports none of the algorithms (RFC 4035, section 5.2).
        above.retain(|ds| is_supported(bytes(ds)));
        if above.is_empty() {
            return false;
        }
        let own = zone.ds();
        let own = own.as_ref().map(bytes);
        if !above.iter().any(|ds| Some(bytes(ds)) == own) {
            return true;
        }
        if let Some(below) = zones.get(at + 1) {
            above = zone.records(&below.name, RecordType::DS);
        }
    }
    false
}

impl Zones {
    /// Returns whether a validating resolver answers SERVFAIL for a name, because the chain of trust is broken.
    ///
    /// # Errors
    /// `name` is not a domain name.
    pub fn is_bogus(&self, name: &str) -> Result<bool, crate::InvalidRecordSet> {
        let name = crate::name::parse(name)?;
        let Some((_, registered)) = self.registration_of(&name) else {
            return Ok(false);
        };
        Ok(is_broken(
            &registered.ds,
            &self.way_to(&name, RecordType::A),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ds_value_is_parsed_and_displayed() {
        let value = "12345 13 2 00FF";
        assert_eq!(shown(&parse_ds(value).unwrap()), value);
        assert_eq!(
            parse_ds("12345 13 2 00 ff").unwrap(),
            parse_ds(value).unwrap()
        );
    }
}
