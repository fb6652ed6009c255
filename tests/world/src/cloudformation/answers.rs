//! The receiver of answers: a pre-signed URL for each request. S3 accepts every PUT until the URL expires,
//! and CloudFormation reads the first answer that arrives in time.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::watch;

use crate::fault::{Fault, When};
use crate::iam::principal::Hand;
use crate::world::ConnectionLost;
use crate::{Event, Timestamp, World};

/// How long a URL is valid after CloudFormation signed it.
const URL_LIFE: Duration = Duration::from_secs(7_200);

/// An answer that was accepted.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// Whether the status is `SUCCESS`.
    pub success: bool,
    /// The reason of a failure.
    pub reason: String,
    /// Its physical id.
    pub physical_id: String,
    /// The attributes for `Fn::GetAtt`.
    pub attributes: BTreeMap<String, String>,
}

/// What an answer has to repeat from its request.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) stack_id: String,
    pub(crate) request_id: String,
    pub(crate) logical_id: String,
}

struct Slot {
    asked: Asked,
    /// Whether CloudFormation waits for an answer.
    open: bool,
    expires: Timestamp,
    answer: watch::Sender<Option<Answer>>,
    /// Whether SUCCESS was answered after CloudFormation had stopped waiting.
    unread: Option<bool>,
}

/// All URLs and their answers.
#[derive(Clone)]
pub struct AnswerDesk {
    world: World,
    slots: Arc<Mutex<BTreeMap<String, Slot>>>,
}

impl fmt::Debug for AnswerDesk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AnswerDesk")
    }
}

impl AnswerDesk {
    pub(crate) fn new(world: World) -> Self {
        Self {
            world,
            slots: Arc::default(),
        }
    }

    fn slots(&self) -> MutexGuard<'_, BTreeMap<String, Slot>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens a URL for a request.
    pub(crate) fn open(&self, url: &str, asked: Asked) -> watch::Receiver<Option<Answer>> {
        let (answer, receiver) = watch::channel(None);
        let expires = self.world.now() + URL_LIFE;
        self.slots().insert(
            url.to_owned(),
            Slot {
                asked,
                open: true,
                expires,
                answer,
                unread: None,
            },
        );
        receiver
    }

    /// Whether SUCCESS was answered, where an answer was given, read or not.
    pub(crate) fn answered(&self, url: &str) -> Option<bool> {
        let slots = self.slots();
        let slot = slots.get(url)?;
        let read = slot.answer.borrow().as_ref().map(|answer| answer.success);
        read.or(slot.unread)
    }

    /// Ends CloudFormation's wait for an answer.
    pub(crate) fn close(&self, url: &str) {
        if let Some(slot) = self.slots().get_mut(url) {
            slot.open = false;
        }
    }

    /// Receives a PUT of an invocation, to which faults may apply. Returns the status of S3.
    ///
    /// # Errors A fault breaks the connection.
    pub async fn receive(
        &self,
        hand: &Hand,
        url: &str,
        body: &[u8],
    ) -> Result<u16, ConnectionLost> {
        let fault = self.world.fault_on(hand, "PUT");
        let before = fault.as_ref().is_some_and(|fault| fault.is(When::Before));
        let taken = if before {
            None
        } else {
            Some(self.take(url, body))
        };
        self.log(hand, body, taken, fault.as_ref());
        self.world.suffer(hand, fault.as_ref()).await;
        match fault {
            Some(Fault::Reset(_)) => Err(ConnectionLost),
            Some(Fault::Error(..) | Fault::Throttle) => Ok(503),
            _ => Ok(taken.map_or(503, Taken::status)),
        }
    }

    fn log(&self, hand: &Hand, body: &[u8], taken: Option<Taken>, fault: Option<&Fault>) {
        let mut state = self.world.state();
        let at = state.now;
        let target: Value = serde_json::from_slice(body).unwrap_or_default();
        let fault = fault.map_or(String::new(), |fault| format!(" [{fault:?}]"));
        state.log.push(Event {
            at,
            hand: Some(hand.clone()),
            account: String::new(),
            action: "PUT".to_owned(),
            target: format!("{} {}", target["Status"], target["PhysicalResourceId"]),
            outcome: match taken {
                None => format!("503{fault}"),
                Some(Taken::Unread) => format!("200 unread{fault}"),
                Some(taken) => format!("{}{fault}", taken.status()),
            },
        });
    }

    /// Accepts a PUT and returns the status of S3. An invalid answer is a violation.
    pub fn put(&self, url: &str, body: &[u8]) -> u16 {
        self.take(url, body).status()
    }

    fn take(&self, url: &str, body: &[u8]) -> Taken {
        let now = self.world.now();
        let mut slots = self.slots();
        let Some(slot) = slots.get_mut(url) else {
            drop(slots);
            self.world.violate("an answer went to an unknown URL");
            return Taken::Expired;
        };
        if now >= slot.expires {
            return Taken::Expired;
        }
        if !slot.open {
            if let Ok(answer) = parse(body, &slot.asked) {
                slot.unread.get_or_insert(answer.success);
            }
            return Taken::Unread;
        }
        match parse(body, &slot.asked) {
            Ok(answer) => {
                slot.open = false;
                slot.answer.send_replace(Some(answer));
                Taken::Read
            }
            Err(why) => {
                let asked = slot.asked.clone();
                drop(slots);
                self.world.violate(format!(
                    "the answer for {} {} is not valid: {why}",
                    asked.logical_id, asked.request_id
                ));
                Taken::Unread
            }
        }
    }
}

/// The result of a PUT.
#[derive(Clone, Copy)]
enum Taken {
    /// CloudFormation reads it.
    Read,
    /// S3 accepts it, and nobody reads it.
    Unread,
    /// S3 refuses it.
    Expired,
}

impl Taken {
    fn status(self) -> u16 {
        match self {
            Self::Read | Self::Unread => 200,
            Self::Expired => 403,
        }
    }
}

fn parse(body: &[u8], asked: &Asked) -> Result<Answer, String> {
    if body.len() > 4096 {
        return Err(format!("it has {} bytes", body.len()));
    }
    let body: Value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    for (name, wanted) in [
        ("StackId", &asked.stack_id),
        ("RequestId", &asked.request_id),
        ("LogicalResourceId", &asked.logical_id),
    ] {
        if text(name) != *wanted {
            return Err(format!("its {name} is {:?}", text(name)));
        }
    }
    let success = match text("Status").as_str() {
        "SUCCESS" => true,
        "FAILED" => false,
        other => return Err(format!("its Status is {other:?}")),
    };
    let physical_id = text("PhysicalResourceId");
    if physical_id.is_empty() || physical_id.len() > 1024 {
        return Err(format!("its PhysicalResourceId is {physical_id:?}"));
    }
    let reason = text("Reason");
    if !success && reason.is_empty() {
        return Err("it failed without a Reason".to_owned());
    }
    let attributes = body["Data"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, value)| match value {
            Value::String(text) => Ok((name.clone(), text.clone())),
            other => Err(format!("attribute {name} is {other}")),
        })
        .collect::<Result<_, _>>()?;
    Ok(Answer {
        success,
        reason,
        physical_id,
        attributes,
    })
}
