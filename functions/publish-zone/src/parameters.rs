//! Calls SSM Parameter Store, with one function for each operation and the errors that its callers
//! distinguish.

use crate::properties::{Part, Prefix};
use aws_calls::{AwsError, Kind, call};
use aws_sdk_ssm::{
    Client,
    operation::put_parameter::builders::PutParameterFluentBuilder,
    types::{ParameterType, ResourceTypeForTagging, Tag},
};
use std::{
    collections::BTreeMap,
    time::{SystemTime, UNIX_EPOCH},
};

const SERVICE: &str = "SSM";

/// The operations that this function calls.
#[derive(Clone, Debug)]
pub(crate) struct Parameters {
    client: Client,
}

/// A parameter's value.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) part: Part,
    pub(crate) value: String,
    /// When the value was last written.
    pub(crate) modified: SystemTime,
}

/// Why `PutParameter` wrote nothing.
#[derive(Debug)]
pub(crate) enum PutError {
    /// A parameter of that name exists, or was deleted so recently that SSM still reserves its name.
    AlreadyExists,
    /// The account has the largest number of parameters.
    TooManyParameters(AwsError),
    /// The parameter has the largest number of versions, and a label prevents the deletion of the oldest one.
    TooManyVersions(AwsError),
    Other(AwsError),
}

/// Why a parameter's tags were not changed or listed.
#[derive(Debug)]
pub(crate) enum TagError {
    /// No parameter of that name exists.
    NoSuchParameter,
    Other(AwsError),
}

/// Why nothing was deleted.
#[derive(Debug)]
pub(crate) enum DeleteError {
    /// The function's role has the permission only for parameters with its stack's tag. A parameter that does
    /// not exist any more has no tags, so a delete that is sent again after its answer was lost is denied as
    /// well.
    Denied(AwsError),
    Other(AwsError),
}

impl From<AwsError> for PutError {
    fn from(error: AwsError) -> Self {
        match error.code.as_deref() {
            Some("ParameterAlreadyExists") => Self::AlreadyExists,
            Some("ParameterLimitExceeded") => Self::TooManyParameters(error),
            Some("ParameterMaxVersionLimitExceeded") => Self::TooManyVersions(error),
            _ => Self::Other(error),
        }
    }
}

impl From<AwsError> for TagError {
    fn from(error: AwsError) -> Self {
        match error.code.as_deref() {
            Some("InvalidResourceId") => Self::NoSuchParameter,
            _ => Self::Other(error),
        }
    }
}

impl From<AwsError> for DeleteError {
    fn from(error: AwsError) -> Self {
        match error.kind {
            Kind::Denied => Self::Denied(error),
            _ => Self::Other(error),
        }
    }
}

impl Parameters {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    /// Returns the existing parameters under a prefix.
    pub(crate) async fn get(&self, prefix: &Prefix) -> Result<Vec<Stored>, AwsError> {
        let names = Part::ALL.map(|part| prefix.name(part)).to_vec();
        let get = self.client.get_parameters().set_names(Some(names));
        let target = prefix.as_str();
        let answer = call(SERVICE, "GetParameters", target, || get.clone().send()).await?;
        let stored = answer.parameters().iter().filter_map(|parameter| {
            let is_it = |part: &Part| parameter.name() == Some(&prefix.name(*part));
            let modified = parameter.last_modified_date();
            Some(Stored {
                part: Part::ALL.into_iter().find(is_it)?,
                value: parameter.value().unwrap_or_default().to_owned(),
                modified: modified
                    .and_then(|at| SystemTime::try_from(*at).ok())
                    .unwrap_or(UNIX_EPOCH),
            })
        });
        Ok(stored.collect())
    }

    pub(crate) async fn tags(&self, name: &str) -> Result<BTreeMap<String, String>, TagError> {
        let list = self.client.list_tags_for_resource();
        let list = list
            .resource_type(ResourceTypeForTagging::Parameter)
            .resource_id(name);
        let answer = call(SERVICE, "ListTagsForResource", name, || list.clone().send()).await?;
        let pair = |tag: &Tag| (tag.key().to_owned(), tag.value().to_owned());
        Ok(answer.tag_list().iter().map(pair).collect())
    }

    /// Creates a parameter with all of its tags in one call.
    pub(crate) async fn create(
        &self,
        name: &str,
        part: Part,
        value: &str,
        tags: &BTreeMap<String, String>,
    ) -> Result<(), PutError> {
        let put = self.client.put_parameter().overwrite(false);
        let put = put.set_tags(Some(tag_list(tags)));
        send(put, name, part, value).await
    }

    /// Changes the value of a parameter. SSM accepts no tags in the same call.
    pub(crate) async fn overwrite(
        &self,
        name: &str,
        part: Part,
        value: &str,
    ) -> Result<(), PutError> {
        let put = self.client.put_parameter().overwrite(true);
        send(put, name, part, value).await
    }

    pub(crate) async fn add_tags(
        &self,
        name: &str,
        tags: &BTreeMap<String, String>,
    ) -> Result<(), TagError> {
        let add = self.client.add_tags_to_resource();
        let add = add
            .resource_type(ResourceTypeForTagging::Parameter)
            .resource_id(name)
            .set_tags(Some(tag_list(tags)));
        call(SERVICE, "AddTagsToResource", name, || add.clone().send()).await?;
        Ok(())
    }

    pub(crate) async fn remove_tags(&self, name: &str, keys: &[String]) -> Result<(), TagError> {
        let remove = self.client.remove_tags_from_resource();
        let remove = remove
            .resource_type(ResourceTypeForTagging::Parameter)
            .resource_id(name)
            .set_tag_keys(Some(keys.to_vec()));
        call(SERVICE, "RemoveTagsFromResource", name, || {
            remove.clone().send()
        })
        .await?;
        Ok(())
    }

    /// Deletes parameters. Succeeds if one does not exist.
    pub(crate) async fn delete(&self, prefix: &Prefix, parts: &[Part]) -> Result<(), DeleteError> {
        let names = parts.iter().map(|part| prefix.name(*part)).collect();
        let delete = self.client.delete_parameters().set_names(Some(names));
        call(SERVICE, "DeleteParameters", prefix.as_str(), || {
            delete.clone().send()
        })
        .await?;
        Ok(())
    }
}

async fn send(
    put: PutParameterFluentBuilder,
    name: &str,
    part: Part,
    value: &str,
) -> Result<(), PutError> {
    let kind = match part {
        Part::HostedZoneId | Part::HostedZoneName => ParameterType::String,
        Part::NameServers => ParameterType::StringList,
    };
    let put = put.name(name).value(value).r#type(kind);
    call(SERVICE, "PutParameter", name, || put.clone().send()).await?;
    Ok(())
}

fn tag_list(tags: &BTreeMap<String, String>) -> Vec<Tag> {
    let tag = |(key, value): (&String, &String)| Tag::builder().key(key).value(value).build();
    tags.iter()
        .map(tag)
        .map(|tag| tag.expect("key and value are set"))
        .collect()
}
