//! Checks delegations over DNS: whether one is correct, and where the chain to a name ends.
//!
//! 1. **Authoritative servers are queried, never a resolver.** A resolver that is queried before a
//!    name is delegated may cache the NXDOMAIN for 15 minutes, and would then hide the new
//!    delegation. Queries do not ask for recursion.
//! 2. **The walk starts at the root servers.** It descends one label at a time, so that the result
//!    names the label at which a delegation is broken and what each server answered
//!    ([`Dns::reach`], [`Dns::caa`]).
//! 3. **Silence proves nothing.** A function that cannot reach port 53 gets no answer from any
//!    server. This differs from servers that answer negatively, and is never a fault of the
//!    delegation ([`Checked`]).
//! 4. **DNSSEC is followed from the root.** A DS record set that matches no key of its zone breaks the
//!    resolution of every name in that zone ([`BrokenChain`]). Only authoritative answers count.
//! 5. **No sockets here.** All packets use a [`Transport`]. [`Sockets`] is the real one.
//!
//! If `DNS_NAME_SERVERS` is set, the servers in that list replace the Internet: see
//! [`NameServerList`].

mod caa;
mod chain;
mod check;
mod domain_name;
mod name_server;
mod name_servers;
mod question;
mod reach;
mod standing;
mod transport;
mod walk;

pub use caa::{Caa, Issuance};
pub use chain::{BrokenChain, KeyId};
pub use check::{Checked, Fault};
pub use domain_name::{DomainName, NameError};
pub use name_server::{NameServerList, NameServerListError};
pub use name_servers::NameServers;
pub use reach::Reach;
pub use standing::Standing;
pub use transport::{Protocol, Sockets, Transport};

/// DNS over a transport.
#[derive(Clone, Debug, Default)]
pub struct Dns<T> {
    transport: T,
    listed: NameServerList,
}

impl<T: Transport> Dns<T> {
    /// Creates a checker over `transport`. If `listed` is not empty, its servers replace the
    /// Internet.
    pub fn new(transport: T, listed: NameServerList) -> Self {
        Self { transport, listed }
    }
}
