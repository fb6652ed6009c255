//! Conditions of policy statements.
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html>
//! and, for keys with many values,
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html>.

use std::collections::BTreeMap;

use serde_json::Value;

use super::pattern::{arn_like, like};

/// The context of a request: condition keys in lower case, each with its values.
#[derive(Clone, Debug, Default)]
pub(crate) struct Context(BTreeMap<String, Vec<String>>);

impl Context {
    pub(crate) fn set(&mut self, key: &str, values: impl IntoIterator<Item = String>) {
        self.0
            .insert(key.to_lowercase(), values.into_iter().collect());
    }

    fn get(&self, key: &str) -> Option<&[String]> {
        self.0.get(&key.to_lowercase()).map(Vec::as_slice)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Quantifier {
    Single,
    ForAllValues,
    ForAnyValue,
}

/// One operator with one key and the values of the policy.
#[derive(Clone, Debug)]
pub(crate) struct Condition {
    quantifier: Quantifier,
    operator: String,
    if_exists: bool,
    key: String,
    values: Vec<String>,
}

/// Returns the text of one or several JSON scalars.
pub(crate) fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(values) => values.iter().flat_map(texts).collect(),
        Value::String(text) => vec![text.clone()],
        Value::Null => Vec::new(),
        other => vec![other.to_string()],
    }
}

impl Condition {
    /// Parses a `Condition` block.
    ///
    /// # Errors Names an operator that this evaluator does not know, so that no policy is evaluated in part.
    pub(crate) fn parse_block(block: &Value) -> Result<Vec<Self>, String> {
        let Some(operators) = block.as_object() else {
            return Ok(Vec::new());
        };
        let mut conditions = Vec::new();
        for (name, keys) in operators {
            let (quantifier, operator) = match name.split_once(':') {
                Some(("ForAllValues", operator)) => (Quantifier::ForAllValues, operator),
                Some(("ForAnyValue", operator)) => (Quantifier::ForAnyValue, operator),
                _ => (Quantifier::Single, name.as_str()),
            };
            let (operator, if_exists) = match operator.strip_suffix("IfExists") {
                Some(operator) => (operator, true),
                None => (operator, false),
            };
            if !matches!(
                operator,
                "StringEquals"
                    | "StringNotEquals"
                    | "StringEqualsIgnoreCase"
                    | "StringLike"
                    | "StringNotLike"
                    | "ArnEquals"
                    | "ArnLike"
                    | "ArnNotEquals"
                    | "ArnNotLike"
                    | "Bool"
                    | "Null"
            ) {
                return Err(format!("condition operator {name} is not modelled"));
            }
            for (key, values) in keys.as_object().ok_or("a condition is not a map")? {
                conditions.push(Self {
                    quantifier,
                    operator: operator.to_owned(),
                    if_exists,
                    key: key.clone(),
                    values: texts(values),
                });
            }
        }
        Ok(conditions)
    }

    fn negated(&self) -> bool {
        self.operator.contains("Not")
    }

    /// Returns whether one value of the request matches one of the policy's, or none of them for a negated
    /// operator.
    fn fits(&self, actual: &str) -> bool {
        let any = self
            .values
            .iter()
            .any(|wanted| match self.operator.as_str() {
                "StringEquals" | "StringNotEquals" => wanted == actual,
                "StringEqualsIgnoreCase" | "Bool" => wanted.eq_ignore_ascii_case(actual),
                "StringLike" | "StringNotLike" => like(wanted, actual),
                _ => arn_like(wanted, actual),
            });
        any != self.negated()
    }

    pub(crate) fn holds(&self, context: &Context) -> bool {
        let actual = context.get(&self.key);
        if self.operator == "Null" {
            let wants_missing = self.values.iter().any(|value| value == "true");
            return actual.is_none_or(<[String]>::is_empty) == wants_missing;
        }
        let Some(actual) = actual.filter(|values| !values.is_empty()) else {
            // If the key is missing, ForAllValues and negated operators are true, all others false.
            return self.if_exists
                || match self.quantifier {
                    Quantifier::ForAllValues => true,
                    Quantifier::ForAnyValue => false,
                    Quantifier::Single => self.negated(),
                };
        };
        match self.quantifier {
            Quantifier::Single => actual.len() == 1 && self.fits(&actual[0]),
            Quantifier::ForAllValues => actual.iter().all(|value| self.fits(value)),
            Quantifier::ForAnyValue => actual.iter().any(|value| self.fits(value)),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn holds(block: &Value, context: &[(&str, &[&str])]) -> bool {
        let mut request = Context::default();
        for (key, values) in context {
            request.set(key, values.iter().map(|value| (*value).to_owned()));
        }
        Condition::parse_block(block)
            .unwrap()
            .iter()
            .all(|condition| condition.holds(&request))
    }

    #[test]
    fn for_all_values_is_true_if_the_key_is_missing_and_null_prevents_that() {
        let all = json!({"ForAllValues:StringEquals": {"k": ["a", "b"]}});
        assert!(holds(&all, &[]));
        assert!(holds(&all, &[("K", &["a", "b"])]));
        assert!(!holds(&all, &[("k", &["a", "c"])]));
        let both = json!({"ForAllValues:StringEquals": {"k": ["a"]}, "Null": {"k": "false"}});
        assert!(!holds(&both, &[]));
        assert!(holds(&both, &[("k", &["a"])]));
        assert!(holds(&json!({"Null": {"k": true}}), &[]));
    }

    #[test]
    fn single_values_negations_and_if_exists() {
        assert!(!holds(&json!({"StringEquals": {"k": "a"}}), &[]));
        assert!(holds(&json!({"StringEqualsIfExists": {"k": "a"}}), &[]));
        assert!(holds(&json!({"StringNotEquals": {"k": "a"}}), &[]));
        assert!(!holds(
            &json!({"StringNotLike": {"k": "a*"}}),
            &[("k", &["abc"])]
        ));
        assert!(holds(
            &json!({"ArnLike": {"k": "arn:aws:iam::*:role/x-*"}}),
            &[("k", &["arn:aws:iam::1:role/x-y"])]
        ));
        assert!(!holds(
            &json!({"StringEquals": {"k": "a"}}),
            &[("k", &["a", "a"])]
        ));
        assert!(holds(&json!({"Bool": {"k": "true"}}), &[("k", &["true"])]));
        assert!(holds(
            &json!({"ForAnyValue:StringLike": {"k": "o-1/*"}}),
            &[("k", &["x", "o-1/r"])]
        ));
    }

    #[test]
    fn an_operator_that_is_not_modelled_is_refused() {
        assert!(Condition::parse_block(&json!({"IpAddress": {"k": "::1"}})).is_err());
    }
}
