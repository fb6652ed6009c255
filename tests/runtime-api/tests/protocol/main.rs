//! The protocol, with the binaries that are deployed: what CloudFormation gets, whatever event arrives and
//! whatever fails.

mod answers;
mod log_and_environment;
mod requests;
mod stage;
mod whole_lives;
