//! Every branch of every resource type in the strict world: what is made, what is refused with which sentence, what is waited for,
//! and that the world is as it should be afterwards.

mod certificate;
mod hand_over;
mod log;
mod marks;
mod published_zone;
mod quotas;
mod rounds;
mod stage;
mod subdomain;
