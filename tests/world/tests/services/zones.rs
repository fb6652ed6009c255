use aws_sdk_route53::Client;
use aws_sdk_route53::types::{ChangeStatus, Tag, TagResourceType};
use tokio::time::{Duration, sleep};

use crate::{ACCOUNT, OTHER, code, person, world};

async fn create(client: &Client, name: &str, reference: &str) -> String {
    let created = client
        .create_hosted_zone()
        .name(name)
        .caller_reference(reference)
        .send()
        .await
        .unwrap();
    let id = created.hosted_zone().unwrap().id();
    id.strip_prefix("/hostedzone/").unwrap().to_owned()
}

#[tokio::test(start_paused = true)]
async fn a_new_zone_is_pending_and_has_name_servers_of_its_own() {
    let world = world(|_| {});
    let client = Client::new(&person(&world, ACCOUNT));
    let first = client
        .create_hosted_zone()
        .name("Dev.Example.com")
        .caller_reference("1")
        .send()
        .await
        .unwrap();
    let zone = first.hosted_zone().unwrap();
    assert_eq!(zone.name(), "dev.example.com.");
    let change = first.change_info().unwrap();
    assert_eq!(*change.status(), ChangeStatus::Pending);
    let status = async || {
        let change = client.get_change().id(change.id()).send().await.unwrap();
        change.change_info().unwrap().status().clone()
    };
    assert_eq!(status().await, ChangeStatus::Pending);
    sleep(Duration::from_secs(30)).await;
    assert_eq!(status().await, ChangeStatus::Insync);
    let second = create(&client, "dev.example.com", "2").await;
    let second = client.get_hosted_zone().id(second).send().await.unwrap();
    let servers = first.delegation_set().unwrap().name_servers();
    assert_eq!(servers.len(), 4);
    for server in second.delegation_set().unwrap().name_servers() {
        assert!(!servers.contains(server));
    }
    assert_eq!(world.violations(), []);
}

#[tokio::test(start_paused = true)]
async fn a_caller_reference_stays_used_after_its_zone_is_deleted() {
    let world = world(|_| {});
    let client = Client::new(&person(&world, ACCOUNT));
    let id = create(&client, "dev.example.com", "1").await;
    client.delete_hosted_zone().id(id).send().await.unwrap();
    let again = client
        .create_hosted_zone()
        .name("dev.example.com")
        .caller_reference("1");
    assert_eq!(code(again.send().await), "HostedZoneAlreadyExists");
    let elsewhere = Client::new(&person(&world, OTHER));
    create(&elsewhere, "dev.example.com", "1").await;
}

#[tokio::test(start_paused = true)]
async fn quotas_and_names_are_enforced() {
    let world = world(|settings| {
        settings.zones_per_account = 2;
        settings.name_servers_per_tld = 1;
    });
    let client = Client::new(&person(&world, ACCOUNT));
    let attempt = async |name: &str, reference: &str| {
        let call = client.create_hosted_zone().name(name);
        code(call.caller_reference(reference).send().await)
    };
    assert_eq!(attempt("com", "0").await, "InvalidDomainName");
    assert_eq!(attempt("a..com", "0").await, "InvalidDomainName");
    create(&client, "a.com", "1").await;
    assert_eq!(attempt("b.a.com", "2").await, "DelegationSetNotAvailable");
    create(&client, "b.com", "2").await;
    assert_eq!(attempt("c.com", "3").await, "TooManyHostedZones");
}

#[tokio::test(start_paused = true)]
async fn lists_have_pages_and_only_zones_of_the_account() {
    let world = world(|settings| settings.page_size = 1);
    let client = Client::new(&person(&world, ACCOUNT));
    for (name, reference) in [
        ("b.x.org", "1"),
        ("x.org", "2"),
        ("b.x.org", "3"),
        ("a.org", "4"),
    ] {
        create(&client, name, reference).await;
    }
    create(&Client::new(&person(&world, OTHER)), "c.org", "1").await;
    let mut names = Vec::new();
    let mut call = client.list_hosted_zones_by_name().dns_name("b.x.org");
    loop {
        let page = call.send().await.unwrap();
        names.extend(
            page.hosted_zones()
                .iter()
                .map(|zone| zone.name().to_owned()),
        );
        if !page.is_truncated() {
            break;
        }
        call = client
            .list_hosted_zones_by_name()
            .set_dns_name(page.next_dns_name().map(Into::into))
            .set_hosted_zone_id(page.next_hosted_zone_id().map(Into::into));
    }
    assert_eq!(names, ["b.x.org.", "b.x.org."]);
    let mut all = client.list_hosted_zones().into_paginator().send();
    let mut count = 0;
    while let Some(page) = all.next().await {
        count += page.unwrap().hosted_zones().len();
    }
    assert_eq!(count, 4);
}

#[tokio::test(start_paused = true)]
async fn another_accounts_zone_is_denied_and_a_missing_one_is_not_found() {
    let world = world(|_| {});
    let id = create(&Client::new(&person(&world, OTHER)), "x.org", "1").await;
    let client = Client::new(&person(&world, ACCOUNT));
    let get = async |id: &str| code(client.get_hosted_zone().id(id).send().await);
    assert_eq!(get(&id).await, "AccessDenied");
    assert_eq!(get("Z0").await, "NoSuchHostedZone");
    assert_eq!(
        code(client.get_change().id("C0").send().await),
        "NoSuchChange"
    );
}

#[tokio::test(start_paused = true)]
async fn a_delete_is_refused_with_hosted_zone_not_empty() {
    let world = world(|_| {});
    let client = Client::new(&person(&world, ACCOUNT));
    let id = create(&client, "x.org", "1").await;
    let delete = async || code(client.delete_hosted_zone().id(&id).send().await);
    world.edit_zone(&id, |zone| zone.signed = true).unwrap();
    assert_eq!(delete().await, "HostedZoneNotEmpty");
    let signed = client
        .get_dnssec()
        .hosted_zone_id(&id)
        .send()
        .await
        .unwrap();
    assert_eq!(signed.status().unwrap().serve_signature(), Some("SIGNING"));
    let protected = (world::Name::of("a.x.org"), "A".to_owned());
    world
        .edit_zone(&id, |zone| {
            zone.signed = false;
            zone.protections.insert(protected, "why".into());
        })
        .unwrap();
    assert_eq!(delete().await, "HostedZoneNotEmpty");
    world
        .edit_zone(&id, |zone| zone.protections.clear())
        .unwrap();
    client.delete_hosted_zone().id(&id).send().await.unwrap();
    assert_eq!(delete().await, "NoSuchHostedZone");
}

#[tokio::test(start_paused = true)]
async fn tags_and_comments_are_changed_and_listed() {
    let world = world(|_| {});
    let client = Client::new(&person(&world, ACCOUNT));
    let id = create(&client, "x.org", "1").await;
    let tag = |key: &str, value: &str| Tag::builder().key(key).value(value).build();
    client
        .change_tags_for_resource()
        .resource_type(TagResourceType::Hostedzone)
        .resource_id(&id)
        .add_tags(tag("zone-delegation:stack-id", "arn:x:1"))
        .add_tags(tag("b", "2 < 3"))
        .send()
        .await
        .unwrap();
    client
        .change_tags_for_resource()
        .resource_type(TagResourceType::Hostedzone)
        .resource_id(&id)
        .remove_tag_keys("zone-delegation:stack-id")
        .send()
        .await
        .unwrap();
    let one = client
        .list_tags_for_resource()
        .resource_type(TagResourceType::Hostedzone)
        .resource_id(&id)
        .send()
        .await
        .unwrap();
    let tags = one.resource_tag_set().unwrap().tags();
    assert_eq!(tags, [tag("b", "2 < 3")]);
    let many = client
        .list_tags_for_resources()
        .resource_type(TagResourceType::Hostedzone)
        .resource_ids(&id)
        .send()
        .await
        .unwrap();
    assert_eq!(many.resource_tag_sets()[0].tags(), tags);
    client
        .update_hosted_zone_comment()
        .id(&id)
        .comment("hello")
        .send()
        .await
        .unwrap();
    let zone = client.get_hosted_zone().id(&id).send().await.unwrap();
    let config = zone.hosted_zone().unwrap().config().unwrap();
    assert_eq!(config.comment(), Some("hello"));
}
