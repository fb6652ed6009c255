//! The wait until what a request has changed is INSYNC. It begins in the attempt that made the change, and may end in a later
//! one: its change id is remembered, because a request whose change may not be INSYNC must not continue as if it were.

use super::{access::Access, memory::Memory, task::Task};
use crate::error::Error;
use custom_resource::{Invocation, Request, Step, Wait};
use dns_check::Transport;
use hosted_zones::{ChangeId, ChangeState};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::time::Duration;

/// Between two queries of a wait that was returned.
const PAUSE: Duration = Duration::from_secs(20);

/// Changes that are not INSYNC yet.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct Pending {
    pub(super) changes: Vec<Submitted>,
    /// What the request remembers as soon as they are INSYNC.
    pub(super) then: Memory,
}

/// A change that was accepted.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct Submitted {
    pub(super) by: Hand,
    pub(super) change: ChangeId,
}

/// With whose permissions a change was made, and may be queried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(super) enum Hand {
    /// The function's own.
    Own,
    /// Those that the account of the parent zone grants.
    Parents,
}

impl Pending {
    /// What is waited for.
    pub(super) fn waiting_for(&self) -> String {
        let changes = self
            .changes
            .iter()
            .map(|submitted| submitted.change.to_string());
        let changes: Vec<_> = changes.collect();
        format!(
            "every name server of Route 53 to have the change of {}",
            changes.join(" and of ")
        )
    }
}

/// The wait for what is pending. None if nothing is.
pub(super) fn wait(memory: &Memory) -> Option<Step> {
    let pending = memory.pending.as_ref()?;
    Some(Step::Wait(Wait {
        waiting_for: pending.waiting_for(),
        retry_after: PAUSE,
        progress: json!(memory),
    }))
}

/// Queries once what an earlier attempt has changed, before anything else is read. Returns the wait for what is still pending;
/// if nothing is, the memory is as it was planned.
///
/// A Delete that lost its permission in the parent forgets the change, and what it would have remembered: it then has to
/// learn over DNS whether the delegation still exists.
///
/// # Errors
///
/// A change cannot be queried.
pub(super) async fn check<T: Transport>(
    access: &Access<T>,
    request: &Request,
    invocation: &Invocation,
    memory: &mut Memory,
) -> Result<Option<Step>, Error> {
    let Some(pending) = &memory.pending else {
        return Ok(None);
    };
    invocation.doing(format!("waiting for {}", pending.waiting_for()));
    let task = Task::of(request, memory)?;
    let mut left = Vec::new();
    for submitted in &pending.changes {
        let state = async {
            let route53 = match submitted.by {
                Hand::Own => access.route53.clone(),
                Hand::Parents => {
                    let parent = task.parent()?;
                    access.parents_route53(parent, request, invocation).await?
                }
            };
            Ok::<_, Error>(route53.change_state(&submitted.change).await?)
        };
        match state.await {
            Ok(ChangeState::InSync) => {}
            Ok(ChangeState::Pending) => left.push(submitted.clone()),
            Err(error) if error.lacks_permission() && matches!(task, Task::Remove(_)) => {
                let change = &submitted.change;
                tracing::warn!(%error, %change, "whether the change is INSYNC cannot be queried");
                memory.pending = None;
                return Ok(None);
            }
            Err(error) => return Err(error),
        }
    }
    let then = pending.then.clone();
    *memory = if left.is_empty() {
        then
    } else {
        let pending = Pending {
            changes: left,
            then,
        };
        memory.awaiting(pending)
    };
    Ok(wait(memory))
}
