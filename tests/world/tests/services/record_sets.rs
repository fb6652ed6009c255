use aws_sdk_route53::Client;
use aws_sdk_route53::types::{
    Change, ChangeAction, ChangeBatch, ResourceRecord, ResourceRecordSet, RrType,
};
use tokio::time::{Duration, sleep};
use world::{Edit, Guardrail, Name, World};

use crate::{ACCOUNT, OTHER, person, world};

fn change(action: ChangeAction, name: &str, kind: &RrType, ttl: i64, values: &[&str]) -> Change {
    let records = values
        .iter()
        .map(|value| ResourceRecord::builder().value(*value).build().unwrap());
    let set = ResourceRecordSet::builder()
        .name(name)
        .r#type(kind.clone())
        .ttl(ttl)
        .set_resource_records(Some(records.collect()))
        .build()
        .unwrap();
    Change::builder()
        .action(action)
        .resource_record_set(set)
        .build()
        .unwrap()
}

/// Sends a batch, and returns the message of an error.
async fn send(client: &Client, zone: &str, changes: Vec<Change>) -> Result<String, String> {
    let batch = ChangeBatch::builder()
        .set_changes(Some(changes))
        .build()
        .unwrap();
    client
        .change_resource_record_sets()
        .hosted_zone_id(zone)
        .change_batch(batch)
        .send()
        .await
        .map(|answer| answer.change_info().unwrap().id().to_owned())
        .map_err(|error| {
            let error = error.into_service_error();
            let meta = error.meta();
            format!(
                "{}: {}",
                meta.code().unwrap_or(""),
                meta.message().unwrap_or("")
            )
        })
}

fn refused(result: Result<String, String>, words: &str) {
    let error = result.expect_err(words);
    assert!(error.contains(words), "{error}");
}

fn setup(world: &World) -> (Client, String) {
    let zone = world.make_zone(ACCOUNT, "x.org").unwrap();
    (Client::new(&person(world, ACCOUNT)), zone)
}

#[tokio::test(start_paused = true)]
async fn create_and_delete_are_exact_and_atomic() {
    use ChangeAction::{Create, Delete};
    let world = world(|_| {});
    let (client, zone) = setup(&world);
    let txt = RrType::Txt;
    let a = |action, ttl, values: &[&str]| change(action, "a.x.org", &txt, ttl, values);
    send(&client, &zone, vec![a(Create, 60, &["\"1\"", "\"2\""])])
        .await
        .unwrap();
    refused(
        send(&client, &zone, vec![a(Create, 60, &["\"1\""])]).await,
        "InvalidChangeBatch: [Tried to create resource record set [name='a.x.org.', type='TXT'] but it already exists]",
    );
    refused(
        send(&client, &zone, vec![a(Delete, 61, &["\"1\"", "\"2\""])]).await,
        "do not match",
    );
    refused(
        send(
            &client,
            &zone,
            vec![change(Delete, "b.x.org", &txt, 1, &["\"1\""])],
        )
        .await,
        "was not found",
    );
    // A replacement in one batch, and nothing of a batch that fails.
    let swap = vec![
        a(Delete, 60, &["\"2\"", "\"1\""]),
        a(Create, 61, &["\"3\""]),
    ];
    send(&client, &zone, swap).await.unwrap();
    let half = vec![a(Delete, 61, &["\"3\""]), a(Delete, 61, &["\"3\""])];
    assert!(send(&client, &zone, half).await.is_err());
    assert_eq!(
        world.record_set(&zone, "a.x.org", "TXT").unwrap().values,
        ["\"3\""]
    );
}

#[tokio::test(start_paused = true)]
async fn each_zone_has_a_bucket_for_changes() {
    let world = world(|settings| {
        settings.throttling = true;
        settings.rates.changes = (2.0, 1.0);
    });
    let (client, zone) = setup(&world);
    let other = world.make_zone(ACCOUNT, "y.org").unwrap();
    let create = |name: &str| change(ChangeAction::Create, name, &RrType::A, 60, &["192.0.2.1"]);
    let two = vec![create("a.x.org"), create("b.x.org")];
    send(&client, &zone, two).await.unwrap();
    let one = || vec![create("c.x.org")];
    refused(
        send(&client, &zone, one()).await,
        "Throttling: Rate exceeded",
    );
    send(&client, &other, vec![create("a.y.org")])
        .await
        .unwrap();
    sleep(Duration::from_secs(1)).await;
    send(&client, &zone, one()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn record_sets_that_a_zone_cannot_have_are_refused() {
    use ChangeAction::{Create, Delete};
    let world = world(|_| {});
    let (client, zone) = setup(&world);
    let one = async |change| send(&client, &zone, vec![change]).await;
    refused(
        one(change(Create, "x.net", &RrType::A, 1, &["192.0.2.1"])).await,
        "not permitted in zone",
    );
    refused(
        one(change(Create, "x.org", &RrType::Cname, 1, &["a.b"])).await,
        "not permitted",
    );
    one(change(Create, "c.x.org", &RrType::Cname, 1, &["a.b"]))
        .await
        .unwrap();
    refused(
        one(change(Create, "c.x.org", &RrType::A, 1, &["192.0.2.1"])).await,
        "conflicts",
    );
    refused(
        one(change(Create, "d.x.org", &RrType::A, 1, &["nonsense"])).await,
        "Invalid Resource Record",
    );
    let ns = world.record_set(&zone, "x.org", "NS").unwrap();
    let values: Vec<&str> = ns.values.iter().map(String::as_str).collect();
    refused(
        one(change(Delete, "x.org", &RrType::Ns, 172_800, &values)).await,
        "at least one NS record",
    );
}

#[tokio::test(start_paused = true)]
async fn record_sets_are_listed_in_order_from_any_name_in_pages() {
    let world = world(|settings| settings.page_size = 2);
    let (client, zone) = setup(&world);
    let names = ["*.x.org", "b.x.org", "a.b.x.org", "b-c.x.org", "_v.b.x.org"];
    let edits: Vec<Edit> = names
        .iter()
        .map(|name| Edit::create(name, "A", 60, &["192.0.2.1"]))
        .collect();
    world.edit_records(&zone, &edits).unwrap();
    let mut found = Vec::new();
    let mut call = client.list_resource_record_sets().hosted_zone_id(&zone);
    loop {
        let page = call.send().await.unwrap();
        let sets = page.resource_record_sets();
        found.extend(
            sets.iter()
                .map(|set| format!("{} {}", set.name(), set.r#type())),
        );
        if !page.is_truncated() {
            break;
        }
        call = client
            .list_resource_record_sets()
            .hosted_zone_id(&zone)
            .set_start_record_name(page.next_record_name().map(Into::into))
            .set_start_record_type(page.next_record_type().cloned());
    }
    assert_eq!(
        found,
        [
            "x.org. NS",
            "x.org. SOA",
            "\\052.x.org. A",
            "b-c.x.org. A",
            "b.x.org. A",
            "_v.b.x.org. A",
            "a.b.x.org. A"
        ]
    );
    let from = client
        .list_resource_record_sets()
        .hosted_zone_id(&zone)
        .start_record_name("B.x.org")
        .max_items(1)
        .send()
        .await
        .unwrap();
    assert_eq!(from.resource_record_sets()[0].name(), "b.x.org.");
}

#[tokio::test(start_paused = true)]
async fn a_guardrail_is_named_in_its_refusal() {
    use ChangeAction::{Create, Delete};
    let world = world(|settings| settings.guardrails = Guardrail::ALL.into());
    let (client, zone) = setup(&world);
    let ns = |action, values: &[&str]| change(action, "c.x.org", &RrType::Ns, 60, values);
    let one = async |change| send(&client, &zone, vec![change]).await;
    refused(
        one(ns(Create, &["ns-9999.awsdns-00.com"])).await,
        "NS_FORMAT_CHECK",
    );
    let child = world.make_zone(OTHER, "c.x.org").unwrap();
    let hosts = world.zone(&child).unwrap().hosts();
    let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
    refused(
        one(ns(Create, &hosts)).await,
        "NS_DELEGATION_AUTHORITY_CHECK",
    );
    sleep(Duration::from_secs(31)).await;
    let below = Edit::create("a.c.x.org", "A", 60, &["192.0.2.1"]);
    world.edit_records(&zone, &[below]).unwrap();
    refused(one(ns(Create, &hosts)).await, "NS_OCCLUSION_CHECK");
    world
        .edit_records(&zone, &[Edit::delete("a.c.x.org", "A")])
        .unwrap();
    one(ns(Create, &hosts)).await.unwrap();
    refused(
        one(change(Create, "a.c.x.org", &RrType::A, 60, &["192.0.2.1"])).await,
        "NS_OCCLUSION_CHECK",
    );
    let until = world.now() + Duration::from_secs(60);
    world
        .edit_zone(&zone, |zone| {
            zone.followed_until.insert(Name::of("c.x.org"), until);
        })
        .unwrap();
    refused(one(ns(Delete, &hosts)).await, "ACTIVE_DELEGATION_CHECK");
    sleep(Duration::from_secs(60)).await;
    one(ns(Delete, &hosts)).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_protection_refuses_every_change_of_its_record_set() {
    let world = world(|_| {});
    let (client, zone) = setup(&world);
    world
        .edit_zone(&zone, |zone| {
            let key = (Name::of("a.x.org"), "A".to_owned());
            zone.protections.insert(key, "protected by hand".into());
        })
        .unwrap();
    let create = change(
        ChangeAction::Create,
        "a.x.org",
        &RrType::A,
        1,
        &["192.0.2.1"],
    );
    refused(
        send(&client, &zone, vec![create]).await,
        "protected by hand",
    );
}

#[tokio::test(start_paused = true)]
async fn an_upsert_and_a_dangling_delegation_are_violations() {
    let world = world(|_| {});
    let zone = world.make_zone(ACCOUNT, "x.org").unwrap();
    let edits = [Edit::create("c.x.org", "NS", 60, &["ns.example.net"])];
    world.edit_records(&zone, &edits).unwrap();
    assert_eq!(world.violations(), []);
    let client = Client::new(&crate::function(&world, 1));
    let values = ["ns-1.awsdns-00.com"];
    let upsert = change(ChangeAction::Upsert, "c.x.org", &RrType::Ns, 60, &values);
    send(&client, &zone, vec![upsert]).await.unwrap();
    let seen: Vec<String> = world.violations().into_iter().map(|v| v.what).collect();
    assert_eq!(seen.len(), 3, "{seen:#?}");
    assert!(seen[0].contains("UPSERT"));
    assert!(seen[1].contains("wrote it"));
    assert!(seen[2].contains("the attacker's"));
}
