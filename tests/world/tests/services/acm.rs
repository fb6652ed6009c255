use aws_sdk_acm::Client;
use aws_sdk_acm::types::{
    CertificateDetail, CertificateStatus, FailureReason, Filters, KeyAlgorithm, Tag,
    ValidationMethod,
};
use tokio::time::{Duration, sleep};
use world::{Edit, World, validation_record};

use crate::{ACCOUNT, code, person, world};

const NAME: &str = "app.x.org";

fn setup() -> (World, Client, String) {
    let world = world(|settings| {
        let seconds = Duration::from_secs;
        settings.certificate_appears = seconds(3)..=seconds(3);
        settings.validation_records_appear = seconds(5)..=seconds(5);
        settings.issuance = seconds(0)..=seconds(0);
    });
    let zone = world.make_zone(ACCOUNT, "x.org").unwrap();
    world.register("x.org", &world.zone(&zone).unwrap().hosts());
    let client = Client::new(&person(&world, ACCOUNT));
    (world, client, zone)
}

async fn request(client: &Client, name: &str, token: &str) -> String {
    let answer = client
        .request_certificate()
        .domain_name(name)
        .validation_method(ValidationMethod::Dns)
        .idempotency_token(token)
        .tags(Tag::builder().key("k").value("v").build().unwrap())
        .send()
        .await
        .unwrap();
    answer.certificate_arn().unwrap().to_owned()
}

async fn describe(client: &Client, arn: &str) -> CertificateDetail {
    let answer = client.describe_certificate().certificate_arn(arn).send();
    answer.await.unwrap().certificate().unwrap().clone()
}

fn validate(world: &World, zone: &str) {
    let (name, value) = validation_record(ACCOUNT, NAME);
    let edit = Edit::create(&name, "CNAME", 300, &[&value]);
    world.edit_records(zone, &[edit]).unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_certificate_appears_gets_its_record_and_is_issued_over_dns() {
    let (world, client, zone) = setup();
    let arn = request(&client, NAME, "t").await;
    let early = client.describe_certificate().certificate_arn(&arn);
    assert_eq!(code(early.send().await), "ResourceNotFoundException");
    sleep(Duration::from_secs(4)).await;
    let options = describe(&client, &arn).await;
    assert!(
        options.domain_validation_options()[0]
            .resource_record()
            .is_none()
    );
    sleep(Duration::from_secs(5)).await;
    let detail = describe(&client, &arn).await;
    let record = detail.domain_validation_options()[0]
        .resource_record()
        .unwrap();
    assert_eq!(
        (record.name().to_owned(), record.value().to_owned()),
        validation_record(ACCOUNT, NAME)
    );
    assert_eq!(detail.status(), Some(&CertificateStatus::PendingValidation));
    validate(&world, &zone);
    sleep(Duration::from_secs(29)).await;
    let detail = describe(&client, &arn).await;
    assert_eq!(detail.status(), Some(&CertificateStatus::PendingValidation));
    sleep(Duration::from_secs(60)).await;
    let detail = describe(&client, &arn).await;
    assert_eq!(detail.status(), Some(&CertificateStatus::Issued));
}

#[tokio::test(start_paused = true)]
async fn a_certificate_stays_pending_below_a_broken_delegation_until_acm_gives_up() {
    let (world, client, zone) = setup();
    let child = world.make_zone(ACCOUNT, NAME).unwrap();
    validate(&world, &child);
    let arn = request(&client, NAME, "t").await;
    sleep(Duration::from_secs(3600)).await;
    let status = describe(&client, &arn).await.status().cloned();
    assert_eq!(status, Some(CertificateStatus::PendingValidation));
    let hosts = world.zone(&child).unwrap().hosts();
    let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
    let edit = Edit::create(NAME, "NS", 300, &hosts);
    world.edit_records(&zone, &[edit]).unwrap();
    sleep(Duration::from_secs(900)).await;
    let status = describe(&client, &arn).await.status().cloned();
    assert_eq!(status, Some(CertificateStatus::Issued));
    let lost = request(&client, "other.x.org", "u").await;
    sleep(Duration::from_secs(100 * 3600)).await;
    let status = describe(&client, &lost).await.status().cloned();
    assert_eq!(status, Some(CertificateStatus::ValidationTimedOut));
}

#[tokio::test(start_paused = true)]
async fn a_caa_record_set_of_an_ancestor_applies_and_refused_names_fail_with_their_reason() {
    let (world, client, zone) = setup();
    validate(&world, &zone);
    let caa = Edit::create("x.org", "CAA", 300, &["0 issue \"letsencrypt.org\""]);
    world.edit_records(&zone, &[caa]).unwrap();
    let arn = request(&client, NAME, "t").await;
    sleep(Duration::from_secs(120)).await;
    let detail = describe(&client, &arn).await;
    assert_eq!(detail.status(), Some(&CertificateStatus::Failed));
    assert_eq!(detail.failure_reason(), Some(&FailureReason::CaaError));
    let caa = [
        Edit::delete("x.org", "CAA"),
        Edit::create("x.org", "CAA", 300, &["0 issue \"amazontrust.com; x=y\""]),
    ];
    world.edit_records(&zone, &caa).unwrap();
    sleep(Duration::from_secs(60)).await;
    let arn = request(&client, NAME, "u").await;
    sleep(Duration::from_secs(120)).await;
    let detail = describe(&client, &arn).await;
    assert_eq!(detail.status(), Some(&CertificateStatus::Issued));
    world.refuse_name("bank.x.org", "ADDITIONAL_VERIFICATION_REQUIRED");
    let arn = request(&client, "bank.x.org", "v").await;
    sleep(Duration::from_secs(120)).await;
    let detail = describe(&client, &arn).await;
    assert_eq!(
        detail.failure_reason(),
        Some(&FailureReason::AdditionalVerificationRequired)
    );
}

#[tokio::test(start_paused = true)]
async fn a_token_is_remembered_for_an_hour_and_lists_omit_other_keys() {
    let (_world, client, _) = setup();
    let first = request(&client, NAME, "t").await;
    assert_eq!(request(&client, NAME, "t").await, first);
    sleep(Duration::from_secs(3601)).await;
    assert_ne!(request(&client, NAME, "t").await, first);
    client
        .request_certificate()
        .domain_name(NAME)
        .validation_method(ValidationMethod::Dns)
        .key_algorithm(KeyAlgorithm::EcPrime256v1)
        .send()
        .await
        .unwrap();
    sleep(Duration::from_secs(10)).await;
    let count = async |filters: Option<Filters>| {
        let call = client.list_certificates().set_includes(filters);
        let list = call.send().await.unwrap();
        list.certificate_summary_list().len()
    };
    assert_eq!(count(None).await, 2);
    let ec = Filters::builder()
        .key_types(KeyAlgorithm::EcPrime256v1)
        .build();
    assert_eq!(count(Some(ec)).await, 1);
}

#[tokio::test(start_paused = true)]
async fn a_certificate_in_use_cannot_be_deleted() {
    let (world, client, _) = setup();
    let arn = request(&client, NAME, "t").await;
    sleep(Duration::from_secs(10)).await;
    let balancer = "arn:aws:elasticloadbalancing:eu-west-1:1:loadbalancer/x";
    world
        .edit_certificate(&arn, |found| found.in_use_by = vec![balancer.to_owned()])
        .unwrap();
    assert_eq!(describe(&client, &arn).await.in_use_by(), [balancer]);
    let delete = || client.delete_certificate().certificate_arn(&arn).send();
    assert_eq!(code(delete().await), "ResourceInUseException");
    world
        .edit_certificate(&arn, |found| found.in_use_by.clear())
        .unwrap();
    let tags = client.list_tags_for_certificate().certificate_arn(&arn);
    assert_eq!(tags.send().await.unwrap().tags()[0].key(), "k");
    delete().await.unwrap();
    assert_eq!(code(delete().await), "ResourceNotFoundException");
}
