use crate::DomainName;
use std::fmt;

/// The name servers of one zone, as a set without order or case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameServers(Vec<DomainName>);

impl NameServers {
    /// Creates the set from host names in any form that a service writes.
    pub fn new<S: AsRef<str>>(names: impl IntoIterator<Item = S>) -> Self {
        let names = names
            .into_iter()
            .map(|name| DomainName::from_service(name.as_ref().trim()));
        let mut names: Vec<_> = names.collect();
        names.sort();
        names.dedup();
        Self(names)
    }

    /// Returns the host names, sorted.
    pub fn iter(&self) -> impl Iterator<Item = &DomainName> {
        self.0.iter()
    }

    /// Returns whether the two sets have a name server in common.
    #[must_use]
    pub fn shares_any(&self, others: &Self) -> bool {
        self.iter()
            .any(|own| others.iter().any(|other| other == own))
    }
}

/// Writes the names comma-joined, without spaces and trailing dots.
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
        assert_eq!(a.to_string(), "ns-1.awsdns.com,ns-2.awsdns.net");
    }
}
