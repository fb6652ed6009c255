//! The roles of the proof: those of the CDK app's synthesized stacks (cdk/test/roles.test.ts writes them),
//! each resolved for its stack.

use serde_json::Value;
use world::cloudformation::{ResourceDefinition, Stack, Template};
use world::{Resolution, Role, World};

use crate::cast::{BUILD, CONSUMER, NETWORK, PREFIX, REGION, SECOND};

/// Nested names of the proof, and their names in the app's configuration. In the app, a name below another of
/// the same consumer is an application of that one and is never granted in the delegated zone. The proof has
/// both in that zone, as two prefixes would.
const BELOW: [(&str, &str); 3] = [
    ("below", "a.dev"),
    ("far-below", "b.a.dev"),
    ("below-ops", "a.ops"),
];

/// A stack of the app or of its constructs: the roles in its template, and the label of their grants.
struct Synthesized<'a> {
    label: &'a str,
    account: &'a str,
    text: &'a str,
}

macro_rules! synthesized {
    ($label:literal, $account:ident, $file:literal) => {
        Synthesized {
            label: $label,
            account: $account,
            text: include_str!(concat!(
                "../../../../cdk/test/snapshots/roles/",
                $file,
                ".json"
            )),
        }
    };
}

const NETWORKING: Synthesized<'_> = synthesized!("networking", NETWORK, "networking");
/// The stacks of a consumer: with certificates in its own Region, with certificates elsewhere, and without
/// any. Stacks that differ only in accounts, names and Regions have the same label.
const CONSUMERS: [[Synthesized<'_>; 3]; 2] = [
    [
        synthesized!("consumer", CONSUMER, "consumer"),
        synthesized!("consumer", CONSUMER, "consumer-elsewhere"),
        synthesized!("consumer", CONSUMER, "consumer-without-certificates"),
    ],
    [
        synthesized!("consumer", SECOND, "second-consumer"),
        synthesized!("consumer", SECOND, "second-consumer-elsewhere"),
        synthesized!("consumer", SECOND, "second-consumer-without-certificates"),
    ],
];
const CERTIFICATE: Synthesized<'_> = synthesized!("certificate", CONSUMER, "certificate");

/// The additional permissions of a stack's function for a subdomain of a zone of its own account, and for one
/// that deletes its records.
const WITHIN_ACCOUNT: Synthesized<'_> =
    synthesized!("consumer", CONSUMER, "subdomain-within-account");
const WITH_RECORDS: Synthesized<'_> = synthesized!("consumer", CONSUMER, "subdomain-with-records");

/// The Region of the certificates of a consumer that has them elsewhere.
const ELSEWHERE: &str = "us-east-1";

impl<'a> Synthesized<'a> {
    /// Returns its roles for a stack, with this zone for every reference to one.
    fn roles(&self, stack_id: &str, zone: &str, prefix: &str) -> Vec<Role> {
        let mut template: Value = serde_json::from_str(&self.renamed(prefix)).expect("it is JSON");
        name_policies(&mut template);
        let mut resolution = Resolution::of_stack(self.account, REGION, stack_id);
        resolve_references(&template, &mut resolution, &role_name(stack_id), zone);
        let roles = world::roles(&template, self.account, &resolution).expect("it is modelled");
        let label = |mut role: Role| {
            let kind = if is_delegation_role(&role.arn) {
                "delegation role"
            } else {
                self.label
            };
            role.label = kind.to_owned();
            role
        };
        roles.into_values().map(label).collect()
    }

    /// Returns the same stack in another account of a consumer.
    fn of(&self, account: &'a str) -> Self {
        Self { account, ..*self }
    }

    /// Returns its text for another prefix, as the app writes it for another instance, and for nested names.
    fn renamed(&self, prefix: &str) -> String {
        let mut text = self.text.replace(
            &format!(":parameter{PREFIX}/"),
            &format!(":parameter{prefix}/"),
        );
        text = text.replace(&role_prefix(PREFIX), &role_prefix(prefix));
        for (name, nested) in BELOW {
            text = text.replace(
                &format!("\"{name}.{BUILD}\""),
                &format!("\"{nested}.{BUILD}\""),
            );
        }
        text
    }

    /// Returns its only role of a function.
    fn function_role(&self, stack_id: &str, zone: &str, prefix: &str) -> Role {
        let roles = self.roles(stack_id, zone, prefix);
        let role = roles
            .into_iter()
            .find(|role| !is_delegation_role(&role.arn));
        role.expect("each stack has one function")
    }
}

/// Names each policy after its purpose alone: another zone or Region does not make it another permission.
fn name_policies(template: &mut Value) {
    let resources = template["Resources"].as_object_mut();
    let resources = resources.expect("a template has resources");
    for (id, resource) in std::mem::take(resources) {
        let is_policy = resource["Type"] == "AWS::IAM::Policy";
        // A hash of its grants, unless it is changed in place, and one of its path, with 8 digits each.
        let end = id.find("Policy").filter(|_| is_policy);
        let end = end.map_or(id.len(), |start| start + "Policy".len());
        let before = resources.insert(id[..end].to_owned(), resource);
        assert!(before.is_none(), "two policies of one purpose: {id}");
    }
}

/// Resolves the references of roles: to themselves, to zones, and to their functions' log groups, which the
/// proof does not write.
fn resolve_references(value: &Value, resolution: &mut Resolution, role: &str, zone: &str) {
    match value {
        Value::Object(map) => {
            if let Some(id) = map.get("Ref").and_then(Value::as_str) {
                let refs = &mut resolution.refs;
                refs.entry(id.to_owned()).or_insert_with(|| zone.to_owned());
            }
            if let Some(path) = map.get("Fn::GetAtt") {
                let part = |at: usize| path[at].as_str().unwrap_or_default();
                let path = format!("{}.{}", part(0), part(1));
                resolution.attributes.insert(path, "logs".to_owned());
            }
            for (id, resource) in map {
                if resource["Type"] == "AWS::IAM::Role" {
                    resolution.refs.insert(id.clone(), role.to_owned());
                }
                resolve_references(resource, resolution, role, zone);
            }
        }
        Value::Array(items) => {
            for item in items {
                resolve_references(item, resolution, role, zone);
            }
        }
        _ => {}
    }
}

fn role_name(stack_id: &str) -> String {
    let name = stack_id.split('/').nth(1).unwrap_or_default();
    format!("{name}-function")
}

fn is_delegation_role(arn: &str) -> bool {
    arn.contains(":role/zone-delegation-")
}

/// Returns the ARN of the role of a stack's function.
pub(crate) fn function_role(account: &str, stack_id: &str, function: &str) -> String {
    let name = role_name(stack_id);
    format!("arn:aws:iam::{account}:role/zone-delegation/{function}/{name}")
}

/// Returns the prefix of the names of the delegation roles for a parameter prefix.
fn role_prefix(prefix: &str) -> String {
    let name = prefix.trim_start_matches('/').replace('/', "-");
    format!("{name}-")
}

/// Returns the ARN of a consumer's delegation role for the delegated zone.
pub(crate) fn delegation_role(account: &str) -> String {
    delegation_role_of(account, PREFIX)
}

/// Returns the ARN of a consumer's delegation role for a parameter prefix.
pub(crate) fn delegation_role_of(account: &str, prefix: &str) -> String {
    let name = role_prefix(prefix);
    format!("arn:aws:iam::{NETWORK}:role/{name}{account}")
}

/// Creates the delegation roles of all consumers for a published zone.
pub(crate) fn put_delegation_roles(world: &World, zone: &str, prefix: &str) {
    let apex = world.zone(zone).expect("it exists").name.to_string();
    let text = NETWORKING.text.replace(BUILD, apex.trim_end_matches('.'));
    let networking = Synthesized {
        text: &text,
        ..NETWORKING
    };
    for role in networking.roles("", zone, prefix) {
        if is_delegation_role(&role.arn) {
            world.put_role(role);
        }
    }
}

/// Creates the role of a stack's function from the stack's templates. A policy is named after its grants, so
/// that the policies of one template do not replace those of another (cdk/test/iam.test.ts).
pub(crate) fn deploy(world: &World, stack: &Stack, templates: &[&Template]) {
    let role = |template: &&Template| match stack.account.as_str() {
        NETWORK => publishing_role(stack, template),
        _ => Some(subdomain_role(stack, template)),
    };
    let roles = templates.iter().filter_map(role);
    if let Some(role) = roles.reduce(Role::joined_by) {
        world.put_role(role);
    }
}

fn text<'a>(definition: &'a ResourceDefinition, property: &str) -> Option<&'a str> {
    definition.properties.get(property).and_then(Value::as_str)
}

/// Returns the role of a stack that publishes. Each published zone adds its permissions, except those that
/// the app refuses to synthesize.
fn publishing_role(stack: &Stack, template: &Template) -> Option<Role> {
    template
        .values()
        .filter_map(|definition| {
            let zone = text(definition, "HostedZoneId")?;
            let prefix = text(definition, "ParameterPrefix")?;
            Some(NETWORKING.function_role(&stack.id, zone, prefix))
        })
        .reduce(Role::joined_by)
}

/// Returns the role of a stack with subdomains. A stack without subdomains is the one that has only a
/// certificate.
fn subdomain_role(stack: &Stack, template: &Template) -> Role {
    let has = |kind: &str| template.values().any(|found| found.resource_type == kind);
    let texts = |property| {
        template
            .values()
            .filter_map(move |found| text(found, property))
    };
    if !has("Custom::DelegatedSubdomain") {
        let zone = texts("HostedZoneId").next().unwrap_or_default();
        return CERTIFICATE.function_role(&stack.id, zone, PREFIX);
    }
    let [here, elsewhere, without] = CONSUMERS
        .iter()
        .find(|[here, ..]| here.account == stack.account)
        .expect("it is a consumer");
    let mut certificates = template
        .values()
        .filter(|found| found.resource_type == "Custom::SubdomainCertificate");
    let is_elsewhere = |found: &&ResourceDefinition| {
        text(found, "Region").is_some_and(|region| region == ELSEWHERE)
    };
    let is_somewhere = has("Custom::SubdomainCertificate");
    let (any_elsewhere, any_here) = (
        certificates.clone().any(|found| is_elsewhere(&found)),
        certificates.any(|found| !is_elsewhere(&found)),
    );
    let prefix = texts("ParameterPrefix").next().unwrap_or(PREFIX);
    let role = |synthesized: &Synthesized<'_>| synthesized.function_role(&stack.id, "", prefix);
    let of_subdomains = |synthesized: &Synthesized<'_>| {
        let named = with_apexes(synthesized.text, texts("Subdomain"));
        role(&Synthesized {
            text: &named,
            ..synthesized.of(&stack.account)
        })
    };
    let is_within = template
        .values()
        .any(|found| found.properties.contains_key("ParentHostedZoneId"));
    let within = is_within.then(|| role(&WITHIN_ACCOUNT.of(&stack.account)));
    let with_records = template
        .values()
        .filter(|found| text(found, "RecordsOnDelete") == Some("Delete"))
        .filter_map(|found| text(found, "Subdomain"))
        .map(|name| {
            let named = WITH_RECORDS
                .text
                .replace("\"name.*\"", &format!("\"{name}.*\""));
            let named = named.replace("\"*.name.*\"", &format!("\"*.{name}.*\""));
            let named = named.replace(CONSUMER, &stack.account);
            role(&Synthesized {
                text: &named,
                ..WITH_RECORDS.of(&stack.account)
            })
        });
    // A template of the constructs may have certificates in both Regions, each with its grants.
    [
        (any_here, here),
        (any_elsewhere, elsewhere),
        (!is_somewhere, without),
    ]
    .into_iter()
    .filter(|(has_it, _)| *has_it)
    .map(|(_, synthesized)| of_subdomains(synthesized))
    .chain(within)
    .chain(with_records)
    .reduce(Role::joined_by)
    .expect("one of them holds")
}

/// Returns the text of a synthesized stack for these subdomains, with the names of their zones unknown.
fn with_apexes<'a>(text: &str, subdomains: impl Iterator<Item = &'a str>) -> String {
    let mut template: Value = serde_json::from_str(text).expect("it is JSON");
    let names: Vec<String> = subdomains.map(|name| format!("{name}.*")).collect();
    let resources = template["Resources"].as_object_mut();
    for (id, resource) in resources.expect("a template has resources") {
        if id.contains("ApexPolicy") {
            let statement = &mut resource["Properties"]["PolicyDocument"]["Statement"][0];
            let like = &mut statement["Condition"]["ForAllValues:StringLike"];
            like["route53:ChangeResourceRecordSetsNormalizedRecordNames"] = names.clone().into();
        }
    }
    template.to_string()
}

/// Returns every role of every stack, for a stack and a zone that do not exist.
pub(crate) fn all() -> Vec<Role> {
    [&NETWORKING, &CERTIFICATE, &WITHIN_ACCOUNT, &WITH_RECORDS]
        .into_iter()
        .chain(CONSUMERS.iter().flatten())
        .flat_map(|synthesized| synthesized.roles("", "ZONE", PREFIX))
        .collect()
}
