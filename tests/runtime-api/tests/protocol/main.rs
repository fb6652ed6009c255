//! The protocol, on the binaries that are deployed: what CloudFormation gets, whatever comes in and whatever is broken.

mod answers;
mod log_and_environment;
mod requests;
mod stage;
mod whole_lives;
