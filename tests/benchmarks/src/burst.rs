//! Deploys many stacks at once with one parent account, with Route 53's token buckets, in virtual time.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;
use tokio::task::JoinSet;
use world::cloudformation::{Stack, Status, Template};
use world::{Settings, World};

use crate::cdk_handler;
use crate::scene::{self, NETWORK, REGION, Scene};

/// The calls that a create needs in the parent's account: GetHostedZone, ListResourceRecordSets,
/// ChangeResourceRecordSets and one GetChange.
const CREATE_NEEDS: usize = 4;
/// The calls that a delete needs: ChangeResourceRecordSets, one GetChange, and a ListResourceRecordSets
/// before and after the zone's delete, which find what a redelivered Create may have created meanwhile.
const DELETE_NEEDS: usize = 4;

/// The result of a burst.
#[derive(Clone, Debug)]
pub(crate) struct Burst {
    pub(crate) stacks: usize,
    pub(crate) succeeded: usize,
    /// The time until the last stack was done.
    pub(crate) took: Duration,
    /// The number of requests to Route 53 in the parent's account.
    pub(crate) requests: usize,
    /// The number of these that were throttled.
    pub(crate) throttled: usize,
    /// The requests and throttled requests of each action.
    pub(crate) by_action: BTreeMap<String, (usize, usize)>,
    /// The time that the bucket needs for the necessary calls alone.
    pub(crate) least: Duration,
    /// Reasons of failures.
    pub(crate) failures: Vec<String>,
}

/// A burst of creates, and one of deletes.
#[derive(Clone, Debug)]
pub(crate) struct CreateAndDelete {
    pub(crate) create: Burst,
    pub(crate) delete: Burst,
}

fn settings() -> Settings {
    Settings {
        throttling: true,
        ..Settings::default()
    }
}

/// Returns the time that a full bucket of 50, with 10 more a second, needs for this many calls.
fn least(stacks: usize, needs: usize) -> Duration {
    let calls = u32::try_from(stacks * needs).expect("a few thousand");
    Duration::from_secs_f64(f64::from(calls.saturating_sub(50)) / 10.0)
}

/// Deploys with this project's function, each stack in an account of its own.
pub(crate) async fn functions(stacks: usize) -> CreateAndDelete {
    let scene = begin(stacks).await;
    let engine = scene.in_process();
    scene.publish(&engine).await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    let mut made: Vec<Stack> = Vec::new();
    for index in 0..stacks {
        made.push(Stack::new(
            &scene::consumer(index),
            REGION,
            &format!("stack-{index}"),
        ));
    }
    let mut bursts = Vec::new();
    for (needs, wanted) in [
        (CREATE_NEEDS, Status::Complete),
        (DELETE_NEEDS, Status::Deleted),
    ] {
        let look = Look::begin(&scene.world);
        let mut tasks = JoinSet::new();
        for mut stack in made.drain(..) {
            let engine = engine.clone();
            // A drain is a wait of five minutes without calls, which does not concern the bucket.
            let no_drain = json!({"DrainSeconds": 0});
            let zone = scene::subdomain(&stack.account, stack.name(), &no_drain);
            tasks.spawn(async move {
                if wanted == Status::Complete {
                    engine
                        .create(&mut stack, &Template::from([("Zone".to_owned(), zone)]))
                        .await;
                } else {
                    engine.delete(&mut stack).await;
                }
                stack
            });
        }
        made = tasks.join_all().await;
        let failures = made.iter().filter(|stack| stack.status != wanted);
        let failures = failures.flat_map(|stack| stack.failures.clone()).collect();
        let succeeded = made.iter().filter(|stack| stack.status == wanted).count();
        bursts.push(look.end(stacks, succeeded, least(stacks, needs), failures));
        engine.idle().await;
        tokio::time::sleep(Duration::from_secs(600)).await;
    }
    let delete = bursts.pop().expect("there are two");
    CreateAndDelete {
        create: bursts.pop().expect("there are two"),
        delete,
    }
}

/// Deploys with the logic of aws-cdk-lib's handler, including its retries.
pub(crate) async fn cdk(stacks: usize) -> CreateAndDelete {
    let scene = begin(stacks).await;
    let look = Look::begin(&scene.world);
    let (succeeded, failures) = cdk_burst(&scene, stacks, cdk_handler::Action::Upsert).await;
    let create = look.end(stacks, succeeded, least(stacks, 1), failures);
    // The failed ones are created one after another, so that as many can be deleted.
    scene
        .world
        .change_settings(|settings| settings.throttling = false);
    cdk_burst(&scene, stacks, cdk_handler::Action::Upsert).await;
    scene
        .world
        .change_settings(|settings| settings.throttling = true);
    tokio::time::sleep(Duration::from_secs(600)).await;
    let look = Look::begin(&scene.world);
    let (succeeded, failures) = cdk_burst(&scene, stacks, cdk_handler::Action::Delete).await;
    CreateAndDelete {
        create,
        delete: look.end(stacks, succeeded, least(stacks, 1), failures),
    }
}

async fn cdk_burst(
    scene: &Scene,
    stacks: usize,
    action: cdk_handler::Action,
) -> (usize, Vec<String>) {
    let mut tasks = JoinSet::new();
    for index in 0..stacks {
        let name = format!("s{index}.{}", scene::PARENT);
        let (world, zone) = (scene.world.clone(), scene.parent_zone.clone());
        tasks.spawn(async move { cdk_handler::run(&world, &zone, &name, action).await });
    }
    let (done, failed): (Vec<_>, Vec<_>) =
        tasks.join_all().await.into_iter().partition(Result::is_ok);
    (
        done.len(),
        failed.into_iter().filter_map(Result::err).collect(),
    )
}

async fn begin(stacks: usize) -> Scene {
    let scene = Scene::new(World::new(settings()), stacks);
    tokio::time::sleep(Duration::from_secs(60)).await;
    scene
}

/// A record of the parent's account from now on.
struct Look<'a> {
    world: &'a World,
    from: usize,
    begun: Duration,
}

impl<'a> Look<'a> {
    fn begin(world: &'a World) -> Self {
        Self {
            world,
            from: world.log().len(),
            begun: world.now(),
        }
    }

    fn end(self, stacks: usize, succeeded: usize, least: Duration, failures: Vec<String>) -> Burst {
        let log = self.world.log();
        let in_parent = log[self.from..].iter().filter(|event| {
            event.hand.is_some() && event.account == NETWORK && event.action.starts_with("route53:")
        });
        let mut by_action: BTreeMap<String, (usize, usize)> = BTreeMap::new();
        for event in in_parent {
            let action = event.action.trim_start_matches("route53:").to_owned();
            let (requests, throttled) = by_action.entry(action).or_default();
            *requests += 1;
            *throttled += usize::from(event.outcome.starts_with("Throttling"));
        }
        Burst {
            stacks,
            succeeded,
            took: self.world.now() - self.begun,
            requests: by_action.values().map(|(requests, _)| requests).sum(),
            throttled: by_action.values().map(|(_, throttled)| throttled).sum(),
            by_action,
            least,
            failures,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use world::{Fault, FaultRule};

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .expect("a runtime")
    }

    #[test]
    fn five_hundred_stacks_succeed_in_at_most_one_and_a_half_times_the_time_of_the_bucket() {
        let bursts = runtime().block_on(functions(500));
        for burst in [bursts.create, bursts.delete] {
            println!("{burst:?}");
            assert_eq!(burst.succeeded, 500, "{:?}", burst.failures.first());
            assert!(
                burst.took <= burst.least.mul_f64(1.5),
                "{:?} of {:?}",
                burst.took,
                burst.least
            );
        }
    }

    #[test]
    fn a_lone_stack_whose_first_ten_calls_are_throttled_is_done_within_a_minute() {
        runtime().block_on(async {
            let scene = begin(1).await;
            scene.publish_by_hand();
            let mut rule = FaultRule::sometimes(100, Fault::Throttle);
            rule.times = 10;
            scene.world.inject(rule);
            let mut stack = Stack::new(&scene::consumer(0), REGION, "stack-0");
            let zone = scene::subdomain(&stack.account, "dev", &json!({}));
            let template = Template::from([("Zone".to_owned(), zone)]);
            let begun = scene.world.now();
            let status = scene.in_process().create(&mut stack, &template).await;
            assert_eq!(status, Status::Complete, "{:?}", stack.failures);
            let took = scene.world.now() - begun;
            println!("{took:?}");
            assert!(took <= Duration::from_secs(60), "{took:?}");
        });
    }
}
