//! Templates: resources, the references in their properties, and the order that follows from them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

/// One resource of a template.
#[derive(Clone, Debug, PartialEq)]
pub struct ResourceDefinition {
    /// `Custom::...`
    pub resource_type: String,
    /// Its properties, with `Ref` and `Fn::GetAtt` to other resources of the template. May include
    /// `ServiceTimeout`.
    pub properties: Map<String, Value>,
    /// Further resources that it depends on.
    pub depends_on: Vec<String>,
    /// Its `DeletionPolicy`.
    pub deletion_policy: DeletionPolicy,
}

/// What CloudFormation does with a resource that leaves the template.
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html>
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DeletionPolicy {
    /// It sends a Delete.
    #[default]
    Delete,
    /// It sends none.
    Retain,
    /// It sends none, except in the rollback of the operation that created the resource.
    RetainExceptOnCreate,
}

impl ResourceDefinition {
    /// Creates a resource with these properties.
    ///
    /// # Panics The properties are not an object.
    pub fn new(resource_type: &str, properties: Value) -> Self {
        let Value::Object(properties) = properties else {
            panic!("properties are an object");
        };
        Self {
            resource_type: resource_type.to_owned(),
            properties,
            depends_on: Vec::new(),
            deletion_policy: DeletionPolicy::Delete,
        }
    }

    /// Returns the logical ids on which it depends.
    fn needs(&self) -> BTreeSet<String> {
        let mut needs: BTreeSet<String> = self.depends_on.iter().cloned().collect();
        for value in self.properties.values() {
            references(value, &mut needs);
        }
        needs
    }
}

/// A template: resources by logical id.
pub type Template = BTreeMap<String, ResourceDefinition>;

fn references(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            if let Some(name) = map.get("Ref").and_then(Value::as_str) {
                into.insert(name.to_owned());
            }
            if let Some(name) = map.get("Fn::GetAtt").and_then(|path| path[0].as_str()) {
                into.insert(name.to_owned());
            }
            map.values().for_each(|value| references(value, into));
        }
        Value::Array(items) => items.iter().for_each(|value| references(value, into)),
        _ => {}
    }
}

/// Returns the logical ids in waves. Each wave depends on earlier ones only.
pub(crate) fn waves(template: &Template) -> Vec<Vec<String>> {
    let mut done: BTreeSet<String> = BTreeSet::new();
    let mut waves = Vec::new();
    while done.len() < template.len() {
        let wave: Vec<String> = template
            .iter()
            .filter(|(id, _)| !done.contains(*id))
            .filter(|(_, definition)| {
                definition
                    .needs()
                    .iter()
                    .all(|needed| done.contains(needed) || !template.contains_key(needed))
            })
            .map(|(id, _)| id.clone())
            .collect();
        assert!(
            !wave.is_empty(),
            "the template's resources need one another"
        );
        done.extend(wave.iter().cloned());
        waves.push(wave);
    }
    waves
}

/// Returns a value with all scalars as text, as CloudFormation sends them.
pub(crate) fn as_text(value: &Value) -> Value {
    match value {
        Value::Bool(truth) => Value::String(truth.to_string()),
        Value::Number(number) => Value::String(number.to_string()),
        Value::Array(items) => items.iter().map(as_text).collect(),
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| (key.clone(), as_text(value)))
            .collect::<Map<_, _>>()
            .into(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn waves_follow_references() {
        let resource = |properties| ResourceDefinition::new("Custom::X", properties);
        let mut last = resource(json!({}));
        last.depends_on.push("B".into());
        let template = Template::from([
            (
                "A".into(),
                resource(json!({"Zone": {"Fn::GetAtt": ["C", "HostedZoneId"]}})),
            ),
            ("B".into(), resource(json!({"List": [{"Ref": "A"}]}))),
            (
                "C".into(),
                resource(json!({"Other": {"Ref": "AWS::Region"}})),
            ),
            ("D".into(), last),
        ]);
        assert_eq!(
            waves(&template),
            [vec!["C"], vec!["A"], vec!["B"], vec!["D"]]
        );
    }

    #[test]
    fn scalars_become_text() {
        assert_eq!(
            as_text(&json!({"a": [true, 1], "b": {"c": null}})),
            json!({"a": ["true", "1"], "b": {"c": null}})
        );
    }
}
