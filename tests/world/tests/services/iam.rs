use serde_json::{Value, json};
use tokio::time::{Duration, sleep};
use world::{Role, World};

use crate::{ACCOUNT, OTHER, REGION, code, hand, world};

fn role(world: &World, account: &str, name: &str, trust: &Value, allow: &Value) -> String {
    let mut statements = allow.as_array().unwrap().clone();
    for statement in &mut statements {
        statement["Effect"] = json!("Allow");
    }
    let trust = json!({"Statement": [trust]});
    let policy = ("policy".to_owned(), json!({"Statement": statements}));
    let role = Role::new(account, name, &trust, &[policy]).unwrap();
    let arn = role.arn.clone();
    world.put_role(role);
    arn
}

fn trust(arn: &str) -> Value {
    json!({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": format!("arn:aws:iam::{ACCOUNT}:root")},
        "Condition": {"ArnEquals": {"aws:PrincipalArn": arn}, "StringEquals": {"sts:ExternalId": "secret", "aws:PrincipalOrgID": "o-1"}}})
}

struct Setup {
    world: World,
    sts: aws_sdk_sts::Client,
    network_role: String,
}

fn setup(allow: &Value) -> Setup {
    let world = world(|_| {});
    let nobody = json!({"Effect": "Deny", "Action": "*", "Principal": "*"});
    let function = role(
        &world,
        ACCOUNT,
        "function",
        &nobody,
        &json!([{"Action": "sts:AssumeRole", "Resource": "*"}]),
    );
    let network_role = role(&world, OTHER, "network", &trust(&function), allow);
    world.join_organization(ACCOUNT, "o-1");
    let keys = world.credentials(ACCOUNT, &function, hand("s", 1));
    let sts = aws_sdk_sts::Client::new(&world.sdk_config(&keys, "us-east-1"));
    Setup {
        world,
        sts,
        network_role,
    }
}

impl Setup {
    fn assume(
        &self,
        external_id: &str,
    ) -> aws_sdk_sts::operation::assume_role::builders::AssumeRoleFluentBuilder {
        self.sts
            .assume_role()
            .role_arn(&self.network_role)
            .role_session_name("zone-delegation")
            .external_id(external_id)
    }

    async fn config(&self) -> aws_types::SdkConfig {
        let answer = self.assume("secret").send().await.unwrap();
        let credentials = answer.credentials().unwrap();
        let keys = world::Credentials {
            access_key: credentials.access_key_id().to_owned(),
            secret_key: credentials.secret_access_key().to_owned(),
            session_token: Some(credentials.session_token().to_owned()),
        };
        self.world.sdk_config(&keys, REGION)
    }
}

#[tokio::test(start_paused = true)]
async fn a_role_is_assumed_by_the_right_principal_with_the_right_id_from_the_right_organization() {
    let setup = setup(&json!([]));
    assert_eq!(code(setup.assume("guess").send().await), "AccessDenied");
    setup.assume("secret").send().await.unwrap();
    setup.world.join_organization(ACCOUNT, "o-2");
    assert_eq!(code(setup.assume("secret").send().await), "AccessDenied");
}

#[tokio::test(start_paused = true)]
async fn each_parameter_is_authorized_separately_and_sessions_end() {
    let allow = json!([{"Action": "ssm:GetParameters", "Resource": format!("arn:aws:ssm:{REGION}:{OTHER}:parameter/z/id")}]);
    let setup = setup(&allow);
    let client = aws_sdk_ssm::Client::new(&setup.config().await);
    client.get_parameters().names("/z/id").send().await.unwrap();
    let both = client.get_parameters().names("/z/id").names("/z/other");
    assert_eq!(code(both.send().await), "AccessDeniedException");
    sleep(Duration::from_secs(3601)).await;
    let late = client.get_parameters().names("/z/id").send();
    assert_eq!(code(late.await), "ExpiredToken");
}

#[tokio::test(start_paused = true)]
async fn tags_of_an_existing_parameter_are_condition_keys() {
    let own = json!({"StringEquals": {"aws:ResourceTag/owner": "us"}});
    let setup = setup(&json!([
        {"Action": ["ssm:PutParameter", "ssm:AddTagsToResource"], "Resource": "*"},
        {"Action": "ssm:DeleteParameters", "Resource": "*", "Condition": own},
    ]));
    let client = aws_sdk_ssm::Client::new(&setup.config().await);
    for (name, owner) in [("/z/ours", "us"), ("/z/theirs", "them")] {
        let tag = aws_sdk_ssm::types::Tag::builder().key("owner").value(owner);
        let put = client.put_parameter().name(name).value("x");
        let put = put.r#type(aws_sdk_ssm::types::ParameterType::String);
        put.tags(tag.build().unwrap()).send().await.unwrap();
    }
    for name in ["/z/theirs", "/z/missing"] {
        let both = client.delete_parameters().names("/z/ours").names(name);
        assert_eq!(code(both.send().await), "AccessDeniedException");
    }
    let delete = client.delete_parameters().names("/z/ours");
    delete.send().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_three_condition_keys_of_route_53_are_evaluated() {
    use aws_sdk_route53::types::{
        Change, ChangeAction, ChangeBatch, ResourceRecord, ResourceRecordSet, RrType,
    };
    let key = |name: &str| format!("route53:ChangeResourceRecordSets{name}");
    let allow = json!([{"Sid": "change", "Action": "route53:ChangeResourceRecordSets", "Resource": "arn:aws:route53:::hostedzone/*",
        "Condition": {
            "ForAllValues:StringEquals": {
                key("NormalizedRecordNames"): ["dev.x.org"], key("RecordTypes"): ["NS"], key("Actions"): ["CREATE", "DELETE"]},
            "Null": {key("NormalizedRecordNames"): "false", key("RecordTypes"): "false", key("Actions"): "false"}}}]);
    let setup = setup(&allow);
    let zone = setup.world.make_zone(OTHER, "x.org").unwrap();
    let client = aws_sdk_route53::Client::new(&setup.config().await);
    let attempt = async |action: ChangeAction, name: &str, kind: RrType| {
        let set = ResourceRecordSet::builder()
            .name(name)
            .r#type(kind)
            .ttl(60)
            .resource_records(
                ResourceRecord::builder()
                    .value("ns.example.net")
                    .build()
                    .unwrap(),
            )
            .build()
            .unwrap();
        let change = Change::builder()
            .action(action)
            .resource_record_set(set)
            .build()
            .unwrap();
        client
            .change_resource_record_sets()
            .hosted_zone_id(&zone)
            .change_batch(ChangeBatch::builder().changes(change).build().unwrap())
            .send()
            .await
    };
    let denied = |result| assert_eq!(code(result), "AccessDenied");
    denied(attempt(ChangeAction::Create, "app.x.org", RrType::Ns).await);
    denied(attempt(ChangeAction::Create, "dev.x.org", RrType::Cname).await);
    denied(attempt(ChangeAction::Upsert, "dev.x.org", RrType::Ns).await);
    attempt(ChangeAction::Create, "DEV.x.org.", RrType::Ns)
        .await
        .unwrap();
    attempt(ChangeAction::Delete, "dev.x.org", RrType::Ns)
        .await
        .unwrap();
    let denied = client.get_hosted_zone().id(&zone).send().await;
    assert_eq!(code(denied), "AccessDenied");
    let used = setup.world.used_grants();
    assert!(used.iter().any(|grant| grant.statement == "change"));
}
