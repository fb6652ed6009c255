//! The CloudFormation custom-resource protocol.

mod claim;
mod clock;
mod function;
mod https;
mod outcome;
mod owner;
pub mod properties;
mod request;
mod response_url;
mod run;
mod settings;
mod shorten;
mod transport;
mod trouble;
mod waiter;

pub use claim::Claim;
pub use clock::Clock;
pub use function::{Context, Function, InvocationError};
pub use https::Https;
pub use outcome::{Failure, Invocation, ResourceTypes, Step, Success, Wait};
pub use owner::{LOGICAL_ID_TAG, Owner, PREVIOUS_LOGICAL_ID_TAG, STACK_ID_TAG};
pub use properties::{Properties, PropertyError};
pub use request::{LONGEST_SERVICE_TIMEOUT, Refusal, Request, RequestType, is_refused_id};
pub use run::run;
pub use settings::Settings;
pub use shorten::shorten;
pub use transport::AnswerTransport;
pub use trouble::{Outlook, Trouble};
pub use waiter::{NoWaiter, Waiter};
