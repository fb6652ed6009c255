//! Whose a thing is: every tag, digest, `CallerReference` and idempotency token that says so, and the only functions that
//! read them.
//!
//! CloudFormation names a resource by its stack and its logical id ([`Owner`]). AWS knows nothing of either, so each thing
//! that this project creates, or begins to manage, carries them:
//!
//! 1. In what nobody can change: the `CallerReference` of a hosted zone ([`Owner::caller_reference`]).
//! 2. In ownership tags ([`tags`]): who has it now ([`TagOwner`]), which request created it ([`Creation`]), from which
//!    logical id it was transferred, and how far the request came that works on it.
//!
//! What cannot be changed counts for more than a tag. A physical id is never a proof: whoever can invoke a function can
//! send any.
//!
//! [`zone`], [`certificate`] and [`parameter`] say what this means for the three kinds of things. Each turns a thing's
//! tags and a request into what the request may do with it, and back: what the request writes. They make no call and read
//! no clock. What is done with the answer is decided by the plans of the resource types.

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
