//! Authoritative DNS over a snapshot of zones as Route 53 holds them.
//!
//! Why it exists: whether a delegation works is decided by name servers, not by an API. The model of Route 53 that
//! the tests run on, and the demo's emulator, keep zones and record sets; this library answers DNS questions from
//! them as Route 53's name servers would, so that the functions under test ask real questions and get true answers.
//!
//! 1. [`answer`] is a pure function from a snapshot, the server that is asked and a question to an answer: tests call
//!    it in virtual time, with no socket.
//! 2. A name server is its address. [`address_of`] gives every host name an address in 127.0.0.0/8, so that each can
//!    listen on a loopback address of its own and a question to the parent is not answered by the child.
//! 3. [`Asked::Everywhere`] is one server that plays all of them. It is as strict as the real tree: it answers from a
//!    zone only where the delegations from the registered names down to it stand and name that zone's own servers.
//! 4. [`serve`] puts the same function behind UDP and TCP sockets, over a snapshot that may change at any time.

mod answer;
mod dnssec;
mod name;
mod serve;
mod zones;

pub use answer::{Asked, answer, answer_bytes};
pub use serve::{Served, serve};
pub use zones::{InvalidRecordSet, RecordSet, Registration, Zone, Zones, address_of};
