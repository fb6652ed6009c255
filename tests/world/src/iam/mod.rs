//! IAM: roles, their trust policies, and the decision whether a call is allowed.

pub(crate) mod condition;
pub(crate) mod pattern;
pub(crate) mod policy;
pub(crate) mod principal;
pub(crate) mod template;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::time::Timestamp;
use crate::wire::answer::ServiceError;
use crate::wire::call::{Call, Service};
use condition::Context;
use policy::{Decision, Policy, Question};
use principal::{AccessKeys, Hand};

/// A role.
#[derive(Clone, Debug)]
pub struct Role {
    /// Twelve digits.
    pub account: String,
    /// Its ARN.
    pub arn: String,
    /// The name of the role in [`Grant`]s, by default its ARN.
    pub label: String,
    trust: Policy,
    policies: Vec<Policy>,
    /// Until then calls are denied: a new role takes seconds to a minute to reach every endpoint.
    pub effective_from: Timestamp,
}

impl Role {
    /// Creates a role from its policy documents.
    ///
    /// # Errors Names what this model does not know in a document.
    pub fn new(
        account: &str,
        name: &str,
        trust: &Value,
        policies: &[(String, Value)],
    ) -> Result<Self, String> {
        let arn = format!("arn:aws:iam::{account}:role/{name}");
        Ok(Self {
            account: account.to_owned(),
            label: arn.clone(),
            arn,
            trust: Policy::parse(trust, &format!("{name} trust"))?,
            policies: policies
                .iter()
                .map(|(name, document)| Policy::parse(document, name))
                .collect::<Result<_, _>>()?,
            effective_from: Timestamp::ZERO,
        })
    }

    /// Adds the policies of another role to this one's.
    pub fn joined_by(mut self, other: Self) -> Self {
        self.policies.extend(other.policies);
        self
    }

    /// Returns everything that its identity policies allow, each with its resource pattern.
    pub fn grants(&self) -> impl Iterator<Item = (Grant, &str)> {
        let statements = self.policies.iter().flat_map(|policy| &policy.statements);
        statements.flat_map(|statement| {
            statement.grants().map(|(action, place, resource)| {
                let grant = Grant {
                    role: self.label.clone(),
                    statement: statement.name.clone(),
                    action: action.to_owned(),
                    resource: place,
                };
                (grant, resource)
            })
        })
    }
}

/// One action on one resource pattern that a statement of a role allows.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Grant {
    /// The role's [`Role::label`].
    pub role: String,
    /// The statement's `Sid`, else its policy and its position in it.
    pub statement: String,
    /// The action's pattern.
    pub action: String,
    /// The position of the resource's pattern in the statement's list. The pattern itself may contain what
    /// differs between worlds.
    pub resource: usize,
}

/// The state of IAM.
#[derive(Clone, Debug, Default)]
pub(crate) struct Iam {
    pub(crate) keys: AccessKeys,
    pub(crate) roles: BTreeMap<String, Role>,
    /// Accounts and their organizations.
    pub(crate) organizations: BTreeMap<String, String>,
    /// The grants that calls needed. The proof that a policy is minimal reads them.
    pub(crate) used: BTreeSet<Grant>,
}

impl Iam {
    /// Returns the context keys of every request of this caller.
    pub(crate) fn context(&self, call: &Call) -> Context {
        let mut context = Context::default();
        let caller = &call.caller;
        context.set("aws:PrincipalAccount", [caller.account.clone()]);
        context.set("aws:RequestedRegion", [call.region.clone()]);
        if !caller.principal_arn.is_empty() {
            context.set("aws:PrincipalArn", [caller.principal_arn.clone()]);
        }
        if let Some(organization) = self.organizations.get(&caller.account) {
            context.set("aws:PrincipalOrgID", [organization.clone()]);
        }
        context
    }

    /// Checks whether the caller may do this. A person may do anything in their own account.
    ///
    /// # Errors The AccessDenied of the service.
    pub(crate) fn authorize(
        &mut self,
        call: &Call,
        now: Timestamp,
        action: &str,
        resource: &str,
        context: &Context,
    ) -> Result<(), ServiceError> {
        if call.caller.hand == Hand::Person && call.caller.principal_arn.is_empty() {
            return Ok(());
        }
        let role = self
            .roles
            .get(&call.caller.principal_arn)
            .filter(|role| role.effective_from <= now);
        let question = Question {
            action,
            resource,
            context,
        };
        let decision = role.map_or(Decision::ImplicitDeny, |role| {
            policy::decide(&role.policies, &question)
        });
        let why = match decision {
            Decision::Allowed {
                statement,
                action,
                resource,
            } => {
                let label = role.map(|role| role.label.clone());
                self.used.insert(Grant {
                    role: label.unwrap_or_default(),
                    statement,
                    action,
                    resource,
                });
                return Ok(());
            }
            Decision::ExplicitDeny(_) => "with an explicit deny in an identity-based policy",
            Decision::ImplicitDeny => "because no identity-based policy allows the action",
        };
        Err(denied(call, action, resource, why))
    }

    /// Returns the role if this caller may assume it.
    ///
    /// # Errors AccessDenied, in words that do not tell which of the two policies is missing.
    pub(crate) fn assume(
        &mut self,
        call: &Call,
        now: Timestamp,
        role_arn: &str,
        external_id: Option<&str>,
    ) -> Result<Role, ServiceError> {
        let mut context = self.context(call);
        if let Some(external_id) = external_id {
            context.set("sts:ExternalId", [external_id.to_owned()]);
        }
        self.authorize(call, now, "sts:AssumeRole", role_arn, &context)?;
        let caller = &call.caller;
        self.roles
            .get(role_arn)
            .filter(|role| role.effective_from <= now)
            .filter(|role| {
                policy::trusts(
                    &role.trust,
                    &caller.account,
                    &caller.principal_arn,
                    &context,
                )
            })
            .cloned()
            .ok_or_else(|| denied(call, "sts:AssumeRole", role_arn, ""))
    }
}

/// Returns AccessDenied in the words of the call's service.
pub(crate) fn denied(call: &Call, action: &str, resource: &str, why: &str) -> ServiceError {
    let caller = &call.caller;
    let role = caller.principal_arn.rsplit('/').next().unwrap_or_default();
    let user = format!(
        "arn:aws:sts::{}:assumed-role/{role}/{}",
        caller.account, caller.session_name
    );
    let message = format!(
        "User: {user} is not authorized to perform: {action} on resource: {resource} {why}"
    );
    match call.service {
        Service::Route53 | Service::Sts => {
            ServiceError::new(403, "AccessDenied", message.trim_end())
        }
        _ => ServiceError::bad("AccessDeniedException", message.trim_end()),
    }
}
