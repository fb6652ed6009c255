//! A strict world for the functions to live in: Route 53, Certificate Manager, Parameter Store, STS, Step Functions and
//! CloudFormation, for any number of accounts, with DNS, faults and an attacker.
//!
//! Why it exists: "nothing is lost, nothing is left, whatever dies when" is a promise about histories, and histories are found by
//! machines, not by people. The emulator forgives what AWS does not; this world forgives less than AWS does.
//!
//! 1. **Real bytes.** The functions' own SDK clients speak to it over the wire format of each service, in-process ([`HttpClient`])
//!    or through a socket ([`serve`]). Nothing of a function is replaced.
//! 2. **Virtual time.** All its delays are tokio's. In a test with paused time an hour takes milliseconds, and the same seed gives
//!    the same history.
//! 3. **It remembers who did what.** Each access key belongs to one invocation for one resource of one stack, so that a write on
//!    what another made is seen whatever the function's own marks say ([`Violation`]).
//! 4. **Two views of DNS.** A record set is in the API at once and on the name servers at INSYNC. ACM sees only the latter.
//! 5. **An attacker sits on every name.** When a delegation names servers that host no zone of its name, the name is his.
//! 6. **Faults per call.** Errors, lost connections, silence and death, before and after the effect ([`FaultRule`]).
//!
//! Sources of what the services do are named where it is done.

mod acm;
pub mod cloudformation;
mod custody;
mod dangling;
mod dns;
mod event_log;
mod fault;
mod http_client;
mod http_server;
mod iam;
pub mod in_process;
mod ownership;
mod person;
mod region;
mod route53;
mod sdk;
mod ssm;
mod state;
mod step_functions;
mod sts;
mod throttle;
mod time;
mod wire;
mod world;

pub use acm::{Certificate, validation_record};
pub use custody::Spared;
pub use dns::{EVERYWHERE, Lie};
pub use event_log::{Event, Table, Violation};
pub use fault::{Fault, FaultRule, When};
pub use http_client::HttpClient;
pub use http_server::serve;
pub use iam::principal::{Caller, Credentials, Hand, Work};
pub use iam::template::{Resolution, roles};
pub use iam::{Grant, Role};
pub use person::Edit;
pub use region::REGIONS;
pub use route53::guardrail::Guardrail;
pub use route53::name::Name;
pub use route53::name_server::NameServer;
pub use route53::record_set::{RecordKey, RecordSet};
pub use route53::{FormerZone, Zone};
pub use ssm::Parameter;
pub use state::{Settings, State};
pub use step_functions::Execution;
pub use throttle::Rates;
pub use time::{Timestamp, WorldClock};
pub use wire::answer::ServiceError;
pub use wire::call::Service;
pub use world::{ConnectionLost, World};
