//! A strict model of AWS for the functions: Route 53, Certificate Manager, Parameter Store, STS, Step
//! Functions and CloudFormation, for any number of accounts, with DNS, faults and an attacker.
//!
//! "Nothing is lost, nothing is left, whatever dies when" is a promise about histories, and only machines
//! find the bad ones. The emulator is less strict than AWS; this world is stricter.
//!
//! 1. **Real bytes.** The functions' own SDK clients use each service's wire format, in this process
//!    ([`HttpClient`]) or through a socket ([`serve`]). No part of a function is replaced.
//! 2. **Virtual time.** All delays are tokio's. In a test with paused time an hour takes milliseconds, and
//!    the same seed produces the same history.
//! 3. **It knows who did what.** Each access key belongs to one invocation for one resource of one stack. A
//!    write on a thing that someone else created is a [`Violation`], whatever the function's own tags say.
//! 4. **Two views of DNS.** A record set is in the API at once, and on the name servers when it is INSYNC.
//!    ACM sees only the latter.
//! 5. **An attacker watches every name.** If a delegation names servers that host no zone of its name, he
//!    controls the name.
//! 6. **Faults per call.** Errors, broken connections, silence and death, before and after the effect
//!    ([`FaultRule`]).
//!
//! The code of each behavior names its source.

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
