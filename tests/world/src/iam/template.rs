//! Reads roles and policies from a synthesized CloudFormation template, with its intrinsics resolved.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::Role;

/// The values of a template's intrinsics.
#[derive(Clone, Debug, Default)]
pub struct Resolution {
    /// `Ref` by logical id, parameter or pseudo parameter.
    pub refs: BTreeMap<String, String>,
    /// `Fn::GetAtt` by `LogicalId.Attribute`.
    pub attributes: BTreeMap<String, String>,
}

impl Resolution {
    /// Returns the pseudo parameters of a stack.
    pub fn of_stack(account: &str, region: &str, stack_id: &str) -> Self {
        let stack_name = stack_id.split('/').nth(1).unwrap_or(stack_id);
        let refs = [
            ("AWS::AccountId", account),
            ("AWS::Region", region),
            ("AWS::Partition", "aws"),
            ("AWS::URLSuffix", "amazonaws.com"),
            ("AWS::StackId", stack_id),
            ("AWS::StackName", stack_name),
        ];
        Self {
            refs: refs
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            attributes: BTreeMap::new(),
        }
    }

    /// Resolves every intrinsic of a value.
    ///
    /// # Errors
    /// Names what it cannot resolve.
    pub fn resolve(&self, value: &Value) -> Result<Value, String> {
        match value {
            Value::Array(items) => items.iter().map(|item| self.resolve(item)).collect(),
            Value::Object(map) if map.len() == 1 => {
                let (name, argument) = map.iter().next().expect("it has one");
                match self.intrinsic(name, argument)? {
                    Some(resolved) => Ok(resolved),
                    None => self.resolve_map(map),
                }
            }
            Value::Object(map) => self.resolve_map(map),
            other => Ok(other.clone()),
        }
    }

    fn resolve_map(&self, map: &Map<String, Value>) -> Result<Value, String> {
        map.iter()
            .map(|(key, value)| Ok((key.clone(), self.resolve(value)?)))
            .collect::<Result<Map<_, _>, String>>()
            .map(Value::Object)
    }

    fn intrinsic(&self, name: &str, argument: &Value) -> Result<Option<Value>, String> {
        let text = match name {
            "Ref" => self.reference(argument.as_str().unwrap_or_default())?,
            "Fn::GetAtt" => {
                let path = match argument {
                    Value::String(path) => path.clone(),
                    other => strings(other)?.join("."),
                };
                self.attribute(&path)?
            }
            "Fn::Join" => {
                let parts = self.resolve(&argument[1])?;
                strings(&parts)?.join(argument[0].as_str().unwrap_or_default())
            }
            "Fn::Select" => {
                let at: usize = argument[0]
                    .as_u64()
                    .map(|at| at.to_string())
                    .or_else(|| argument[0].as_str().map(ToOwned::to_owned))
                    .and_then(|at| at.parse().ok())
                    .ok_or("Fn::Select without an index")?;
                strings(&self.resolve(&argument[1])?)?
                    .get(at)
                    .cloned()
                    .ok_or("Fn::Select past the end")?
            }
            "Fn::Split" => {
                let text = self.resolve(&argument[1])?;
                let parts: Vec<Value> = text
                    .as_str()
                    .unwrap_or_default()
                    .split(argument[0].as_str().unwrap_or_default())
                    .map(Value::from)
                    .collect();
                return Ok(Some(Value::Array(parts)));
            }
            "Fn::Sub" => self.substitute(argument)?,
            _ => return Ok(None),
        };
        Ok(Some(Value::String(text)))
    }

    fn reference(&self, name: &str) -> Result<String, String> {
        self.refs
            .get(name)
            .cloned()
            .ok_or_else(|| format!("Ref {name} is not resolved"))
    }

    fn attribute(&self, path: &str) -> Result<String, String> {
        self.attributes
            .get(path)
            .cloned()
            .ok_or_else(|| format!("Fn::GetAtt {path} is not resolved"))
    }

    fn substitute(&self, argument: &Value) -> Result<String, String> {
        let (text, own) = match argument {
            Value::Array(parts) => (
                parts[0].as_str().unwrap_or_default(),
                self.resolve(&parts[1])?,
            ),
            other => (other.as_str().unwrap_or_default(), Value::Null),
        };
        let mut out = String::new();
        let mut rest = text;
        while let Some(at) = rest.find("${") {
            out.push_str(&rest[..at]);
            let end = rest[at..].find('}').ok_or("Fn::Sub without an end")? + at;
            let name = &rest[at + 2..end];
            match (name.strip_prefix('!'), own[name].as_str()) {
                (Some(literal), _) => out.push_str(&format!("${{{literal}}}")),
                (None, Some(value)) => out.push_str(value),
                (None, None) if name.contains('.') => out.push_str(&self.attribute(name)?),
                (None, None) => out.push_str(&self.reference(name)?),
            }
            rest = &rest[end + 1..];
        }
        out.push_str(rest);
        Ok(out)
    }
}

fn strings(value: &Value) -> Result<Vec<String>, String> {
    value
        .as_array()
        .ok_or("a list is wanted")?
        .iter()
        .map(|item| match item {
            Value::String(text) => Ok(text.clone()),
            Value::Number(number) => Ok(number.to_string()),
            other => Err(format!("{other} is no text")),
        })
        .collect()
}

/// Returns all roles of a template with their policies, by logical id.
///
/// # Errors Names what is not modelled or not resolved.
pub fn roles(
    template: &Value,
    account: &str,
    resolution: &Resolution,
) -> Result<BTreeMap<String, Role>, String> {
    let resources = template["Resources"]
        .as_object()
        .ok_or("a template without Resources")?;
    let of_type = |kind: &'static str| {
        resources
            .iter()
            .filter(move |(_, resource)| resource["Type"] == kind)
    };
    let mut roles = BTreeMap::new();
    for (logical_id, resource) in of_type("AWS::IAM::Role") {
        let properties = &resource["Properties"];
        let name = match &properties["RoleName"] {
            Value::Null => resolution.reference(logical_id)?,
            name => resolution
                .resolve(name)?
                .as_str()
                .unwrap_or_default()
                .to_owned(),
        };
        let path = properties["Path"]
            .as_str()
            .unwrap_or("/")
            .trim_start_matches('/');
        let name = format!("{path}{name}");
        let mut policies = Vec::new();
        for policy in properties["Policies"].as_array().into_iter().flatten() {
            let name = policy["PolicyName"].as_str().unwrap_or("inline");
            policies.push((
                name.to_owned(),
                resolution.resolve(&policy["PolicyDocument"])?,
            ));
        }
        for kind in ["AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"] {
            for (policy_id, policy) in of_type(kind) {
                let attached = policy["Properties"]["Roles"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .any(|role| role["Ref"] == logical_id.as_str());
                if attached {
                    let document = &policy["Properties"]["PolicyDocument"];
                    policies.push((policy_id.clone(), resolution.resolve(document)?));
                }
            }
        }
        let trust = resolution.resolve(&properties["AssumeRolePolicyDocument"])?;
        roles.insert(
            logical_id.clone(),
            Role::new(account, &name, &trust, &policies)?,
        );
    }
    Ok(roles)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn intrinsics_are_resolved() {
        let mut resolution = Resolution::of_stack("111111111111", "eu-west-1", "arn:x/net/1");
        resolution.refs.insert("Zone".into(), "Z1".into());
        resolution
            .attributes
            .insert("Role.Arn".into(), "arn:r".into());
        let resolved = resolution
            .resolve(&json!({
                "a": {"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, ":", {"Ref": "Zone"}]]},
                "b": {"Fn::Sub": "${AWS::Region}/${Role.Arn}/${!x}"},
                "c": {"Fn::Select": [1, {"Fn::Split": ["-", "a-b-c"]}]},
                "d": [{"Fn::GetAtt": ["Role", "Arn"]}],
                "e": {"Fn::Sub": ["${v}", {"v": {"Ref": "Zone"}}]},
            }))
            .unwrap();
        assert_eq!(
            resolved,
            json!({"a": "arn:aws:Z1", "b": "eu-west-1/arn:r/${x}", "c": "b", "d": ["arn:r"], "e": "Z1"})
        );
        assert!(resolution.resolve(&json!({"Ref": "Nothing"})).is_err());
    }

    #[test]
    fn policies_belong_to_the_roles_that_they_name() {
        let document = |action: &str| json!({"Statement": [{"Sid": action, "Effect": "Allow", "Action": action, "Resource": "*"}]});
        let template = json!({"Resources": {
            "R": {"Type": "AWS::IAM::Role", "Properties": {
                "RoleName": "r", "AssumeRolePolicyDocument": {"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "1"}}]},
                "Policies": [{"PolicyName": "own", "PolicyDocument": document("ssm:A")}]}},
            "P": {"Type": "AWS::IAM::Policy", "Properties": {"Roles": [{"Ref": "R"}], "PolicyDocument": document("ssm:B")}},
            "Q": {"Type": "AWS::IAM::Policy", "Properties": {"Roles": [{"Ref": "S"}], "PolicyDocument": document("ssm:C")}},
        }});
        let roles = roles(&template, "111111111111", &Resolution::default()).unwrap();
        assert_eq!(roles["R"].arn, "arn:aws:iam::111111111111:role/r");
        let granted: Vec<String> = roles["R"].grants().map(|(grant, _)| grant.action).collect();
        assert_eq!(granted, ["ssm:A", "ssm:B"]);
    }
}
