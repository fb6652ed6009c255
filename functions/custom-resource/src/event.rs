//! Whose event it is: CloudFormation's, or the waiter's.

use crate::{Refusal, Request, hand_over::Turn};
use serde_json::{Value, value::RawValue};
use std::{collections::BTreeMap, time::SystemTime};

/// An event, decoded.
#[derive(Debug)]
pub(crate) enum Event {
    Request(Request),
    Turn(Turn),
    /// CloudFormation's, as far as it says whose it is, but not to be served.
    Refused(Refusal),
    /// The waiter's, as far as it says whose it is, but not of this function's making.
    TurnRefused(String),
}

impl Event {
    /// Decodes what arrived at `now` at the function with this ARN.
    pub(crate) fn decode(mut event: Value, function_arn: &str, now: SystemTime) -> Self {
        match event.get_mut("Waiter").map(Value::take) {
            Some(waiter) => {
                Turn::decode(waiter, function_arn).map_or_else(Self::TurnRefused, Self::Turn)
            }
            None => Request::decode(&event, now).map_or_else(Self::Refused, Self::Request),
        }
    }
}

/// The event as a value. Where it is nested too deeply for that, its outermost members are saved: who waits for an
/// answer is among them.
pub(crate) fn parse(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| {
        serde_json::from_str::<BTreeMap<String, &RawValue>>(text)
            .unwrap_or_default()
            .into_iter()
            .map(|(name, raw)| {
                let value = serde_json::from_str::<Value>(raw.get());
                (name, value.unwrap_or_else(|_| "nested too deeply".into()))
            })
            .collect()
    })
}
