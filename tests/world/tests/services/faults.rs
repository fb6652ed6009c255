use aws_sdk_route53::Client;
use aws_sdk_route53::config::retry::RetryConfig;
use tokio::time::{Duration, Instant};
use world::{Fault, FaultRule, When, World};

use crate::{code, world};

fn function(world: &World) -> Client {
    let config = crate::function(world, 7).into_builder();
    Client::new(&config.retry_config(RetryConfig::disabled()).build())
}

async fn create(client: &Client, reference: &str) -> Result<(), String> {
    client
        .create_hosted_zone()
        .name("a.x.org")
        .caller_reference(reference)
        .send()
        .await
        .map(drop)
        .map_err(|error| match error.as_service_error() {
            Some(error) => error.meta().code().unwrap_or_default().to_owned(),
            None => "no answer".to_owned(),
        })
}

#[tokio::test(start_paused = true)]
async fn a_fault_occurs_before_or_after_the_effect() {
    let world = world(|_| {});
    let client = function(&world);
    let cases = [
        (Fault::unavailable(When::Before), "ServiceUnavailable", 0),
        (Fault::unavailable(When::After), "ServiceUnavailable", 1),
        (Fault::Reset(When::Before), "no answer", 0),
        (Fault::Reset(When::After), "no answer", 1),
        (Fault::Silence(When::Before), "no answer", 0),
        (Fault::Silence(When::After), "no answer", 1),
        (Fault::Throttle, "Throttling", 0),
    ];
    for (at, (fault, answer, made)) in cases.into_iter().enumerate() {
        let before = world.zones().len();
        world.inject(FaultRule::on_operation("CreateHostedZone", 1, fault));
        let result = create(&client, &at.to_string()).await;
        assert_eq!(result, Err(answer.to_owned()), "case {at}");
        assert_eq!(world.zones().len() - before, made, "case {at}");
    }
    create(&client, "last").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_death_is_notified_and_the_caller_gets_no_answer() {
    let world = world(|_| {});
    let client = function(&world);
    world.inject(FaultRule::on_call(7, 2, Fault::Kill(When::After)));
    create(&client, "1").await.unwrap();
    let death = world.death_of(7);
    tokio::select! {
        _ = create(&client, "2") => panic!("it went on"),
        () = death.notified() => {}
    }
    assert_eq!(world.zones().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn buckets_empty_and_delays_pass_in_virtual_time() {
    let world = world(|settings| settings.throttling = true);
    let client = function(&world);
    for _ in 0..50 {
        client.list_hosted_zones().send().await.unwrap();
    }
    assert_eq!(code(client.list_hosted_zones().send().await), "Throttling");
    let hour = Duration::from_secs(10);
    let rule = FaultRule::on_operation("ListHostedZones", 1, Fault::Delay(hour));
    world.inject(rule);
    tokio::time::sleep(Duration::from_secs(5)).await;
    let began = Instant::now();
    client.list_hosted_zones().send().await.unwrap();
    assert!(began.elapsed() >= hour);
}

#[tokio::test(start_paused = true)]
async fn endless_calls_are_a_violation() {
    let a_while = Duration::from_millis(1);
    let world = world(|settings| {
        settings.most_calls = 3;
        settings.latency = a_while..=a_while;
    });
    let client = function(&world);
    let mut calls = 0;
    let endless = async {
        loop {
            calls += 1;
            client.list_hosted_zones().send().await.unwrap();
        }
    };
    tokio::select! {
        biased;
        () = world.overrun() => {}
        () = endless => {}
    }
    assert_eq!(calls, 3);
}

#[tokio::test(start_paused = true)]
async fn an_unknown_operation_is_an_error_and_a_violation() {
    let world = world(|_| {});
    let client = function(&world);
    assert_eq!(
        code(client.get_hosted_zone_count().send().await),
        "UnknownOperationException"
    );
    assert!(world.violations()[0].what.contains("unknown operation"));
}

#[tokio::test]
async fn the_same_world_answers_over_a_socket() {
    let world = World::scaled(world::Settings::default(), 1000);
    let (address, server) = world::serve(world.clone()).await.unwrap();
    let config = crate::function(&world, 1).into_builder();
    let config = config
        .endpoint_url(format!("http://{address}"))
        .http_client(aws_calls::connector())
        .build();
    create(&Client::new(&config), "1").await.unwrap();
    assert_eq!(world.zones().len(), 1);
    server.abort();
}
