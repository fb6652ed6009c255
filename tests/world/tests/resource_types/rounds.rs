//! The calls of each operation by rounds: calls that are sent at once, one round after another. The answer's
//! PUT does not count.
//!
//! Every call takes the same time and nothing else takes any, so calls that were sent at once are made at the
//! same moment. Each poll of a change is a round of its own, after a pause.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use world::cloudformation::ResourceDefinition;
use world::{Event, Hand};

use crate::stage::{BUILD, NETWORK, PREFIX, Stage, with};

/// Returns a stage on which AWS completes everything at once.
async fn stage() -> Stage {
    let at_once = Duration::ZERO..=Duration::ZERO;
    let latency = Duration::from_millis(100);
    Stage::set(|settings| {
        settings.latency = latency..=latency;
        settings.propagation = at_once.clone();
        settings.certificate_appears = at_once.clone();
        settings.validation_records_appear = at_once.clone();
        settings.validation_interval = Duration::from_secs(1);
        settings.issuance = at_once;
    })
    .await
}

/// The calls from now on, by rounds.
struct Rounds<'a> {
    stage: &'a Stage,
    since: usize,
}

impl<'a> Rounds<'a> {
    fn of(stage: &'a Stage) -> Self {
        let since = stage.world.log().len();
        Self { stage, since }
    }

    /// Checks that an operation had at most this many rounds, and this many calls altogether.
    fn check_budget(&mut self, most_rounds: usize, most_calls: usize) {
        let rounds = self.take();
        let calls: usize = rounds.iter().map(|round| round.split(" + ").count()).sum();
        let is_within = rounds.len() <= most_rounds && calls <= most_calls;
        assert!(is_within, "{calls} calls: {rounds:#?}");
    }

    /// Returns the calls since the last check, those of a round in alphabetical order.
    fn take(&mut self) -> Vec<String> {
        let log = self.stage.world.log();
        let mut rounds = BTreeMap::<_, Vec<&str>>::new();
        for Event {
            at, action, hand, ..
        } in &log[self.since..]
        {
            if let (Some(Hand::Function(_)), Some((_, operation))) = (hand, action.split_once(':'))
            {
                rounds.entry(at).or_default().push(operation);
            }
        }
        self.since = log.len();
        let words = rounds.into_values().map(|mut operations| {
            operations.sort_unstable();
            operations.join(" + ")
        });
        words.collect()
    }
}

#[tokio::test(start_paused = true)]
async fn the_operations_of_a_published_zone_are_within_their_budgets() {
    let stage = stage().await;
    let zone = stage.delegated_zone("dev").await;
    let published = |properties| {
        let properties_of_all = json!({"HostedZoneId": zone, "ParameterPrefix": PREFIX});
        with(
            ResourceDefinition::new("Custom::PublishedZone", properties_of_all),
            properties,
        )
    };
    let mut rounds = Rounds::of(&stage);
    let mut stack = stage.created(published(json!({}))).await;
    rounds.check_budget(2, 5);
    let fail = json!({"DelegationsOnDelete": "Fail"});
    stage.updated(&mut stack, published(fail)).await;
    rounds.check_budget(2, 5);
    let tags = json!({"Tags": {"team": "a"}});
    stage.updated(&mut stack, published(tags)).await;
    rounds.check_budget(3, 8);
    let another = stage.delegated_zone("ops").await;
    let moved = json!({"Tags": {"team": "a"}, "HostedZoneId": another});
    stage.updated(&mut stack, published(moved)).await;
    rounds.check_budget(4, 9);
    stage.deleted(&mut stack).await;
    rounds.check_budget(4, 6);
    stage.check();
}

#[tokio::test(start_paused = true)]
async fn the_operations_of_a_delegated_subdomain_are_within_their_budgets() {
    let stage = stage().await;
    stage.publish(&stage.build);
    let subdomain = |properties| {
        let role = format!("arn:aws:iam::{NETWORK}:role/delegation");
        let properties_of_all =
            json!({"Subdomain": "dev", "ParameterPrefix": PREFIX, "NetworkRoleArn": role});
        with(
            ResourceDefinition::new("Custom::DelegatedSubdomain", properties_of_all),
            properties,
        )
    };
    // The largest number of calls, and of those in the parent's account, which all consumers share.
    let mut budget = Budget::of(&stage);
    let mut stack = stage.created(subdomain(json!({}))).await;
    budget.check("create", 13, 5);
    let comment = json!({"Comment": "web"});
    stage.updated(&mut stack, subdomain(comment)).await;
    budget.check("another comment", 9, 3);
    let ttl = json!({"Comment": "web", "Ttl": "60"});
    stage.updated(&mut stack, subdomain(ttl)).await;
    budget.check("another TTL", 11, 5);
    // The CNAME of a certificate, which is deleted with the zone.
    let zone = &stack.resources[crate::stage::LOGICAL_ID].attributes["HostedZoneId"];
    let record = format!("_a.app.dev.{BUILD}");
    let cname = world::Edit::create(&record, "CNAME", 60, &["_b.x.acm-validations.aws."]);
    stage.world.edit_records(zone, &[cname]).unwrap();
    stage.deleted(&mut stack).await;
    // The drain lasts as long as the TTL before, so that it is handed over.
    budget.check("delete", 21, 4);
    stage.check();
}

/// A counter of functions' calls.
struct Budget<'a> {
    stage: &'a Stage,
    since: usize,
}

impl<'a> Budget<'a> {
    fn of(stage: &'a Stage) -> Self {
        let since = stage.world.log().len();
        Self { stage, since }
    }

    /// Checks that at most `all` calls were made since the last check, `parents` of them in the networking
    /// account.
    fn check(&mut self, what: &str, all: usize, parents: usize) {
        let log = self.stage.world.log();
        let is_call = |event: &&Event| {
            matches!(event.hand, Some(Hand::Function(_))) && event.action.contains(':')
        };
        let calls: Vec<&Event> = log[self.since..].iter().filter(is_call).collect();
        let in_parents = calls.iter().filter(|call| call.account == NETWORK).count();
        assert!(
            calls.len() <= all && in_parents <= parents,
            "{what}: {} calls, {in_parents} of the parent's\n{}",
            calls.len(),
            self.stage.history()
        );
        self.since = log.len();
    }
}

#[tokio::test(start_paused = true)]
async fn the_operations_of_a_certificate_are_within_their_budgets() {
    let stage = stage().await;
    let zone = stage.delegated_zone("dev").await;
    let certificate = |properties: Value| {
        let name = format!("app.dev.{BUILD}");
        let properties_of_all = json!({"HostedZoneId": zone, "DomainName": name});
        with(
            ResourceDefinition::new("Custom::SubdomainCertificate", properties_of_all),
            properties,
        )
    };
    let mut rounds = Rounds::of(&stage);
    let mut stack = stage.created(certificate(json!({}))).await;
    rounds.check_budget(12, 13);
    let tags = json!({"Tags": {"team": "web"}});
    stage.updated(&mut stack, certificate(tags)).await;
    rounds.check_budget(6, 10);
    stage.deleted(&mut stack).await;
    rounds.check_budget(3, 4);
    stage.check();
}
