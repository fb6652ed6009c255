//! Route 53's name servers: four for a zone, one of each top-level domain, never shared by zones of one name or one line.

use super::name::Name;

/// How many name servers there are under each top-level domain.
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

    /// Its host name, without trailing dot, as `DelegationSet` gives it.
    pub fn host(self) -> String {
        let tld = TLDS[usize::from(self.0 / PER_TLD)];
        let group = (self.0 % PER_TLD) / 8;
        format!("ns-{}.awsdns-{group:02}.{tld}", self.0)
    }

    /// The name server of that host name, in any case, with or without trailing dot.
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

/// Whether a value has the shape of a Route 53 name server, real or not.
pub(crate) fn looks_like_one(value: &str) -> bool {
    value.to_lowercase().contains(".awsdns-")
}

/// Whether two zones of these names may share no name server: the same name, or one below the other.
pub(crate) fn related(one: &Name, other: &Name) -> bool {
    one.is_within(other) || other.is_within(one)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_host_leads_back() {
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
