//! What the app's roles refuse, each beside what they allow: somebody with a function's credentials can do no
//! more than the function.

use aws_sdk_acm::types::ValidationMethod;
use aws_sdk_route53::types::ChangeAction::{Create, Delete, Upsert};
use aws_sdk_route53::types::RrType::{A, Cname, Ns, Txt};
use serde_json::json;
use world::cloudformation::{Stack, Status, Template};
use world::{Role, World};

use super::caller::{Caller, outcome};
use crate::cases::zone_named;
use crate::cast::{
    BUILD, CONSUMER, Cast, EXTERNAL_ID, NETWORK, PREFIX, REGION, SECOND, certificate, settings,
    subdomain, with,
};
use crate::roles::delegation_role;

/// The code of Route 53 and STS, and the code of the other services.
const DENIED: &str = "AccessDenied";
const DENIED_TOO: &str = "AccessDeniedException";

/// Returns a deployed stack of subdomains.
async fn deployed(cast: &Cast, account: &str, name: &str, template: &Template) -> Stack {
    let mut stack = Stack::new(account, REGION, name);
    let status = cast.engine.create(&mut stack, template).await;
    assert_eq!(status, Status::Complete, "{}", cast.history());
    stack
}

/// Returns a subdomain with a certificate.
fn certified(account: &str, name: &str) -> Template {
    let certificate = certificate("Zone", &format!("app.{name}.{BUILD}"));
    Template::from([
        ("Zone".to_owned(), subdomain(account, name)),
        ("Certificate".to_owned(), certificate),
    ])
}

/// Creates a role of an account with all permissions that other accounts allow.
fn put_mighty_role(world: &World, account: &str, name: &str) -> Caller {
    let trust = json!({"Statement": []});
    let all = json!({"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]});
    let role = Role::new(account, name, &trust, &[("all".to_owned(), all)]).unwrap();
    let arn = role.arn.clone();
    world.put_role(role);
    Caller::with_role(world, account, &arn)
}

#[tokio::test(start_paused = true)]
async fn a_delegation_role_is_assumed_only_by_its_consumers_functions() {
    let (cast, _network) = Cast::published(settings(1)).await;
    let world = &cast.world;
    let stack = deployed(&cast, CONSUMER, "one", &certified(CONSUMER, "dev")).await;
    let function = Caller::with_function(world, &stack, "delegate-subdomain");
    let role = delegation_role(CONSUMER);
    let refused = async |caller: &Caller, role: &str, external_id: Option<&str>| {
        let assumed = caller.assume(role, external_id).await;
        assert_eq!(assumed.err().as_deref(), Some(DENIED));
    };
    function.assume(&role, Some(EXTERNAL_ID)).await.unwrap();
    refused(&function, &role, Some("a-guess")).await;
    refused(&function, &role, None).await;
    // Refused by the caller's own policy, although the other role's trust policy would refuse it too.
    refused(&function, &delegation_role(SECOND), Some(EXTERNAL_ID)).await;
    // Refused by the role's trust policy, whatever the caller's own account allows.
    let path = "zone-delegation/delegate-subdomain";
    for (account, name) in [
        (CONSUMER, "administrator".to_owned()),
        (CONSUMER, "zone-delegation/publish-zone/one".to_owned()),
        (CONSUMER, format!("other/{path}/one")),
        (SECOND, format!("{path}/one")),
        (NETWORK, format!("{path}/one")),
    ] {
        let caller = put_mighty_role(world, account, &name);
        refused(&caller, &role, Some(EXTERNAL_ID)).await;
    }
    let second_function = put_mighty_role(world, CONSUMER, &format!("{path}/another"));
    second_function
        .assume(&role, Some(EXTERNAL_ID))
        .await
        .unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_delegation_role_changes_only_the_ns_of_its_own_names() {
    let (cast, _network) = Cast::published(settings(1)).await;
    let stack = deployed(&cast, CONSUMER, "one", &certified(CONSUMER, "dev")).await;
    let function = Caller::with_function(&cast.world, &stack, "delegate-subdomain");
    let role = delegation_role(CONSUMER);
    let caller = function.assume(&role, Some(EXTERNAL_ID)).await.unwrap();
    let (test, ops) = (format!("test.{BUILD}"), format!("ops.{BUILD}"));
    let below = format!("www.test.{BUILD}");
    for changes in [
        vec![(Create, ops.as_str(), Ns)],
        vec![(Delete, ops.as_str(), Ns)],
        vec![(Create, BUILD, Ns)],
        vec![(Create, below.as_str(), Ns)],
        vec![(Create, "*.test.build.example.com", Ns)],
        vec![(Create, test.as_str(), Txt)],
        vec![(Create, test.as_str(), A)],
        vec![(Create, test.as_str(), Cname)],
        vec![(Upsert, test.as_str(), Ns)],
        // One that is permitted, and one that is not.
        vec![(Create, test.as_str(), Ns), (Create, ops.as_str(), Ns)],
        vec![(Create, test.as_str(), Ns), (Create, test.as_str(), Txt)],
    ] {
        let refused = caller.change(&cast.build_zone, &changes).await;
        assert_eq!(refused, DENIED, "{changes:?}");
    }
    for changes in [
        [(Create, "TEST.build.example.com.", Ns)],
        [(Delete, &test, Ns)],
    ] {
        let allowed = caller.change(&cast.build_zone, &changes).await;
        assert_eq!(allowed, "ok", "{changes:?}");
    }
    let changes = [(Create, test.as_str(), Ns)];
    assert_eq!(caller.change(&cast.base_zone, &changes).await, DENIED);
}

#[tokio::test(start_paused = true)]
async fn a_delegation_role_reads_only_the_published_parameters() {
    let (cast, _network) = Cast::published(settings(1)).await;
    let stack = deployed(&cast, CONSUMER, "one", &certified(CONSUMER, "dev")).await;
    let function = Caller::with_function(&cast.world, &stack, "delegate-subdomain");
    let role = delegation_role(CONSUMER);
    let caller = function.assume(&role, Some(EXTERNAL_ID)).await.unwrap();
    let published = format!("{PREFIX}/hosted-zone-id");
    let other = "/zone-delegation/other/hosted-zone-id";
    assert_eq!(caller.read(&[&published]).await, "ok");
    assert_eq!(caller.read(&[other]).await, DENIED_TOO);
    assert_eq!(caller.read(&[&published, other]).await, DENIED_TOO);
    assert_eq!(caller.write(&published).await, DENIED_TOO);
    assert_eq!(caller.delete_parameter(&published).await, DENIED_TOO);
    let route53 = caller.route53();
    let get = route53.get_hosted_zone();
    assert_eq!(outcome(get.clone().id(&cast.build_zone).send().await), "ok");
    assert_eq!(outcome(get.id(&cast.base_zone).send().await), DENIED);
    let delete = route53.delete_hosted_zone().id(&cast.build_zone).send();
    assert_eq!(outcome(delete.await), DENIED);
    let list = route53.list_hosted_zones().send();
    assert_eq!(outcome(list.await), DENIED);
}

#[tokio::test(start_paused = true)]
async fn publish_zone_reaches_only_the_parameters_under_its_prefix() {
    let (cast, network) = Cast::published(settings(1)).await;
    let other = "/zone-delegation/other";
    let template = Template::from([("Zone".to_owned(), cast.published_zone(other))]);
    let second = deployed(&cast, NETWORK, "second", &template).await;
    let caller = Caller::with_function(&cast.world, &network, "publish-zone");
    let parameter = |prefix: &str| format!("{prefix}/name-servers");
    assert_eq!(caller.write(&parameter(other)).await, DENIED_TOO);
    let unknown = format!("{PREFIX}/password");
    assert_eq!(caller.write(&unknown).await, DENIED_TOO);
    assert_eq!(caller.read(&[&unknown]).await, DENIED_TOO);
    assert_eq!(caller.delete_parameter(&parameter(other)).await, DENIED_TOO);
    // A person's parameter, which has no tags.
    let by_hand = parameter("/by-hand");
    cast.world.write_parameter(NETWORK, REGION, &by_hand, "x");
    assert_eq!(caller.delete_parameter(&by_hand).await, DENIED_TOO);
    let get = caller.route53().get_hosted_zone().id(&cast.base_zone);
    assert_eq!(outcome(get.send().await), DENIED);
    let name = format!("www.{BUILD}");
    let changes = [(Create, name.as_str(), A)];
    assert_eq!(caller.change(&cast.build_zone, &changes).await, DENIED);
    let owner = Caller::with_function(&cast.world, &second, "publish-zone");
    assert_eq!(owner.delete_parameter(&parameter(other)).await, "ok");
    assert_eq!(caller.read(&[&parameter(other)]).await, DENIED_TOO);
    assert_eq!(caller.delete_parameter(&parameter(PREFIX)).await, "ok");
}

#[tokio::test(start_paused = true)]
async fn a_function_changes_no_certificate_of_another_stack() {
    let (cast, _network) = Cast::published(settings(1)).await;
    let one = deployed(&cast, CONSUMER, "one", &certified(CONSUMER, "dev")).await;
    let two = deployed(&cast, CONSUMER, "two", &certified(CONSUMER, "test")).await;
    let caller = Caller::with_function(&cast.world, &one, "delegate-subdomain");
    let acm = caller.acm_in(REGION);
    let arn = |stack: &Stack| stack.resources["Certificate"].physical_id.clone();
    let delete = async |arn: String| {
        let delete = acm.delete_certificate().certificate_arn(arn);
        outcome(delete.send().await)
    };
    let mark = |stack: &Stack| {
        let mark = aws_sdk_acm::types::Tag::builder().key("zone-delegation:stack-id");
        mark.value(&stack.id).build().unwrap()
    };
    let remove_mark = async |arn: String| {
        let remove = acm.remove_tags_from_certificate().certificate_arn(arn);
        outcome(remove.tags(mark(&two)).send().await)
    };
    let add_mark = async |arn: String, of: &Stack| {
        let add = acm.add_tags_to_certificate().certificate_arn(arn);
        outcome(add.tags(mark(of)).send().await)
    };
    // First adds the stack's own tag to it, then deletes it.
    assert_eq!(add_mark(arn(&two), &one).await, DENIED_TOO);
    assert_eq!(delete(arn(&two)).await, DENIED_TOO);
    assert_eq!(add_mark(arn(&one), &one).await, "ok");
    assert_eq!(remove_mark(arn(&two)).await, DENIED_TOO);
    let request = async |region: &str, method: ValidationMethod, of: &Stack| {
        let request = caller.acm_in(region).request_certificate();
        let request = request.domain_name(format!("x.dev.{BUILD}"));
        let request = request.validation_method(method).tags(mark(of));
        outcome(request.send().await)
    };
    let by_dns = ValidationMethod::Dns;
    let denied = request("us-east-1", by_dns.clone(), &one).await;
    assert_eq!(denied, DENIED_TOO);
    let denied = request(REGION, ValidationMethod::Email, &one).await;
    assert_eq!(denied, DENIED_TOO);
    // With the tag of another stack, whose function would then treat it as its own.
    let denied = request(REGION, by_dns.clone(), &two).await;
    assert_eq!(denied, DENIED_TOO);
    assert_eq!(request(REGION, by_dns, &one).await, "ok");
    assert_eq!(delete(arn(&one)).await, "ok");
    let start = async |stack: &str| {
        let machine = format!("arn:aws:states:{REGION}:{CONSUMER}:stateMachine:{stack}-waiter");
        let start = caller.step_functions().start_execution();
        let start = start.state_machine_arn(machine).name("x").input("{}");
        outcome(start.send().await)
    };
    assert_eq!(start("two").await, DENIED_TOO);
    assert_eq!(start("one").await, "ok");
}

#[tokio::test(start_paused = true)]
async fn a_function_changes_only_delegations_and_validation_records_in_its_account() {
    let (cast, _network) = Cast::published(settings(1)).await;
    let stack = deployed(&cast, CONSUMER, "one", &certified(CONSUMER, "dev")).await;
    let caller = Caller::with_function(&cast.world, &stack, "delegate-subdomain");
    let zone = &stack.resources["Zone"].attributes["HostedZoneId"];
    let name = format!("www.dev.{BUILD}");
    let name = name.as_str();
    let validation = format!("_x.dev.{BUILD}");
    let validation = validation.as_str();
    for changes in [
        vec![(Upsert, name, A)],
        vec![(Upsert, name, Cname)],
        vec![(Upsert, name, Ns)],
        vec![(Upsert, name, Txt)],
        vec![(Upsert, validation, Cname)],
        vec![(Create, name, A)],
        vec![(Create, name, Cname)],
        vec![(Create, name, Txt)],
        vec![(Create, validation, Txt)],
        vec![(Delete, name, A)],
        vec![(Delete, name, Cname)],
        vec![(Delete, name, Txt)],
        // Each statement has to match all changes of a batch.
        vec![(Delete, name, A), (Create, name, A)],
        vec![(Create, name, Ns), (Create, name, A)],
        vec![(Create, name, Ns), (Create, validation, Cname)],
        vec![(Create, validation, Cname), (Create, name, Cname)],
    ] {
        let refused = caller.change(zone, &changes).await;
        assert_eq!(refused, DENIED, "{changes:?}");
    }
    for changes in [
        [(Create, name, Ns)],
        [(Delete, name, Ns)],
        [(Create, validation, Cname)],
        [(Delete, validation, Cname)],
    ] {
        let allowed = caller.change(zone, &changes).await;
        assert_eq!(allowed, "ok", "{changes:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_function_with_only_certificates_writes_only_cnames_in_its_zone() {
    let (cast, _network) = Cast::published(settings(1)).await;
    let world = &cast.world;
    let name = format!("dev.{BUILD}");
    world.make_zone(CONSUMER, &name).unwrap();
    let other = world.make_zone(CONSUMER, "example.org").unwrap();
    tokio::time::sleep(std::time::Duration::from_secs(60)).await;
    let zone = zone_named(&cast, CONSUMER, &name);
    let label = format!("app.{name}");
    let mut resource = with(certificate("Zone", &label), json!({"HostedZoneId": zone}));
    resource
        .properties
        .insert("ServiceTimeout".to_owned(), json!("60"));
    let mut stack = Stack::new(CONSUMER, REGION, "one");
    let template = Template::from([("Certificate".to_owned(), resource)]);
    // The zone is not delegated, so no certificate is issued, but the role exists.
    let status = cast.engine.create(&mut stack, &template).await;
    assert_eq!(status, Status::CreateRolledBack, "{}", cast.history());
    let caller = Caller::with_function(world, &stack, "delegate-subdomain");
    for changes in [
        [(Create, label.as_str(), A)],
        [(Create, label.as_str(), Ns)],
        [(Create, label.as_str(), Cname)],
        [(Upsert, label.as_str(), Cname)],
    ] {
        assert_eq!(caller.change(&zone, &changes).await, DENIED, "{changes:?}");
    }
    let validation = format!("_x.{label}");
    let changes = [(Create, validation.as_str(), Cname)];
    assert_eq!(caller.change(&zone, &changes).await, "ok");
    let changes = [(Create, "_x.example.org", Cname)];
    assert_eq!(caller.change(&other, &changes).await, DENIED);
    let delete = caller.route53().delete_hosted_zone().id(&zone).send();
    assert_eq!(outcome(delete.await), DENIED);
    let create = caller.route53().create_hosted_zone().name("example.net");
    let create = create.caller_reference("x").send();
    assert_eq!(outcome(create.await), DENIED);
    let role = delegation_role(CONSUMER);
    let assumed = caller.assume(&role, Some(EXTERNAL_ID)).await;
    assert_eq!(assumed.err().as_deref(), Some(DENIED));
}
