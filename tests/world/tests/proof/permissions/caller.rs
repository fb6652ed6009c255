//! Somebody with a role's credentials, and the results of their calls.

use aws_sdk_route53::error::ProvideErrorMetadata;
use aws_sdk_route53::types::{
    Change, ChangeAction, ChangeBatch, ResourceRecord, ResourceRecordSet, RrType,
};
use aws_types::SdkConfig;
use world::cloudformation::Stack;
use world::{Credentials, Hand, World};

use crate::cast::REGION;
use crate::roles;

/// Returns `ok`, or the error's code.
pub(super) fn outcome<T, E: ProvideErrorMetadata>(result: Result<T, E>) -> String {
    match result {
        Ok(_) => "ok".to_owned(),
        Err(error) => error.code().unwrap_or("no code").to_owned(),
    }
}

/// A caller that uses a role.
pub(super) struct Caller {
    world: World,
    config: SdkConfig,
}

impl Caller {
    /// Creates a caller with the credentials of a role.
    pub(super) fn with_role(world: &World, account: &str, role_arn: &str) -> Self {
        let keys = world.credentials(account, role_arn, Hand::Person);
        Self::with_keys(world, &keys, REGION)
    }

    /// Creates a caller with the credentials of a stack's function.
    pub(super) fn with_function(world: &World, stack: &Stack, function: &str) -> Self {
        let role = roles::function_role(&stack.account, &stack.id, function);
        Self::with_role(world, &stack.account, &role)
    }

    fn with_keys(world: &World, keys: &Credentials, region: &str) -> Self {
        Self {
            config: world.sdk_config(keys, region),
            world: world.clone(),
        }
    }

    pub(super) fn route53(&self) -> aws_sdk_route53::Client {
        aws_sdk_route53::Client::new(&self.config)
    }

    pub(super) fn ssm(&self) -> aws_sdk_ssm::Client {
        aws_sdk_ssm::Client::new(&self.config)
    }

    pub(super) fn acm_in(&self, region: &str) -> aws_sdk_acm::Client {
        let config = aws_sdk_acm::config::Builder::from(&self.config)
            .region(aws_sdk_acm::config::Region::new(region.to_owned()));
        aws_sdk_acm::Client::from_conf(config.build())
    }

    pub(super) fn step_functions(&self) -> aws_sdk_sfn::Client {
        aws_sdk_sfn::Client::new(&self.config)
    }

    /// Assumes another role.
    ///
    /// # Errors
    /// The error's code.
    pub(super) async fn assume(
        &self,
        role_arn: &str,
        external_id: Option<&str>,
    ) -> Result<Self, String> {
        let assume = aws_sdk_sts::Client::new(&self.config).assume_role();
        let assume = assume.role_arn(role_arn).role_session_name("someone");
        let answer = assume
            .set_external_id(external_id.map(ToOwned::to_owned))
            .send()
            .await
            .map_err(|error| error.code().unwrap_or("no code").to_owned())?;
        let given = answer.credentials().expect("the answer has them");
        let keys = Credentials {
            access_key: given.access_key_id().to_owned(),
            secret_key: given.secret_access_key().to_owned(),
            session_token: Some(given.session_token().to_owned()),
        };
        Ok(Self::with_keys(&self.world, &keys, REGION))
    }

    /// Changes record sets of a zone in one batch: action, name and type of each.
    pub(super) async fn change(
        &self,
        zone: &str,
        changes: &[(ChangeAction, &str, RrType)],
    ) -> String {
        let changes = changes.iter().map(|(action, name, kind)| {
            let record = ResourceRecord::builder().value(value(kind));
            let set = ResourceRecordSet::builder()
                .name(*name)
                .r#type(kind.clone())
                .ttl(60)
                .resource_records(record.build().expect("it has a value"));
            Change::builder()
                .action(action.clone())
                .resource_record_set(set.build().expect("it has a name"))
                .build()
                .expect("it has an action")
        });
        let batch = ChangeBatch::builder().set_changes(Some(changes.collect()));
        let change = self.route53().change_resource_record_sets();
        let change = change
            .hosted_zone_id(zone)
            .change_batch(batch.build().expect("it has changes"));
        outcome(change.send().await)
    }

    /// Reads parameters.
    pub(super) async fn read(&self, names: &[&str]) -> String {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        let get = self.ssm().get_parameters().set_names(Some(names));
        outcome(get.send().await)
    }

    /// Writes a parameter.
    pub(super) async fn write(&self, name: &str) -> String {
        let put = self.ssm().put_parameter().name(name).value("x");
        let put = put.r#type(aws_sdk_ssm::types::ParameterType::String);
        outcome(put.overwrite(true).send().await)
    }

    /// Deletes a parameter.
    pub(super) async fn delete_parameter(&self, name: &str) -> String {
        let delete = self.ssm().delete_parameters().names(name);
        outcome(delete.send().await)
    }
}

/// Returns a valid value for a record set of this type.
fn value(kind: &RrType) -> &'static str {
    match kind {
        RrType::A => "192.0.2.1",
        RrType::Txt => "\"text\"",
        _ => "ns.example.net",
    }
}
