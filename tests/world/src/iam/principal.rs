//! Callers: accounts, access keys and the sessions of assumed roles.

use std::collections::BTreeMap;
use std::fmt;

use crate::time::Timestamp;

/// Who uses an access key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Hand {
    /// A person or another tool, with all permissions.
    #[default]
    Person,
    /// One invocation of a function, working for one resource of one stack.
    Function(Work),
}

/// The resource for which an invocation of a function works.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Work {
    /// The stack whose resource the function works for.
    pub stack_id: String,
    /// That resource in the template.
    pub logical_id: String,
    /// The number of the invocation in the whole world.
    pub invocation: u64,
}

impl fmt::Display for Hand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person => write!(f, "person"),
            Self::Function(work) => {
                let stack = work.stack_id.split('/').nth(1).unwrap_or(&work.stack_id);
                write!(f, "{stack}.{} #{}", work.logical_id, work.invocation)
            }
        }
    }
}

/// The caller of one request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caller {
    /// Twelve digits.
    pub account: String,
    /// `aws:PrincipalArn`: a role's ARN, even if a session of it calls. Empty for a person.
    pub principal_arn: String,
    /// `sts:RoleSessionName`, if it is a session.
    pub session_name: String,
    /// Who uses the access key.
    pub hand: Hand,
}

/// An access key that the world issued.
#[derive(Clone, Debug)]
pub(crate) struct AccessKey {
    pub(crate) caller: Caller,
    pub(crate) session_token: Option<String>,
    pub(crate) expires: Option<Timestamp>,
}

/// Credentials for an SDK client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// `AKIA...` or `ASIA...`.
    pub access_key: String,
    /// Not checked, because signatures are the SDK's own concern.
    pub secret_key: String,
    /// Only for a session's key, and checked.
    pub session_token: Option<String>,
}

/// All access keys.
#[derive(Clone, Debug, Default)]
pub(crate) struct AccessKeys {
    keys: BTreeMap<String, AccessKey>,
    made: u64,
}

impl AccessKeys {
    /// Issues a key.
    pub(crate) fn issue(&mut self, caller: Caller, expires: Option<Timestamp>) -> Credentials {
        self.made += 1;
        let session = expires.is_some();
        let prefix = if session { "ASIA" } else { "AKIA" };
        let access_key = format!("{prefix}WORLD{:011}", self.made);
        let session_token = session.then(|| format!("session-token-{:08}", self.made));
        self.keys.insert(
            access_key.clone(),
            AccessKey {
                caller,
                session_token: session_token.clone(),
                expires,
            },
        );
        Credentials {
            secret_key: format!("secret-{access_key}"),
            access_key,
            session_token,
        }
    }

    pub(crate) fn get(&self, access_key: &str) -> Option<&AccessKey> {
        self.keys.get(access_key)
    }
}
