//! Route 53's name servers: four for a zone, one of each top-level domain. Zones of the same name, or of a
//! name and its subdomain, never share one.

use super::name::Name;

/// The number of name servers under each top-level domain.
const PER_TLD: u16 = 512;

const TLDS: [&str; 4] = ["com", "net", "org", "co.uk"];

/// One name server of the pool, by its number: `ns-NUMBER.awsdns-GROUP.TLD`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NameServer(u16);

impl NameServer {
    pub(crate) fn of(tld: usize, number: u16) -> Self {
        let tld = u16::try_from(tld).expect("there are four");
        Self(tld * PER_TLD + number)
    }

    /// Returns its host name without trailing dot, as in `DelegationSet`.
    pub fn host(self) -> String {
        let tld = TLDS[usize::from(self.0 / PER_TLD)];
        let group = (self.0 % PER_TLD) / 8;
        format!("ns-{}.awsdns-{group:02}.{tld}", self.0)
    }

    /// Returns the name server of that host name, in any case, with or without trailing dot.
    pub fn by_host(host: &str) -> Option<Self> {
        let host = host.strip_suffix('.').unwrap_or(host).to_lowercase();
        let number: u16 = host
            .strip_prefix("ns-")?
            .split('.')
            .next()?
            .parse()
            .ok()
            .filter(|number| *number < PER_TLD * 4)?;
        Some(Self(number)).filter(|server| server.host() == host)
    }
}

/// Returns whether a value has the form of a Route 53 name server, whether or not it exists.
pub(crate) fn looks_like_one(value: &str) -> bool {
    value.to_lowercase().contains(".awsdns-")
}

/// Returns whether zones of these names may not share a name server: the names are equal, or one is a
/// subdomain of the other.
pub(crate) fn related(one: &Name, other: &Name) -> bool {
    one.is_within(other) || other.is_within(one)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_server_is_found_by_its_host_name() {
        for tld in 0..4 {
            for number in 0..PER_TLD {
                let server = NameServer::of(tld, number);
                assert_eq!(NameServer::by_host(&server.host()), Some(server));
            }
        }
        assert_eq!(NameServer::of(0, 5).host(), "ns-5.awsdns-00.com");
        assert_eq!(
            NameServer::by_host("NS-1536.awsdns-00.co.uk."),
            Some(NameServer::of(3, 0))
        );
        assert_eq!(NameServer::by_host("ns-5.awsdns-01.com"), None);
        assert_eq!(NameServer::by_host("ns.example.com"), None);
    }
}
