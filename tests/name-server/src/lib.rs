//! Authoritative DNS over a snapshot of Route 53's zones.
//!
//! Name servers decide whether a delegation works, not an API. The model of Route 53 in the tests and the
//! demo's emulator have zones and record sets. This library answers DNS queries from them as Route 53's name
//! servers would, so that the functions under test send real queries and get correct answers.
//!
//! 1. [`answer`] is a pure function from a snapshot, the queried server and a query to an answer. Tests call
//!    it in virtual time, without a socket.
//! 2. A name server is its address. [`address_of`] gives every host name an address in 127.0.0.0/8, so that
//!    each can listen on a loopback address of its own, and the child does not answer a query to the parent.
//! 3. [`Asked::Everywhere`] is one server in place of all of them. It is as strict as the real tree: it
//!    answers from a zone only if the delegations from the registered names to the zone exist and name its
//!    own servers.
//! 4. [`serve`] adds UDP and TCP sockets, over a snapshot that may change at any time.

mod answer;
mod dnssec;
mod name;
mod serve;
mod zones;

pub use answer::{Asked, answer, answer_bytes};
pub use serve::{Served, serve};
pub use zones::{InvalidRecordSet, RecordSet, Registration, Zone, Zones, address_of};
