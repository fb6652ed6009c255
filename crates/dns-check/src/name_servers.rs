use crate::DomainName;
use sha2::{Digest, Sha256};
use std::fmt;

/// The name servers of one zone: a set, so order and case do not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameServers(Vec<DomainName>);

impl NameServers {
    /// From host names as a service writes them.
    pub fn new<S: AsRef<str>>(names: impl IntoIterator<Item = S>) -> Self {
        let names = names
            .into_iter()
            .map(|name| DomainName::from_service(name.as_ref().trim()));
        let mut names: Vec<_> = names.collect();
        names.sort();
        names.dedup();
        Self(names)
    }

    /// The host names, sorted.
    pub fn iter(&self) -> impl Iterator<Item = &DomainName> {
        self.0.iter()
    }

    /// Whether any of them is among the others.
    #[must_use]
    pub fn shares_any(&self, others: &Self) -> bool {
        self.iter()
            .any(|own| others.iter().any(|other| other == own))
    }

    /// A short proof of this set, by which an NS record set is known as ours when the zone itself is gone.
    ///
    /// 64 bits of SHA-256: it guards against mistake, and the set that it has to be told from is the one other
    /// set that stands at the same name.
    #[must_use]
    pub fn proof(&self) -> String {
        let digest = Sha256::digest(self.to_string().as_bytes());
        digest[..8]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}

/// Comma-joined, without spaces or trailing dots.
impl fmt::Display for NameServers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, name) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str(",")?;
            }
            f.write_str(name.as_str())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::NameServers;

    #[test]
    fn a_set_without_order_or_case() {
        let a = NameServers::new(["NS-2.awsdns.net.", "ns-1.awsdns.com"]);
        let b = NameServers::new(["ns-1.awsdns.com.", "ns-2.awsdns.net"]);
        assert_eq!(a, b);
        assert_eq!(a.proof(), b.proof());
        assert_eq!(a.to_string(), "ns-1.awsdns.com,ns-2.awsdns.net");
        assert_ne!(a.proof(), NameServers::new(["ns-1.awsdns.com"]).proof());
    }
}
