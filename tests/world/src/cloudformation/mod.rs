//! CloudFormation's side of the custom-resource protocol, with its exact rules.
//!
//! Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-requests.html>,
//! <https://github.com/aws/aws-cdk/blob/main/docs/CLOUDFORMATION.md> and, for asynchronous invocations,
//! <https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html>.
//!
//! 1. [`Stack`] is what CloudFormation knows of a stack. [`Engine`] creates, updates, rolls back and deletes
//!    it.
//! 2. A request is an asynchronous event: delivered at least once, attempted three times, and dropped when it
//!    is too old.
//! 3. A request has to be answered once and in time, otherwise it counts as failed. A later answer is
//!    refused.
//! 4. [`Habits`] names the behavior of CloudFormation that is not documented, and tests try each form.

pub(crate) mod answers;
mod create;
mod delete;
mod engine;
mod forge;
mod lambda;
mod stack;
mod template;
mod update;
mod waiter;

pub use answers::{Answer, AnswerDesk};
pub use engine::{Engine, Habits, LambdaSettings};
pub use forge::{Forgery, Way};
pub use lambda::{Delivery, FunctionHost, Hosted, Redelivered};
pub use stack::{Orphan, Stack, StackResource, Status};
pub use template::{DeletionPolicy, ResourceDefinition, Template};
