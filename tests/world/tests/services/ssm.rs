use std::time::Duration;

use aws_sdk_ssm::Client;
use aws_sdk_ssm::types::{ParameterType, ResourceTypeForTagging, Tag};

use crate::{ACCOUNT, OTHER, code, person, world};

fn tag(key: &str, value: &str) -> Tag {
    Tag::builder().key(key).value(value).build().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_parameter_is_created_once_overwritten_on_request_and_deleted() {
    let world = world(|_| {});
    let client = Client::new(&person(&world, ACCOUNT));
    let put = |value: &str| {
        client
            .put_parameter()
            .name("/z/id")
            .value(value)
            .r#type(ParameterType::String)
    };
    put("1").tags(tag("k", "v")).send().await.unwrap();
    assert_eq!(code(put("2").send().await), "ParameterAlreadyExists");
    let both = put("2").overwrite(true).tags(tag("k", "w"));
    assert_eq!(code(both.send().await), "ValidationException");
    let version = put("2").overwrite(true).send().await.unwrap().version();
    assert_eq!(version, 2);
    let got = client
        .get_parameters()
        .names("/z/id")
        .names("/z/none")
        .send()
        .await
        .unwrap();
    assert_eq!(got.parameters()[0].value(), Some("2"));
    assert_eq!(got.invalid_parameters(), ["/z/none"]);
    let elsewhere = Client::new(&person(&world, OTHER));
    let got = elsewhere.get_parameters().names("/z/id").send().await;
    assert_eq!(got.unwrap().invalid_parameters(), ["/z/id"]);
    let deleted = client
        .delete_parameters()
        .names("/z/id")
        .names("/z/none")
        .send()
        .await
        .unwrap();
    assert_eq!(deleted.deleted_parameters(), ["/z/id"]);
    assert_eq!(deleted.invalid_parameters(), ["/z/none"]);
}

#[tokio::test(start_paused = true)]
async fn tags_are_added_and_removed_only_on_an_existing_parameter() {
    let world = world(|_| {});
    let client = Client::new(&person(&world, ACCOUNT));
    let add = || {
        client
            .add_tags_to_resource()
            .resource_type(ResourceTypeForTagging::Parameter)
            .resource_id("/z/id")
            .tags(tag("a", "1"))
            .tags(tag("b", "2"))
            .send()
    };
    assert_eq!(code(add().await), "InvalidResourceId");
    world.write_parameter(ACCOUNT, crate::REGION, "/z/id", "1");
    add().await.unwrap();
    client
        .remove_tags_from_resource()
        .resource_type(ResourceTypeForTagging::Parameter)
        .resource_id("/z/id")
        .tag_keys("a")
        .send()
        .await
        .unwrap();
    let tags = client
        .list_tags_for_resource()
        .resource_type(ResourceTypeForTagging::Parameter)
        .resource_id("/z/id")
        .send()
        .await
        .unwrap();
    assert_eq!(tags.tag_list(), [tag("b", "2")]);
}

#[tokio::test(start_paused = true)]
async fn names_values_and_quotas_are_checked() {
    let world = world(|settings| settings.parameters = 1);
    let client = Client::new(&person(&world, ACCOUNT));
    let put = async |name: &str, value: &str| {
        let call = client.put_parameter().name(name).value(value);
        code(call.r#type(ParameterType::String).send().await)
    };
    for name in ["/aws/x", "/a//b", "/a/", "a/b", "/ä"] {
        assert_eq!(put(name, "1").await, "ValidationException", "{name}");
    }
    assert_eq!(put("/a", "").await, "ValidationException");
    world.write_parameter(ACCOUNT, crate::REGION, "/z", "1");
    assert_eq!(put("/a", "1").await, "ParameterLimitExceeded");
    let twice = client.get_parameters().names("/a").names("/a").send();
    assert_eq!(code(twice.await), "ValidationException");
}

#[tokio::test(start_paused = true)]
async fn the_name_of_a_deleted_parameter_cannot_be_used_at_once() {
    let world = world(|settings| settings.parameter_name_kept = Duration::from_secs(30));
    let client = Client::new(&person(&world, ACCOUNT));
    let put = || {
        let put = client.put_parameter().name("/z").value("1");
        put.r#type(ParameterType::String).send()
    };
    put().await.unwrap();
    client.delete_parameters().names("/z").send().await.unwrap();
    assert_eq!(code(put().await), "ParameterAlreadyExists");
    let got = client.get_parameters().names("/z").send().await.unwrap();
    assert_eq!(got.invalid_parameters(), ["/z"]);
    tokio::time::sleep(Duration::from_secs(30)).await;
    put().await.unwrap();
}
