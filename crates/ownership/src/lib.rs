//! Decides who owns a thing: contains every tag, digest, `CallerReference` and idempotency token
//! that names an owner, and the only functions that read them.
//!
//! CloudFormation names a resource by its stack and its logical id ([`Owner`]). AWS knows nothing of either, so each thing
//! that this project creates, or begins to manage, carries them:
//!
//! 1. Where nobody can change them: in the `CallerReference` of a hosted zone
//!    ([`Owner::caller_reference`]).
//! 2. In ownership tags ([`tags`]): who has it now ([`TagOwner`]), which request created it
//!    ([`Creation`]), from which logical id it was transferred, and whether the request that works
//!    on it is complete.
//!
//! What cannot be changed is more reliable than a tag. A physical id is never a proof: everyone who
//! can invoke a function can send any.
//!
//! [`zone`], [`certificate`] and [`parameter`] define what this means for the three kinds of
//! things. Each converts a thing's tags and a request into what the request may do with it, and
//! into what the request writes. They make no call and read no clock. The plans of the resource
//! types decide what is done.

pub mod certificate;
mod creation;
mod owner;
pub mod parameter;
mod requester;
mod tag_owner;
pub mod tags;
pub mod zone;

pub use creation::{Creation, Stage};
pub use owner::{Owner, is_second_form};
pub use requester::Requester;
pub use tag_owner::TagOwner;
pub use tags::Tags;
