use crate::error::Error;
use aws_calls::{AwsError, call};
use aws_sdk_ssm::{
    Client,
    types::{ParameterType, ResourceTypeForTagging, Tag},
};
use custom_resource::{Claim, Owner, PREVIOUS_LOGICAL_ID_TAG};
use dns_zones::HostedZone;
use std::collections::BTreeMap;

const SERVICE: &str = "SSM";

/// The three parameters that publish one zone.
#[derive(Clone, Debug)]
pub(crate) struct Parameters {
    client: Client,
}

/// One parameter as it is to be.
#[derive(Debug)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) value: String,
    kind: ParameterType,
}

/// One parameter as it stands.
#[derive(Debug)]
pub(crate) struct Standing {
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) claim: Claim,
}

/// The names below a prefix.
pub(crate) fn names(prefix: &str) -> [String; 3] {
    ["hosted-zone-id", "hosted-zone-name", "name-servers"].map(|name| format!("{prefix}/{name}"))
}

/// What publishes this zone.
pub(crate) fn wanted(prefix: &str, zone: &HostedZone) -> [Parameter; 3] {
    let [id, name, servers] = names(prefix);
    let parameter = |name, value, kind| Parameter { name, value, kind };
    [
        parameter(id, zone.id.to_string(), ParameterType::String),
        parameter(name, zone.name.as_str().to_owned(), ParameterType::String),
        parameter(
            servers,
            zone.name_servers.to_string(),
            ParameterType::StringList,
        ),
    ]
}

impl Parameters {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    /// What stands below the prefix, with whose it is to the owner.
    pub(crate) async fn standing(
        &self,
        owner: &Owner,
        prefix: &str,
    ) -> Result<Vec<Standing>, Error> {
        let get = self
            .client
            .get_parameters()
            .set_names(Some(names(prefix).to_vec()));
        let answer = call(SERVICE, "GetParameters", prefix, get.send()).await?;
        let mut standing = Vec::new();
        for parameter in answer.parameters() {
            let name = parameter.name().unwrap_or_default().to_owned();
            // Gone since it was read: someone deletes it just now.
            let Some(tags) = self.tags(&name).await? else {
                continue;
            };
            let value = parameter.value().unwrap_or_default().to_owned();
            standing.push(Standing {
                claim: owner.claim(&tags),
                name,
                value,
            });
        }
        Ok(standing)
    }

    async fn tags(&self, name: &str) -> Result<Option<BTreeMap<String, String>>, AwsError> {
        let list = self.client.list_tags_for_resource();
        let list = list
            .resource_type(ResourceTypeForTagging::Parameter)
            .resource_id(name);
        match call(SERVICE, "ListTagsForResource", name, list.send()).await {
            Ok(answer) => {
                let pair = |tag: &Tag| (tag.key().to_owned(), tag.value().to_owned());
                Ok(Some(answer.tag_list().iter().map(pair).collect()))
            }
            Err(error) if error.is("InvalidResourceId") => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Writes a parameter that does not stand, with its tags in the same call. One that stands after all is an
    /// error (`ParameterAlreadyExists`): SSM takes no tags together with `Overwrite`, and nobody's is overwritten.
    pub(crate) async fn create(
        &self,
        parameter: &Parameter,
        owner: &Owner,
    ) -> Result<(), AwsError> {
        let tags = tag_list(&owner.tag_map());
        let put = self.put(parameter).overwrite(false).set_tags(Some(tags));
        call(SERVICE, "PutParameter", &parameter.name, put.send())
            .await
            .map(|_| ())
    }

    /// Gives a parameter of ours another value.
    pub(crate) async fn overwrite(&self, parameter: &Parameter) -> Result<(), AwsError> {
        let put = self.put(parameter).overwrite(true);
        call(SERVICE, "PutParameter", &parameter.name, put.send())
            .await
            .map(|_| ())
    }

    fn put(
        &self,
        parameter: &Parameter,
    ) -> aws_sdk_ssm::operation::put_parameter::builders::PutParameterFluentBuilder {
        let put = self.client.put_parameter();
        put.name(&parameter.name)
            .value(&parameter.value)
            .r#type(parameter.kind.clone())
    }

    /// Takes a parameter over from a logical id of the same stack, noting whose it was.
    pub(crate) async fn take_over(
        &self,
        name: &str,
        owner: &Owner,
        sibling: &str,
    ) -> Result<(), AwsError> {
        self.add_tags(name, &owner.tags_taken_from(sibling)).await
    }

    /// Gives a parameter back to the logical id that it was taken over from.
    pub(crate) async fn give_back(
        &self,
        name: &str,
        owner: &Owner,
        sibling: &str,
    ) -> Result<(), AwsError> {
        let previous = Owner {
            logical_id: sibling.to_owned(),
            ..owner.clone()
        };
        self.add_tags(name, &previous.tag_map()).await?;
        self.forget_previous(name).await
    }

    async fn add_tags(&self, name: &str, tags: &BTreeMap<String, String>) -> Result<(), AwsError> {
        let add = self.client.add_tags_to_resource();
        let add = add
            .resource_type(ResourceTypeForTagging::Parameter)
            .resource_id(name);
        let add = add.set_tags(Some(tag_list(tags)));
        call(SERVICE, "AddTagsToResource", name, add.send())
            .await
            .map(|_| ())
    }

    /// Forgets whose a parameter was.
    pub(crate) async fn forget_previous(&self, name: &str) -> Result<(), AwsError> {
        let remove = self.client.remove_tags_from_resource();
        let remove = remove
            .resource_type(ResourceTypeForTagging::Parameter)
            .resource_id(name);
        let remove = remove.tag_keys(PREVIOUS_LOGICAL_ID_TAG);
        call(SERVICE, "RemoveTagsFromResource", name, remove.send())
            .await
            .map(|_| ())
    }

    /// Deletes parameters. Those that are gone already are success.
    pub(crate) async fn delete(&self, names: Vec<String>) -> Result<(), AwsError> {
        let Some(target) = names.first().cloned() else {
            return Ok(());
        };
        let delete = self.client.delete_parameters().set_names(Some(names));
        call(SERVICE, "DeleteParameters", &target, delete.send())
            .await
            .map(|_| ())
    }
}

fn tag_list(tags: &BTreeMap<String, String>) -> Vec<Tag> {
    let tag = |(key, value): (&String, &String)| Tag::builder().key(key).value(value).build();
    tags.iter()
        .map(tag)
        .map(|tag| tag.expect("key and value are set"))
        .collect()
}
