//! DNS as it is seen from the outside, against name servers in memory and in virtual time.

mod caa;
mod check;
mod internet;
mod network;
mod reach;
mod standing;
