//! Checks whether CAA records allow Amazon to issue a certificate.

use std::time::Duration;

use hickory_proto::rr::rdata::CAA;
use hickory_proto::rr::{Name, RData, RecordType};

use super::question::{Reply, domain_name, wire_name};
use super::walk::Walk;
use super::{Dns, Transport};
use crate::DomainName;

/// The issuer names of Amazon, <https://docs.aws.amazon.com/acm/latest/userguide/setup-caa.html>.
const AMAZON: [&str; 4] = [
    "amazon.com",
    "amazontrust.com",
    "awstrust.com",
    "amazonaws.com",
];

/// Limits the whole check.
const LONGEST: Duration = Duration::from_secs(45);

/// Limits the aliases that are followed in a chain. RFC 8659 sets no limit; resolvers follow about
/// as many.
const LONGEST_CHAIN: usize = 8;

/// Whether the CAA records allow a certificate by Amazon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Issuance {
    /// Amazon may issue it.
    Allowed,
    /// Amazon must not issue it.
    Forbidden(Caa),
    /// Unknown, because no answer arrived.
    Unknown,
}

/// The relevant CAA record set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caa {
    /// The name that has it.
    pub at: DomainName,
    /// Its records in text form, such as `0 issue "ca.example.net"`.
    pub records: Vec<String>,
    /// The record that has to be added, such as `0 issue "amazon.com"`. None if a critical record
    /// with an unknown tag has to be removed instead.
    pub missing: Option<&'static str>,
}

impl<T: Transport> Dns<T> {
    /// Finds the CAA records that apply to `name`, which may start with `*.`, by climbing the tree
    /// as RFC 8659 requires.
    ///
    /// Takes at most 45 s.
    pub async fn caa(&self, name: &DomainName) -> Issuance {
        tokio::time::timeout(LONGEST, self.climb(name))
            .await
            .unwrap_or(Issuance::Unknown)
    }

    async fn climb(&self, name: &DomainName) -> Issuance {
        let name = wire_name(name);
        let wildcard = name.is_wildcard();
        let name = if wildcard { name.base_name() } else { name };
        let walk = self.walk(&name).await;
        for labels in (1..=name.iter().count()).rev() {
            let at = name.trim_to(labels);
            // The listed servers need not serve the ancestors of the zones in question, so nothing
            // is known of those.
            if walk.zones.len() > 1 && walk.zone_of(&at).name.is_root() && !self.listed.is_empty() {
                break;
            }
            let Some((at, records)) = self.caa_at(&walk, &at).await else {
                return Issuance::Unknown;
            };
            if !records.is_empty() {
                return judge(domain_name(&at), &records, wildcard);
            }
        }
        Issuance::Allowed
    }

    /// Returns the CAA records at one name, or at the target of its alias, with the name that has
    /// them. None if the answer is not known.
    async fn caa_at(&self, walk: &Walk, at: &Name) -> Option<(Name, Vec<CAA>)> {
        let mut standing = at.clone();
        let mut answer = self
            .ask_zone(walk.zone_of(at), at, RecordType::CAA)
            .await
            .ok()?;
        for _ in 0..LONGEST_CHAIN {
            match answer {
                Reply::Records(records) => {
                    let caa = |data| match data {
                        RData::CAA(caa) => Some(caa),
                        _ => None,
                    };
                    let records = records.into_iter();
                    let found = records.filter_map(|record| caa(record.data)).collect();
                    return Some((standing, found));
                }
                Reply::Alias(target) => {
                    // The target is usually in another zone, so it needs a walk of its own.
                    let walk = self.walk(&target).await;
                    answer = self
                        .ask_zone(walk.zone_of(&target), &target, RecordType::CAA)
                        .await
                        .ok()?;
                    standing = target;
                }
                Reply::NoData { .. } | Reply::NoName { .. } => return Some((standing, Vec::new())),
                // The name is delegated further than the walk came: the child's servers do not
                // answer.
                Reply::Referral { .. } | Reply::Failed(_) => return None,
            }
        }
        None
    }
}

fn judge(at: DomainName, records: &[CAA], wildcard: bool) -> Issuance {
    let tagged = |tag: &'static str| {
        records
            .iter()
            .filter(move |caa| caa.tag.eq_ignore_ascii_case(tag))
    };
    let known = [
        "issue",
        "issuewild",
        "iodef",
        "contactemail",
        "contactphone",
        "issuemail",
        "issuevmc",
    ];
    let unknown = |caa: &CAA| {
        caa.issuer_critical && !known.iter().any(|tag| caa.tag.eq_ignore_ascii_case(tag))
    };
    let texts = || records.iter().map(text).collect();
    if records.iter().any(unknown) {
        return Issuance::Forbidden(Caa {
            at,
            records: texts(),
            missing: None,
        });
    }
    // For a wildcard, `issuewild` applies if there is such a record, otherwise `issue` (RFC 8659,
    // section 4.3).
    let (tag, missing) = if wildcard && tagged("issuewild").next().is_some() {
        ("issuewild", "0 issuewild \"amazon.com\"")
    } else {
        ("issue", "0 issue \"amazon.com\"")
    };
    let mut deciding = tagged(tag).peekable();
    if deciding.peek().is_none() || deciding.any(names_amazon) {
        return Issuance::Allowed;
    }
    Issuance::Forbidden(Caa {
        at,
        records: texts(),
        missing: Some(missing),
    })
}

/// Returns whether the issuer, which is the text before the first semicolon, is Amazon. Parameters
/// follow the semicolon.
fn names_amazon(caa: &CAA) -> bool {
    let value = String::from_utf8_lossy(&caa.value);
    let issuer = value
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .trim_end_matches('.');
    AMAZON
        .iter()
        .any(|amazon| issuer.eq_ignore_ascii_case(amazon))
}

fn text(caa: &CAA) -> String {
    format!(
        "{} {} \"{}\"",
        caa.flags(),
        caa.tag,
        String::from_utf8_lossy(&caa.value)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(records: &[&str], wildcard: bool) -> Issuance {
        let records: Vec<_> = records
            .iter()
            .map(
                |text| match RData::try_from_str(RecordType::CAA, text).unwrap() {
                    RData::CAA(caa) => caa,
                    other => panic!("{other}"),
                },
            )
            .collect();
        judge(
            DomainName::parse("example.com").unwrap(),
            &records,
            wildcard,
        )
    }

    #[test]
    fn each_issuer_name_of_amazon_allows_issuance() {
        for issuer in AMAZON {
            assert_eq!(
                judged(&[&format!("0 issue \"{issuer}\"")], false),
                Issuance::Allowed
            );
        }
        assert_eq!(
            judged(
                &[
                    "0 issue \"ca.example.net\"",
                    "0 issue \"Amazon.com; policy=x\""
                ],
                true
            ),
            Issuance::Allowed
        );
        assert_eq!(
            judged(&["0 iodef \"mailto:security@example.com\""], false),
            Issuance::Allowed
        );
    }

    #[test]
    fn another_issuer_and_an_empty_issuer_forbid_issuance() {
        for records in [
            &["0 issue \"ca.example.net\""][..],
            &["0 issue \";\""],
            &["0 issue \"amazon.com.evil.net\""],
        ] {
            let Issuance::Forbidden(caa) = judged(records, false) else {
                panic!("{records:?}")
            };
            assert_eq!(caa.missing, Some("0 issue \"amazon.com\""));
            assert_eq!(caa.records, records);
        }
        let Issuance::Forbidden(caa) =
            judged(&["128 future \"x\"", "0 issue \"amazon.com\""], false)
        else {
            panic!()
        };
        assert_eq!(caa.missing, None);
    }

    #[test]
    fn a_wildcard_is_governed_by_issuewild() {
        let records = ["0 issue \"amazon.com\"", "0 issuewild \";\""];
        assert_eq!(judged(&records, false), Issuance::Allowed);
        let Issuance::Forbidden(caa) = judged(&records, true) else {
            panic!()
        };
        assert_eq!(caa.missing, Some("0 issuewild \"amazon.com\""));
        assert_eq!(
            judged(&["0 issuewild \"amazon.com\""], true),
            Issuance::Allowed
        );
        assert!(matches!(
            judged(&["0 issue \"ca.example.net\""], true),
            Issuance::Forbidden(_)
        ));
    }
}
