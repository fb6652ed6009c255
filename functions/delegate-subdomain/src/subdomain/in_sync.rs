//! Waits until the changes of a request are INSYNC. The wait begins in the attempt that made the change, and
//! may end in a later one. The change id is remembered, because a request must not continue while its change
//! may not be INSYNC.

use super::{access::Access, memory::Memory, task::Task};
use crate::error::Error;
use custom_resource::{Invocation, Request, Step, Wait};
use dns_check::Transport;
use hosted_zones::{ChangeId, ChangeState};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::time::Duration;

/// The pause between two polls of a wait that continues in a later attempt.
const PAUSE: Duration = Duration::from_secs(20);

/// Changes that are not INSYNC yet.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct Pending {
    pub(super) changes: Vec<Submitted>,
    /// What the request remembers when they are INSYNC.
    pub(super) then: Memory,
}

/// A change that was accepted.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct Submitted {
    pub(super) by: Hand,
    pub(super) change: ChangeId,
}

/// The permissions with which a change was made and may be polled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(super) enum Hand {
    /// The function's own.
    Own,
    /// Those that the account of the parent zone grants.
    Parents,
}

impl Pending {
    /// Returns the object of the wait.
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

/// Returns the wait for pending changes, or none if there are none.
pub(super) fn wait(memory: &Memory) -> Option<Step> {
    let pending = memory.pending.as_ref()?;
    Some(Step::Wait(Wait {
        waiting_for: pending.waiting_for(),
        retry_after: PAUSE,
        progress: json!(memory),
    }))
}

/// Polls the changes of an earlier attempt once, before anything else is read. Returns the wait for those
/// that are still pending. If there are none, the memory is as the plan wanted it.
///
/// A Delete that has lost its permission in the parent forgets the change, and what it would have remembered.
/// It then has to find out over DNS whether the delegation still exists.
///
/// # Errors
///
/// A change cannot be polled.
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
