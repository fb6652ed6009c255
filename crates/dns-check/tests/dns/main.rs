//! Tests of this crate against name servers in memory, in virtual time.

mod caa;
mod chain;
mod check;
mod internet;
mod network;
mod reach;
mod standing;
