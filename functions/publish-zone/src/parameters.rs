use aws_calls::{AwsError, Kind, at_once, call};
use aws_sdk_ssm::{
    Client,
    types::{Parameter as SdkParameter, ParameterType, ResourceTypeForTagging, Tag},
};
use custom_resource::{Claim, Owner, PREVIOUS_LOGICAL_ID_TAG};
use dns_zones::{HostedZone, HostedZoneId};
use futures::try_join;
use std::collections::BTreeMap;

const SERVICE: &str = "SSM";

/// Notes the value that a parameter had when a renamed logical id took it over, so that a rollback can restore it.
const PREVIOUS_VALUE_TAG: &str = "zone-delegation:previous-value";

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
    /// What it had before it was taken over.
    previous_value: Option<String>,
}

/// The names below a prefix, with their types.
const NAMES: [(&str, ParameterType); 3] = [
    ("hosted-zone-id", ParameterType::String),
    ("hosted-zone-name", ParameterType::String),
    ("name-servers", ParameterType::StringList),
];

/// What publishes this zone.
pub(crate) fn wanted(prefix: &str, zone: &HostedZone) -> [Parameter; 3] {
    let mut values = [
        zone.id.to_string(),
        zone.name.as_str().to_owned(),
        zone.name_servers.to_string(),
    ]
    .into_iter();
    NAMES.map(|(name, kind)| Parameter {
        name: format!("{prefix}/{name}"),
        value: values.next().expect("as many as names"),
        kind,
    })
}

impl Standing {
    /// The zone whose id this parameter publishes, where it is the one for that.
    pub(crate) fn zone(&self) -> Option<HostedZoneId> {
        let is_id = self.name.ends_with("/hosted-zone-id");
        HostedZoneId::parse(&self.value).ok().filter(|_| is_id)
    }

    /// The value that a rollback of the taking over has to restore, where it was changed since.
    fn restored(&self) -> Option<Parameter> {
        let (_, kind) = NAMES
            .into_iter()
            .find(|(name, _)| self.name.ends_with(name))?;
        let value = from_tag(self.previous_value.as_ref()?);
        (value != self.value).then(|| Parameter {
            name: self.name.clone(),
            value,
            kind,
        })
    }
}

/// A tag holds no comma, and none of the values a space
/// (<https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_Tag.html>).
fn to_tag(value: &str) -> String {
    value.replace(',', " ")
}

fn from_tag(value: &str) -> String {
    value.replace(' ', ",")
}

impl Parameters {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    /// What stands below the prefix, with whose it is to the owner. Where something is `expected` to stand, its tags
    /// are asked for at once.
    pub(crate) async fn standing(
        &self,
        owner: &Owner,
        prefix: &str,
        expected: bool,
    ) -> Result<Vec<Standing>, AwsError> {
        let names = NAMES.map(|(name, _)| format!("{prefix}/{name}"));
        let get = self.client.get_parameters().set_names(Some(names.to_vec()));
        let get = call(SERVICE, "GetParameters", prefix, || get.clone().send());
        let (answer, mut tags) = if expected {
            try_join!(get, self.all_tags(&names))?
        } else {
            let answer = get.await?;
            let names = answer.parameters().iter().filter_map(SdkParameter::name);
            let tags = self.all_tags(names).await?;
            (answer, tags)
        };
        let standing = answer.parameters().iter().filter_map(|parameter| {
            let name = parameter.name().unwrap_or_default();
            // Without tags it is gone by now: someone deletes it just then.
            let mut tags = tags.remove(name)?;
            Some(Standing {
                name: name.to_owned(),
                value: parameter.value().unwrap_or_default().to_owned(),
                claim: owner.claim(&tags),
                previous_value: tags.remove(PREVIOUS_VALUE_TAG),
            })
        });
        Ok(standing.collect())
    }

    /// The tags of those of the parameters that stand.
    async fn all_tags(
        &self,
        names: impl IntoIterator<Item = impl AsRef<str> + Send>,
    ) -> Result<BTreeMap<String, BTreeMap<String, String>>, AwsError> {
        let tags = names.into_iter().map(async |name| {
            let tags = self.tags(name.as_ref()).await?;
            Ok::<_, AwsError>(tags.map(|tags| (name.as_ref().to_owned(), tags)))
        });
        Ok(at_once(tags).await?.into_iter().flatten().collect())
    }

    async fn tags(&self, name: &str) -> Result<Option<BTreeMap<String, String>>, AwsError> {
        let list = self.client.list_tags_for_resource();
        let list = list
            .resource_type(ResourceTypeForTagging::Parameter)
            .resource_id(name);
        match call(SERVICE, "ListTagsForResource", name, || list.clone().send()).await {
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
        call(SERVICE, "PutParameter", &parameter.name, || {
            put.clone().send()
        })
        .await
        .map(|_| ())
    }

    /// Gives a parameter of ours another value.
    pub(crate) async fn overwrite(&self, parameter: &Parameter) -> Result<(), AwsError> {
        let put = self.put(parameter).overwrite(true);
        call(SERVICE, "PutParameter", &parameter.name, || {
            put.clone().send()
        })
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

    /// Takes a parameter over from a logical id of the same stack, noting whose it was and what it said.
    pub(crate) async fn take_over(
        &self,
        standing: &Standing,
        owner: &Owner,
        sibling: &str,
    ) -> Result<(), AwsError> {
        let mut tags = owner.tags_taken_from(sibling);
        tags.insert(PREVIOUS_VALUE_TAG.to_owned(), to_tag(&standing.value));
        self.add_tags(&standing.name, &tags).await
    }

    /// Gives a parameter back to the logical id that it was taken over from, as it was.
    pub(crate) async fn give_back(
        &self,
        standing: &Standing,
        owner: &Owner,
        sibling: &str,
    ) -> Result<(), AwsError> {
        // The value goes before the note of it.
        if let Some(parameter) = standing.restored() {
            self.overwrite(&parameter).await?;
        }
        let previous = Owner {
            logical_id: sibling.to_owned(),
            ..owner.clone()
        };
        self.add_tags(&standing.name, &previous.tag_map()).await?;
        self.forget_previous(&standing.name).await
    }

    async fn add_tags(&self, name: &str, tags: &BTreeMap<String, String>) -> Result<(), AwsError> {
        let add = self.client.add_tags_to_resource();
        let add = add
            .resource_type(ResourceTypeForTagging::Parameter)
            .resource_id(name);
        let add = add.set_tags(Some(tag_list(tags)));
        call(SERVICE, "AddTagsToResource", name, || add.clone().send())
            .await
            .map(|_| ())
    }

    /// Forgets whose a parameter was, and what it said.
    pub(crate) async fn forget_previous(&self, name: &str) -> Result<(), AwsError> {
        let remove = self.client.remove_tags_from_resource();
        let remove = remove
            .resource_type(ResourceTypeForTagging::Parameter)
            .resource_id(name);
        let remove = remove
            .tag_keys(PREVIOUS_LOGICAL_ID_TAG)
            .tag_keys(PREVIOUS_VALUE_TAG);
        call(SERVICE, "RemoveTagsFromResource", name, || {
            remove.clone().send()
        })
        .await
        .map(|_| ())
    }

    /// Deletes parameters. Those that are gone already are success.
    ///
    /// The right to holds for parameters that carry the stack's id. One that is gone carries nothing, so that a delete
    /// that is sent again, because its answer was lost, is denied.
    pub(crate) async fn delete(&self, mut names: Vec<String>) -> Result<(), AwsError> {
        while let Some(target) = names.first().cloned() {
            let delete = self.client.delete_parameters();
            let delete = delete.set_names(Some(names.clone()));
            let deleted = call(SERVICE, "DeleteParameters", &target, || {
                delete.clone().send()
            });
            let Err(error) = deleted.await else { break };
            let asked = names.len();
            if error.kind == Kind::Denied {
                names = self.existing(names).await?;
            }
            if names.len() == asked {
                return Err(error);
            }
        }
        Ok(())
    }

    /// Those of the names that stand.
    async fn existing(&self, names: Vec<String>) -> Result<Vec<String>, AwsError> {
        let target = names[0].clone();
        let get = self.client.get_parameters().set_names(Some(names));
        let answer = call(SERVICE, "GetParameters", &target, || get.clone().send()).await?;
        let names = answer.parameters().iter().filter_map(SdkParameter::name);
        Ok(names.map(str::to_owned).collect())
    }
}

fn tag_list(tags: &BTreeMap<String, String>) -> Vec<Tag> {
    let tag = |(key, value): (&String, &String)| Tag::builder().key(key).value(value).build();
    tags.iter()
        .map(tag)
        .map(|tag| tag.expect("key and value are set"))
        .collect()
}
