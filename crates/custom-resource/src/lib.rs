//! The CloudFormation custom-resource protocol, for functions that are CloudFormation's only hold on what they make.
//!
//! A custom resource that is not answered keeps its stack waiting for an hour, and then stuck in its rollback. So this
//! crate has one aim: whatever comes in, and whatever goes wrong, CloudFormation is answered once, in time, with a
//! reason that helps. A resource type implements [`ResourceTypes`] and thinks of nothing else; a function's `main` calls
//! [`run`].
//!
//! Why it is made as it is:
//!
//! 1. **Nothing is refused that can be answered.** Only an event without a usable `ResponseURL` or ids is dropped.
//!    Properties of a wrong shape are kept as [`Properties`] that say so when they are parsed, because CloudFormation
//!    sends the properties of a refused Create again with its Delete, and that one must get through.
//! 2. **Work is level-triggered.** [`ResourceTypes::advance`] looks at what stands and does what is missing. Lambda
//!    delivers events twice, kills processes, and this crate itself drops work at a deadline; each is then the same as
//!    one more look. A wait is a value ([`Wait`]), so that it can be slept through, handed over, or given up.
//! 3. **Every part has its own deadline.** The work is dropped while there is time to undo what must not stay, and that
//!    while there is time to answer. The sooner of Lambda's end and CloudFormation's `ServiceTimeout` counts.
//! 4. **A panic is an answer.** Around the resource type, around the waiter, and around all the rest.
//! 5. **An answer is checked before it is sent.** 4,096 bytes for the whole body: reasons are cut in their middle, ids
//!    never, and attributes that do not fit are a failure rather than a success that lacks them.
//! 6. **One answer is enough.** What may pass is retried until the deadline. An answer that was not taken ends the
//!    invocation as an error, so that Lambda delivers the request again and an alarm can tell; unless the URL has
//!    expired, when nobody waits any longer. CloudFormation reads the first answer only, so one more does no harm.
//! 7. **What outlasts an invocation goes on in a state machine** that decides nothing: the function says when to come
//!    back and when it is over. FAILED is not answered while the state machine may go on and make things. What passes
//!    through it is digested, and refused where it was touched.
//! 8. **The response URL is a secret, and so is what is in it.** It has a type that nothing prints. Answers and log lines
//!    are redacted where they leave the function, whoever wrote them: signatures, credentials, external ids and the URL.
//! 9. **A time-out names the AWS call that failed.** Which call failed last, in AWS's words, how often and since when is
//!    remembered across invocations, because the invocation that answers may not have sent it.
//! 10. **It knows no AWS service.** The waiter and the way of an answer are traits, time is tokio's. A whole stack's life
//!     runs in a test within milliseconds.
//!
//! One file for each concern; [`Function::handle`] is where they come together.

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
