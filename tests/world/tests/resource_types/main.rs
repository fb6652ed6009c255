//! Every branch of every resource type in the strict world: what is created, what is refused with which
//! sentence, what is waited for, and the state of the world afterwards.

mod certificate;
mod hand_over;
mod log;
mod marks;
mod published_zone;
mod quotas;
mod rounds;
mod stage;
mod subdomain;
