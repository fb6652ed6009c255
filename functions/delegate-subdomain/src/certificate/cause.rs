use super::properties::CertificateName;
use dns_check::{BrokenChain, Caa};
use hosted_zones::{DomainName, NameServers};
use std::fmt;

/// A cause for which a certificate cannot be issued now. `Display` adds the remedy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// The zone with its CNAMEs cannot be reached from outside.
    NotDelegated { zone: DomainName, found: String },
    /// The zone is new, and a person may be about to delegate it. The function waits for that.
    NotDelegatedYet {
        zone: DomainName,
        name_servers: NameServers,
        found: String,
    },
    /// Validating resolvers, which certificate authorities use, do not accept the zone with its CNAMEs or an
    /// ancestor of it.
    BrokenChain(BrokenChain),
    /// A CAA record set does not allow Amazon to issue.
    Caa { name: CertificateName, caa: Caa },
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotDelegated { zone, found } => write!(
                f,
                "its validation CNAMEs do not resolve, because their zone {zone} is not reached from the outside: \
                 {found}; correct this, then deploy again"
            ),
            Self::NotDelegatedYet {
                zone,
                name_servers,
                found,
            } => write!(
                f,
                "the zone {zone} is not delegated to its name servers yet ({found}); in the zone above, or at its \
                 registrar, set the name servers of {zone} to {name_servers}"
            ),
            Self::BrokenChain(broken) => write!(
                f,
                "its validation CNAMEs do not resolve for ACM, which validates DNSSEC: {broken}, then deploy again"
            ),
            Self::Caa { name, caa } => {
                let records = caa.records.join(", ");
                write!(
                    f,
                    "the CAA record set at {} ({records}) does not allow Amazon to issue for {name}; ",
                    caa.at
                )?;
                match caa.missing {
                    Some(missing) => write!(f, "add {missing} to it")?,
                    None => write!(f, "remove the critical record that is not of RFC 8659")?,
                }
                write!(f, ", then deploy again")
            }
        }
    }
}
