//! Policy documents and their decisions.
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html>.

use serde_json::Value;

use super::condition::{Condition, Context, texts};
use super::pattern::{like, like_in_any_case};

/// One statement of a policy.
#[derive(Clone, Debug)]
pub(crate) struct Statement {
    /// Its `Sid`, else its position. Proofs of minimality use the name.
    pub(crate) name: String,
    allow: bool,
    actions: Vec<String>,
    not_actions: bool,
    resources: Vec<String>,
    not_resources: bool,
    principals: Vec<String>,
    conditions: Vec<Condition>,
}

/// A policy document.
#[derive(Clone, Debug, Default)]
pub(crate) struct Policy {
    pub(crate) statements: Vec<Statement>,
}

/// A request to be decided by policies.
#[derive(Clone, Debug)]
pub(crate) struct Question<'a> {
    pub(crate) action: &'a str,
    pub(crate) resource: &'a str,
    pub(crate) context: &'a Context,
}

/// The decision of policies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Allowed by the statement of that name, by an action pattern, and by the resource pattern at a position
    /// in its list.
    Allowed {
        statement: String,
        action: String,
        resource: usize,
    },
    ExplicitDeny(String),
    ImplicitDeny,
}

impl Policy {
    /// Parses a policy document whose intrinsics are resolved.
    ///
    /// # Errors Names what this model does not know.
    pub(crate) fn parse(document: &Value, name: &str) -> Result<Self, String> {
        let statements = match &document["Statement"] {
            Value::Array(statements) => statements.clone(),
            Value::Object(_) => vec![document["Statement"].clone()],
            _ => return Err(format!("{name}: no Statement")),
        };
        let statements = statements
            .iter()
            .enumerate()
            .map(|(at, statement)| Statement::parse(statement, &format!("{name}[{at}]")))
            .collect::<Result<_, _>>()?;
        Ok(Self { statements })
    }
}

impl Statement {
    fn parse(statement: &Value, name: &str) -> Result<Self, String> {
        let known = [
            "Sid",
            "Effect",
            "Action",
            "NotAction",
            "Resource",
            "NotResource",
            "Principal",
            "Condition",
        ];
        if let Some(key) = statement
            .as_object()
            .and_then(|map| map.keys().find(|key| !known.contains(&key.as_str())))
        {
            return Err(format!("{name}: {key} is not modelled"));
        }
        let principals = match &statement["Principal"] {
            Value::Object(kinds) => kinds.values().flat_map(texts).collect(),
            other => texts(other),
        };
        let or_not = |key: &str, not: &str| match &statement[key] {
            Value::Null => (texts(&statement[not]), statement[not] != Value::Null),
            value => (texts(value), false),
        };
        let (actions, not_actions) = or_not("Action", "NotAction");
        let (resources, not_resources) = or_not("Resource", "NotResource");
        Ok(Self {
            name: statement["Sid"].as_str().unwrap_or(name).to_owned(),
            allow: match statement["Effect"].as_str() {
                Some("Allow") => true,
                Some("Deny") => false,
                other => return Err(format!("{name}: Effect {other:?}")),
            },
            actions,
            not_actions,
            resources,
            not_resources,
            principals,
            conditions: Condition::parse_block(&statement["Condition"])
                .map_err(|error| format!("{name}: {error}"))?,
        })
    }

    fn action(&self, action: &str) -> Option<&String> {
        self.actions
            .iter()
            .find(|pattern| like_in_any_case(pattern, action))
    }

    fn resource(&self, resource: &str) -> Option<usize> {
        self.resources
            .iter()
            .position(|pattern| like(pattern, resource))
    }

    /// Returns each action pattern that it allows, with the position and the text of each resource pattern.
    pub(crate) fn grants(&self) -> impl Iterator<Item = (&str, usize, &str)> {
        let actions = self.actions.iter().filter(|_| self.allow);
        actions.flat_map(|action| {
            let resources = self.resources.iter().enumerate();
            resources.map(move |(place, resource)| (action.as_str(), place, resource.as_str()))
        })
    }

    /// Returns the matching action pattern and the position of the matching resource pattern, if the whole
    /// statement matches.
    fn applies(&self, question: &Question<'_>) -> Option<(String, usize)> {
        let everything = "*".to_owned();
        let action = match (self.action(question.action), self.not_actions) {
            (Some(pattern), false) => pattern,
            (None, true) => &everything,
            _ => return None,
        };
        let resource = match (self.resource(question.resource), self.not_resources) {
            (Some(place), false) => place,
            (None, true) => 0,
            // A trust policy has no Resource: it applies to its own role.
            (None, false) if self.resources.is_empty() => 0,
            _ => return None,
        };
        self.conditions
            .iter()
            .all(|condition| condition.holds(question.context))
            .then(|| (action.clone(), resource))
    }

    fn is_for(&self, account: &str, arn: &str) -> bool {
        self.principals.iter().any(|principal| {
            principal == "*"
                || principal == account
                || principal == arn
                || principal == &format!("arn:aws:iam::{account}:root")
        })
    }
}

/// Returns the decision of identity policies.
pub(crate) fn decide<'a>(
    policies: impl IntoIterator<Item = &'a Policy>,
    question: &Question<'_>,
) -> Decision {
    let mut decision = Decision::ImplicitDeny;
    for statement in policies.into_iter().flat_map(|policy| &policy.statements) {
        if let Some((action, resource)) = statement.applies(question) {
            if !statement.allow {
                return Decision::ExplicitDeny(statement.name.clone());
            }
            if decision == Decision::ImplicitDeny {
                decision = Decision::Allowed {
                    statement: statement.name.clone(),
                    action,
                    resource,
                };
            }
        }
    }
    decision
}

/// Returns whether a trust policy lets this principal assume its role.
pub(crate) fn trusts(policy: &Policy, account: &str, arn: &str, context: &Context) -> bool {
    let question = Question {
        action: "sts:AssumeRole",
        resource: "",
        context,
    };
    let mut allowed = false;
    for statement in &policy.statements {
        if statement.is_for(account, arn) && statement.applies(&question).is_some() {
            if !statement.allow {
                return false;
            }
            allowed = true;
        }
    }
    allowed
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn ask(policy: &Value, action: &str, resource: &str) -> Decision {
        let policy = Policy::parse(policy, "p").unwrap();
        let context = Context::default();
        decide(
            [&policy],
            &Question {
                action,
                resource,
                context: &context,
            },
        )
    }

    #[test]
    fn an_explicit_deny_wins_and_no_statement_denies() {
        let policy = json!({"Statement": [
            {"Sid": "all", "Effect": "Allow", "Action": "route53:*", "Resource": "*"},
            {"Sid": "not", "Effect": "Deny", "Action": ["route53:Delete*"], "Resource": "arn:aws:route53:::hostedzone/Z1"}
        ]});
        assert!(
            matches!(ask(&policy, "route53:GetChange", "x"), Decision::Allowed { statement, .. } if statement == "all")
        );
        assert_eq!(
            ask(
                &policy,
                "route53:DeleteHostedZone",
                "arn:aws:route53:::hostedzone/Z1"
            ),
            Decision::ExplicitDeny("not".into())
        );
        assert_eq!(
            ask(&policy, "ssm:PutParameter", "x"),
            Decision::ImplicitDeny
        );
    }

    #[test]
    fn not_action_and_not_resource() {
        let policy =
            json!({"Statement": {"Effect": "Allow", "NotAction": "iam:*", "NotResource": "a*"}});
        assert!(matches!(
            ask(&policy, "ssm:X", "b"),
            Decision::Allowed { .. }
        ));
        assert_eq!(ask(&policy, "iam:X", "b"), Decision::ImplicitDeny);
        assert_eq!(ask(&policy, "ssm:X", "ab"), Decision::ImplicitDeny);
    }

    #[test]
    fn conditions_restrict_a_trust_policy() {
        let policy = Policy::parse(
            &json!({"Statement": [{
                "Effect": "Allow", "Action": "sts:AssumeRole",
                "Principal": {"AWS": "arn:aws:iam::111111111111:root"},
                "Condition": {"StringEquals": {"sts:ExternalId": "x"}}
            }]}),
            "trust",
        )
        .unwrap();
        let mut context = Context::default();
        assert!(!trusts(
            &policy,
            "111111111111",
            "arn:aws:iam::111111111111:role/f",
            &context
        ));
        context.set("sts:ExternalId", ["x".to_owned()]);
        assert!(trusts(
            &policy,
            "111111111111",
            "arn:aws:iam::111111111111:role/f",
            &context
        ));
        assert!(!trusts(
            &policy,
            "222222222222",
            "arn:aws:iam::222222222222:role/f",
            &context
        ));
    }

    #[test]
    fn an_element_that_is_not_modelled_is_refused() {
        assert!(
            Policy::parse(
                &json!({"Statement": [{"Effect": "Allow", "NotPrincipal": "*"}]}),
                "p"
            )
            .is_err()
        );
        assert!(Policy::parse(&json!({}), "p").is_err());
    }
}
