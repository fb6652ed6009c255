//! `Custom::PublishedZone`: a zone's id, name and name servers in SSM Parameter Store.

use crate::{
    error::{Error, LISTED},
    parameters::{Parameter, Parameters, Standing, wanted},
};
use aws_calls::{Kind, at_once};
use aws_types::SdkConfig;
use custom_resource::{
    Claim, Clock, Failure, Invocation, Owner, Properties, PropertyError, Request, RequestType,
    Step, Success, Wait, is_refused_id,
};
use dns_zones::{HostedZone, HostedZoneId, Route53};
use futures::join;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::time::Duration;

/// The resource type, with what it needs of the world.
#[derive(Debug)]
pub(crate) struct PublishedZones {
    route53: Route53,
    parameters: Parameters,
}

/// `Custom::PublishedZone` as the template writes it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Template {
    hosted_zone_id: String,
    parameter_prefix: String,
    #[serde(default)]
    delegations_on_delete: DelegationsOnDelete,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
enum DelegationsOnDelete {
    #[default]
    Fail,
    Ignore,
}

struct Wanted {
    zone: HostedZoneId,
    prefix: String,
    delegations_on_delete: DelegationsOnDelete,
}

/// What the second sweep of a Delete needs of the first.
#[derive(Deserialize, Serialize)]
struct Progress {
    /// Seconds since 1970.
    sweep_at: u64,
}

/// What the second sweep and the answer need: the invocation's deadline may decide when it comes.
const SWEEP: Duration = Duration::from_secs(30);

impl Wanted {
    fn parse(properties: &Properties) -> Result<Self, Error> {
        let template: Template = properties.parse()?;
        let zone = HostedZoneId::parse(&template.hosted_zone_id).map_err(|_| {
            let rule = "the id of a hosted zone, 1 to 32 of A-Z and 0-9";
            PropertyError::invalid("HostedZoneId", &json!(template.hosted_zone_id), rule)
        })?;
        let prefix = template.parameter_prefix;
        if !is_prefix(&prefix) {
            let rule = "a path such as /zone-delegation/dev: it starts with /, does not end with it, and is made of \
                        a-z, A-Z, 0-9, ., -, _ and /, in at most 14 levels and 900 characters, not below /aws or /ssm";
            return Err(PropertyError::invalid("ParameterPrefix", &json!(prefix), rule).into());
        }
        Ok(Self {
            zone,
            prefix,
            delegations_on_delete: template.delegations_on_delete,
        })
    }
}

/// The rules of SSM for names, 15 levels among them, less the level and the length of the longest of our three names
/// (<https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-parameter-name-constraints.html>).
fn is_prefix(prefix: &str) -> bool {
    let levels = prefix.strip_prefix('/').unwrap_or_default().split('/');
    let is_level = |level: &str| {
        !level.is_empty()
            && level
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b".-_".contains(&b))
    };
    let first = levels
        .clone()
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    prefix.len() <= 900
        && levels.clone().count() <= 14
        && levels.clone().all(is_level)
        && !first.starts_with("aws")
        && !first.starts_with("ssm")
}

impl PublishedZones {
    pub(crate) fn new(config: &SdkConfig) -> Self {
        Self {
            route53: Route53::new(aws_sdk_route53::Client::new(config)),
            parameters: Parameters::new(aws_sdk_ssm::Client::new(config)),
        }
    }

    pub(crate) async fn advance(
        &self,
        request: &Request,
        progress: Option<Value>,
        invocation: &Invocation,
    ) -> Result<Step, Failure> {
        let step = match request.request_type {
            RequestType::Create => self
                .publish(request, invocation)
                .await
                .map(|(success, _)| Step::Done(success)),
            RequestType::Update => self.update(request, invocation).await.map(Step::Done),
            RequestType::Delete => self.delete(request, progress.clone(), invocation).await,
        };
        step.or_else(|error| {
            // The prefix names what a Create that failed has made.
            let made = Wanted::parse(&request.properties)
                .ok()
                .map(|wanted| wanted.prefix);
            error.trouble().settle(request, invocation, progress, made)
        })
    }

    /// Publishes the zone: nothing is written before all three names are known to be free or ours. Answers what stood
    /// there before, too.
    async fn publish(
        &self,
        request: &Request,
        invocation: &Invocation,
    ) -> Result<(Success, Vec<Standing>), Error> {
        let wanted_zone = Wanted::parse(&request.properties)?;
        let (owner, prefix) = (request.owner(), &wanted_zone.prefix);
        let is_update = request.request_type == RequestType::Update;
        invocation.doing(format!("reading the zone {}", wanted_zone.zone));
        let (zone, standing) = join!(
            self.public_zone(&wanted_zone.zone),
            self.parameters.standing(&owner, prefix, is_update),
        );
        let (zone, standing) = (zone?, standing?);
        for parameter in &standing {
            let name = parameter.name.clone();
            match &parameter.claim {
                Claim::Own { .. } | Claim::Sibling { .. } => {}
                Claim::Nobody => return Err(Error::Taken { name, owner: None }),
                Claim::Foreign(owner) => {
                    return Err(Error::Taken {
                        name,
                        owner: Some(owner.clone()),
                    });
                }
            }
        }
        // A parameter that was deleted leaves no trace, so a repeat goes on with what was begun, and begins nothing.
        let is_begun = standing
            .iter()
            .any(|standing| matches!(standing.claim, Claim::Own { .. }));
        if invocation.may_be_repeat && !is_begun {
            return Err(Error::TooLate {
                prefix: prefix.clone(),
                age: invocation.clock.since(request.requested_at).as_secs(),
            });
        }
        let published = standing.iter().find_map(Standing::zone);
        if let Some(before) = published.filter(|before| *before != zone.id) {
            self.check_move(&wanted_zone, &before).await?;
        }
        invocation.doing(format!("writing the parameters under {prefix}"));
        let wanted = wanted(prefix, &zone);
        let writes = wanted.iter().map(|parameter| {
            let standing = standing
                .iter()
                .find(|standing| standing.name == parameter.name);
            self.write(&owner, prefix, parameter, standing)
        });
        at_once(writes).await?;
        let success = Success::new(prefix)
            .attribute("HostedZoneId", zone.id.as_str())
            .attribute("HostedZoneName", zone.name.as_str())
            .attribute("NameServers", zone.name_servers.to_string())
            .attribute("ParameterPrefix", prefix);
        Ok((success, standing))
    }

    /// Brings one parameter to its value. `standing` is this resource's or a sibling's.
    async fn write(
        &self,
        owner: &Owner,
        prefix: &str,
        wanted: &Parameter,
        standing: Option<&Standing>,
    ) -> Result<(), Error> {
        if let Some(standing) = standing {
            if let Claim::Sibling { logical_id, .. } = &standing.claim {
                tracing::info!(
                    name = wanted.name,
                    from = logical_id,
                    "taking over from a renamed logical id"
                );
                self.parameters
                    .take_over(standing, owner, logical_id)
                    .await?;
            }
            if standing.value != wanted.value {
                self.parameters.overwrite(wanted).await?;
            }
            return Ok(());
        }
        match self.parameters.create(wanted, owner).await {
            // Written since it was looked for, by this very call sent twice or by someone else: its tags say.
            Err(error) if error.is("ParameterAlreadyExists") => {}
            written => return Ok(written?),
        }
        let again = self.parameters.standing(owner, prefix, true).await?;
        match again.iter().find(|again| again.name == wanted.name) {
            // Overwritten only where it differs: one that a Delete removes just now would be written anew by that,
            // without tags.
            Some(again) if matches!(again.claim, Claim::Own { .. }) => {
                if again.value != wanted.value {
                    self.parameters.overwrite(wanted).await?;
                }
                Ok(())
            }
            _ => Err(Error::Taken {
                name: wanted.name.clone(),
                owner: None,
            }),
        }
    }

    async fn public_zone(&self, id: &HostedZoneId) -> Result<HostedZone, Error> {
        let zone = self
            .route53
            .zone(id)
            .await?
            .ok_or_else(|| Error::NoZone(id.clone()))?;
        if zone.private {
            return Err(Error::PrivateZone(id.clone()));
        }
        Ok(zone)
    }

    /// The same prefix is overwritten in place; another one is another id, and CloudFormation deletes the old one. What
    /// an Update that failed has published for the other properties goes.
    async fn update(&self, request: &Request, invocation: &Invocation) -> Result<Success, Error> {
        let (success, before) = self.publish(request, invocation).await?;
        let owner = request.owner();
        let prefix = &success.physical_resource_id;
        // An Update in place shows that the stack has moved on from a renaming, so nothing is to be given back any more.
        if *prefix == request.physical_id() {
            for parameter in before {
                if let Claim::Own {
                    taken_from: Some(_),
                } = parameter.claim
                {
                    self.parameters.forget_previous(&parameter.name).await?;
                }
            }
        }
        if let Ok(old) = Wanted::parse(&request.old_properties)
            && old.prefix != *prefix
            && old.prefix != request.physical_id()
        {
            let mut ours = Vec::new();
            for parameter in self.parameters.standing(&owner, &old.prefix, false).await? {
                match &parameter.claim {
                    Claim::Own { taken_from: None } => ours.push(parameter.name),
                    Claim::Own {
                        taken_from: Some(sibling),
                    } => {
                        self.parameters
                            .give_back(&parameter, &owner, sibling)
                            .await?;
                    }
                    Claim::Sibling { .. } | Claim::Foreign(_) | Claim::Nobody => {}
                }
            }
            self.parameters.delete(ours).await?;
        }
        Ok(success)
    }

    async fn delete(
        &self,
        request: &Request,
        progress: Option<Value>,
        invocation: &Invocation,
    ) -> Result<Step, Error> {
        let wanted = Wanted::parse(&request.properties);
        let id = request.physical_id();
        let done = || Ok(Step::Done(Success::new(id)));
        let rule = wanted.as_ref().map_or(DelegationsOnDelete::Fail, |wanted| {
            wanted.delegations_on_delete
        });
        if is_prefix(id) {
            self.unpublish(request, invocation, id, rule).await?;
            return done();
        }
        let Ok(wanted) = wanted else {
            // A Create with these properties was refused before it wrote anything.
            return done();
        };
        self.unpublish(request, invocation, &wanted.prefix, rule)
            .await?;
        if is_refused_id(id) {
            return done();
        }
        // No answer of the Create was ever received, so it may still run: look again when it cannot any more.
        let clock = invocation.clock;
        let progress =
            progress.and_then(|progress| serde_json::from_value::<Progress>(progress).ok());
        let (sweep_at, pause) = match progress {
            Some(Progress { sweep_at }) => (sweep_at, clock.until(Clock::moment(sweep_at))),
            None => {
                let pause = invocation.until_second_sweep(request, SWEEP);
                (Clock::seconds(clock.now() + pause), pause)
            }
        };
        if pause.is_zero() {
            return done();
        }
        Ok(Step::Wait(Wait {
            waiting_for: Wait::second_sweep(),
            retry_after: pause,
            progress: serde_json::to_value(Progress { sweep_at }).expect("a number is JSON"),
        }))
    }

    /// Deletes the parameters of a prefix that are this resource's, and gives back or spares those that are not any more.
    async fn unpublish(
        &self,
        request: &Request,
        invocation: &Invocation,
        prefix: &str,
        rule: DelegationsOnDelete,
    ) -> Result<(), Error> {
        let owner = request.owner();
        invocation.doing(format!("deleting the parameters under {prefix}"));
        let mut ours = Vec::new();
        for parameter in self.parameters.standing(&owner, prefix, true).await? {
            match &parameter.claim {
                Claim::Own { taken_from: None } => ours.push(parameter),
                Claim::Own {
                    taken_from: Some(sibling),
                } => {
                    self.parameters
                        .give_back(&parameter, &owner, sibling)
                        .await?;
                }
                Claim::Sibling {
                    taken_from_us: true,
                    ..
                } => {
                    self.parameters.forget_previous(&parameter.name).await?;
                }
                Claim::Sibling { .. } | Claim::Foreign(_) | Claim::Nobody => {
                    tracing::info!(
                        name = parameter.name,
                        "left alone: the parameter is not this resource's"
                    );
                }
            }
        }
        if rule == DelegationsOnDelete::Fail && !ours.is_empty() {
            // The parameter that says which zone may be gone, or changed, by someone else's hand.
            let published = ours
                .iter()
                .find_map(Standing::zone)
                .or_else(|| HostedZoneId::parse(request.properties.text("HostedZoneId")?).ok());
            if let Some(id) = published {
                self.check_no_delegations(prefix, &id).await?;
            }
        }
        Ok(self
            .parameters
            .delete(ours.into_iter().map(|parameter| parameter.name).collect())
            .await?)
    }

    /// Refuses to publish another zone than `before` while that one delegates to others. Nothing tells their stacks to
    /// move, and the zone goes with the update, as a rule, and every name in it.
    async fn check_move(&self, wanted: &Wanted, before: &HostedZoneId) -> Result<(), Error> {
        if wanted.delegations_on_delete == DelegationsOnDelete::Ignore {
            return Ok(());
        }
        match self.check_no_delegations(&wanted.prefix, before).await {
            // A plain template's policy has changed to the new zone by now.
            Err(Error::Aws(error)) if error.kind == Kind::Denied => {
                tracing::warn!(
                    zone = before.as_str(),
                    %error,
                    "whether the zone that was published delegates to others cannot be seen: have its owner check"
                );
                Ok(())
            }
            checked => checked,
        }
    }

    /// Refuses while record sets of the zone delegate to others: their consumers could then not even delete them.
    async fn check_no_delegations(&self, prefix: &str, id: &HostedZoneId) -> Result<(), Error> {
        match self.route53.delegations(id, LISTED + 1).await? {
            Some((name, sets)) if !sets.is_empty() => {
                Err(Error::delegates(prefix, name, id.clone(), &sets))
            }
            // A zone that is gone took its record sets with it.
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_property_is_named() {
        let refused = |properties: Value| {
            Wanted::parse(&Properties::from(properties))
                .err()
                .expect("refused")
                .to_string()
        };
        for (properties, part) in [
            (
                json!({ "ParameterPrefix": "/a" }),
                "Property HostedZoneId is missing",
            ),
            (
                json!({ "HostedZoneId": "z", "ParameterPrefix": "/a" }),
                "Property HostedZoneId is \"z\"",
            ),
            (
                json!({ "HostedZoneId": "Z1", "ParameterPrefix": "a" }),
                "Property ParameterPrefix",
            ),
            (
                json!({ "HostedZoneId": "Z1", "ParameterPrefix": "/a/" }),
                "Property ParameterPrefix",
            ),
            (
                json!({ "HostedZoneId": "Z1", "ParameterPrefix": "/aws/a" }),
                "Property ParameterPrefix",
            ),
            (
                json!({ "HostedZoneId": "Z1", "ParameterPrefix": "/" }),
                "Property ParameterPrefix",
            ),
            (
                json!({ "HostedZoneId": "Z1", "ParameterPrefix": "/a", "DelegationsOnDelete": "Delete" }),
                "Property DelegationsOnDelete",
            ),
        ] {
            let error = refused(properties);
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn a_physical_id_is_a_prefix_or_was_never_given() {
        assert!(is_prefix("/zone-delegation/dev"));
        for id in [
            "networking-dev-PublishedZone-1A2B3C",
            "refused-0123456789abcdef0123456789abcdef",
            "",
        ] {
            assert!(!is_prefix(id), "{id}");
        }
    }
}
