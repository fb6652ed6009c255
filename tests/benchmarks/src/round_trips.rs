//! Counts calls, TLS handshakes and round trips of each operation of each resource type, with the release
//! binaries over HTTPS.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use world::World;
use world::cloudformation::{Engine, Stack, Status, Template};

use crate::binaries::Binaries;
use crate::scene::{self, PARENT, REGION, Scene};
use crate::wire::{ANSWER, Wire};

/// The latencies that are added to every call.
pub(crate) const LATENCIES: [Duration; 3] = [
    Duration::ZERO,
    Duration::from_millis(20),
    Duration::from_millis(100),
];

/// One operation of a resource type, at one latency.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    pub(crate) name: &'static str,
    /// The number of AWS calls, without the answer's PUT.
    pub(crate) calls: usize,
    /// The number of TLS handshakes by service.
    pub(crate) handshakes: BTreeMap<&'static str, usize>,
    /// The number of calls one after another, including the answer's PUT and polls that return PENDING.
    pub(crate) rounds: usize,
    /// The calls in order.
    pub(crate) order: String,
    /// From the event to the acceptance of the answer's PUT.
    pub(crate) wall: Duration,
    /// The same without the pauses before polls.
    pub(crate) wall_without_pauses: Duration,
}

/// Measures every operation at one latency.
///
/// # Errors
/// A binary cannot be run, or an operation fails.
pub(crate) async fn measure(
    binaries: &Path,
    scratch: &Path,
    latency: Duration,
) -> Result<Vec<Operation>, String> {
    let settings = world::Settings {
        validation_interval: Duration::from_millis(20),
        ..scene::settings()
    };
    let scene = Scene::new(World::scaled(settings, 1), 1);
    let wire = Wire::open(scene.world.clone(), latency, scratch).await;
    let wire = wire.map_err(|error| error.to_string())?;
    let host = Arc::new(Binaries::new(
        scene.world.clone(),
        wire,
        binaries.to_owned(),
    ));
    let for_engine = host.clone();
    let engine = scene.engine(|desk| {
        for_engine.wire.answers_to(desk);
        for_engine
    });
    let mut bench = Bench {
        engine,
        host,
        done: Vec::new(),
    };
    let account = scene::consumer(0);
    let published = |further: serde_json::Value| {
        let mut zone = scene.published_zone();
        zone.properties
            .extend(further.as_object().cloned().unwrap_or_default());
        ("Published".to_owned(), zone)
    };
    let zone = |further| {
        (
            "Zone".to_owned(),
            scene::subdomain(&account, "dev", &further),
        )
    };
    let certificate = |further| {
        let name = format!("app.dev.{PARENT}");
        (
            "Certificate".to_owned(),
            scene::certificate("Zone", &name, &further),
        )
    };
    let mut network = Stack::new(scene::NETWORK, REGION, "network");
    let mut stack = Stack::new(&account, REGION, "dev");
    bench
        .apply("PublishedZone create", &mut network, [published(json!({}))])
        .await?;
    let fail = json!({"DelegationsOnDelete": "Fail"});
    bench
        .apply("PublishedZone update", &mut network, [published(fail)])
        .await?;
    bench
        .apply("DelegatedSubdomain create", &mut stack, [zone(json!({}))])
        .await?;
    bench
        .apply(
            "SubdomainCertificate create",
            &mut stack,
            [zone(json!({})), certificate(json!({}))],
        )
        .await?;
    let tagged = json!({"Tags": {"team": "web"}});
    bench
        .apply(
            "SubdomainCertificate update (tags)",
            &mut stack,
            [zone(json!({})), certificate(tagged)],
        )
        .await?;
    bench
        .apply("SubdomainCertificate delete", &mut stack, [zone(json!({}))])
        .await?;
    bench
        .apply(
            "DelegatedSubdomain update (comment)",
            &mut stack,
            [zone(json!({"Comment": "web"}))],
        )
        .await?;
    let shorter = json!({"Comment": "web", "Ttl": "60"});
    bench
        .apply(
            "DelegatedSubdomain update (TTL)",
            &mut stack,
            [zone(shorter)],
        )
        .await?;
    bench
        .delete("DelegatedSubdomain delete", &mut stack)
        .await?;
    bench.delete("PublishedZone delete", &mut network).await?;
    Ok(bench.done)
}

struct Bench {
    engine: Engine,
    host: Arc<Binaries>,
    done: Vec<Operation>,
}

impl Bench {
    async fn apply<const N: usize>(
        &mut self,
        name: &'static str,
        stack: &mut Stack,
        template: [(String, world::cloudformation::ResourceDefinition); N],
    ) -> Result<(), String> {
        self.host.wire.take();
        let template = Template::from(template);
        let status = if stack.status == Status::New {
            self.engine.create(stack, &template).await
        } else {
            self.engine.update(stack, &template).await
        };
        self.note(name, stack, status == Status::Complete).await
    }

    async fn delete(&mut self, name: &'static str, stack: &mut Stack) -> Result<(), String> {
        self.host.wire.take();
        let status = self.engine.delete(stack).await;
        self.note(name, stack, status == Status::Deleted).await
    }

    async fn note(&mut self, name: &'static str, stack: &Stack, well: bool) -> Result<(), String> {
        self.engine.idle().await;
        let invoked = self.host.take_last();
        let (true, Some(invoked)) = (well, invoked) else {
            return Err(format!(
                "{name} failed: {:?} {:?}",
                stack.failures,
                self.host.take_error()
            ));
        };
        let seen = self.host.wire.take();
        let timeline = seen.timeline(invoked.begun);
        self.done.push(Operation {
            name,
            calls: timeline.calls_without(ANSWER),
            handshakes: seen.handshakes,
            rounds: timeline.rounds(),
            order: timeline.in_words(),
            wall: timeline.wall(),
            wall_without_pauses: timeline.wall_without_pauses(),
        });
        Ok(())
    }
}
