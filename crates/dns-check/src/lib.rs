//! DNS as it is seen from the outside: the check of a delegation, and where a name breaks.
//!
//! 1. **Authoritative servers are asked, never a resolver.** A resolver that is asked for a name before it is
//!    delegated may keep the "no such name" for a quarter of an hour, and would hide the very thing that is to be
//!    seen. Questions go out without the wish for recursion.
//! 2. **The walk starts at the top.** From the root servers down, one label at a time, so that it can be said at
//!    which label a delegation breaks and which servers answered what ([`Dns::reach`], [`Dns::caa`]).
//! 3. **Silence proves nothing.** A function without a way out to port 53 hears nothing from anyone. That is told
//!    apart from servers that answer and say no, and never counted as a fault of the delegation ([`Checked`]).
//! 4. **No sockets here.** All packets go through a [`Transport`]; [`Sockets`] is the real one.
//!
//! With `DNS_NAME_SERVERS` set, the servers listed there stand for the Internet: see [`NameServerList`].

mod caa;
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
    /// Over `transport`; `listed` takes the Internet's place where it is not empty.
    pub fn new(transport: T, listed: NameServerList) -> Self {
        Self { transport, listed }
    }
}
