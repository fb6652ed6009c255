//! The CloudFormation custom-resource protocol.
//!
//! A custom resource that is not answered keeps its stack waiting for an hour, and then again in
//! the rollback. So this crate has one aim: whatever event arrives and whatever fails,
//! CloudFormation gets one answer, in time, with a reason that helps. A resource type implements
//! [`ResourceTypes`] and needs to know nothing else of the protocol. A function's `main` calls
//! [`run`].
//!
//! The design:
//!
//! 1. **Every event that can be answered is answered.** Only an event without a usable
//!    `ResponseURL` or ids is dropped. Properties of a wrong shape are kept as [`Properties`] whose
//!    parsing fails, because CloudFormation sends the properties of a refused Create again with its
//!    Delete, and that Delete must succeed.
//! 2. **Work is level-triggered.** [`ResourceTypes::advance`] observes what exists and does what is
//!    missing. Lambda delivers events twice and kills processes, and this crate drops work at a
//!    deadline. In each case one more call continues the work. A wait is a value ([`Wait`]): this
//!    crate can sleep, hand it over, or end it.
//! 3. **Every part has a deadline.** The work is dropped while there is time to undo what must not
//!    remain, and that in turn while there is time to answer. Lambda's time-out or CloudFormation's
//!    `ServiceTimeout` applies, whichever is sooner.
//! 4. **A panic is answered**, whether in the resource type, in the waiter or elsewhere.
//! 5. **An answer is checked before it is sent.** The whole body has at most 4,096 bytes: a reason
//!    is shortened in its middle, an id never. If the attributes are too large, the answer is
//!    FAILED.
//! 6. **An answer is delivered at least once.** Transient errors are retried until the deadline. If
//!    the answer was not accepted, the invocation ends with an error, so that Lambda delivers the
//!    request again and an alarm can report it; unless the URL has expired, because then nobody
//!    waits any longer. CloudFormation reads only the first answer, so another one does no harm.
//! 7. **A wait that is longer than an invocation continues in a state machine** that decides
//!    nothing: the function says when it wants to be invoked again, and when the wait is over.
//!    FAILED is not answered while the state machine may continue and create resources. The data
//!    that it carries has a digest, and is refused if it was changed.
//! 8. **The response URL is a secret, and so are its parts.** Its type has no formatting trait.
//!    Answers and log lines are redacted where they leave the function, whichever code wrote them:
//!    signatures, credentials, external ids and the URL.
//! 9. **A time-out names the AWS call that failed.** The call that failed last, AWS's own words,
//!    the number of attempts and the time of the first are remembered across invocations, because
//!    the invocation that answers may not have sent the call.
//! 10. **This crate knows no AWS service.** The waiter and the transport of answers are traits, and
//!     time is tokio's, so a test runs the whole life of a stack within milliseconds.
//!
//! Each concern has a file of its own. [`Function::handle`] connects them.

mod addressee;
mod answer;
mod clock;
mod deadline;
mod deliver;
mod digest;
mod event;
mod failing;
mod function;
mod hand_over;
mod https;
pub mod logging;
mod outcome;
mod panic_guard;
pub mod properties;
mod redact;
mod request;
mod response_url;
mod run;
mod settings;
mod shorten;
mod start_execution;
mod summary;
mod transport;
mod trouble;
mod waiter;
mod work;

pub use addressee::is_refused_id;
pub use clock::Clock;
pub use digest::{request_digest, sha256_hex};
pub use function::{Context, Function, InvocationError};
pub use https::Https;
pub use outcome::{Failure, Invocation, ResourceTypes, Step, Success, Wait};
pub use properties::{Properties, PropertyError};
pub use redact::keep_secret;
pub use request::{LONGEST_SERVICE_TIMEOUT, Refusal, Request, RequestType};
pub use run::run;
pub use settings::Settings;
pub use shorten::shorten;
pub use transport::{AnswerTransport, Reply};
pub use trouble::{Outlook, Trouble};
pub use waiter::{NoWaiter, NotStarted, Waiter};
