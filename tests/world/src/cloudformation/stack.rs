//! What CloudFormation knows of a stack.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::template::{DeletionPolicy, ResourceDefinition, Template};

/// A stack's status, as far as it decides which operation is possible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Nothing was created yet.
    New,
    /// `CREATE_COMPLETE`, `UPDATE_COMPLETE`.
    Complete,
    /// `UPDATE_ROLLBACK_COMPLETE`.
    RolledBack,
    /// `ROLLBACK_COMPLETE`: nothing exists, and only a delete is possible.
    CreateRolledBack,
    /// `ROLLBACK_FAILED`, `DELETE_FAILED`: something exists, and only a delete is possible.
    NotDeleted,
    /// `UPDATE_ROLLBACK_FAILED`: only a continued rollback or a delete is possible.
    RollbackFailed,
    /// `DELETE_COMPLETE`.
    Deleted,
}

/// A resource as CloudFormation knows it.
#[derive(Clone, Debug, PartialEq)]
pub struct StackResource {
    /// Its definition in the template that was applied last.
    pub definition: ResourceDefinition,
    /// The properties that were sent last.
    pub properties: Map<String, Value>,
    /// The id that the function or CloudFormation assigned.
    pub physical_id: String,
    /// Its attributes.
    pub attributes: BTreeMap<String, String>,
    /// Whether its Create was answered with SUCCESS.
    pub settled: bool,
    /// The number of its Create.
    pub created_by: u64,
}

/// Something that CloudFormation could not delete and no longer tracks.
#[derive(Clone, Debug, PartialEq)]
pub struct Orphan {
    /// Its logical id.
    pub logical_id: String,
    /// Its physical id.
    pub physical_id: String,
    /// The reason in CloudFormation's events.
    pub reason: String,
    /// The function's own sentence, or none if it did not answer.
    pub sentence: Option<String>,
    /// The number of the Delete that failed.
    pub delete: u64,
}

/// A stack.
#[derive(Clone, Debug)]
pub struct Stack {
    /// Its ARN.
    pub id: String,
    /// Its account.
    pub account: String,
    /// Its Region.
    pub region: String,
    /// Its status.
    pub status: Status,
    /// Its resources.
    pub resources: BTreeMap<String, StackResource>,
    /// What could not be deleted.
    pub orphans: Vec<Orphan>,
    /// Resources of the stack that a deletion policy kept.
    pub retained: Vec<(String, StackResource)>,
    /// The reasons of all failures of the last operation.
    pub failures: Vec<String>,
    pub(crate) rollback: Option<Rollback>,
    /// Ids of replaced resources that are still to be deleted.
    pub(crate) leaving: Vec<Leaving>,
}

/// A resource that CloudFormation will delete when the operation is over.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Leaving {
    pub(crate) logical_id: String,
    pub(crate) resource_type: String,
    pub(crate) physical_id: String,
    pub(crate) properties: Map<String, Value>,
    /// The Create that did not succeed and that its Delete undoes.
    pub(crate) undoes: Option<u64>,
    /// Whether the creation of the resource is rolled back.
    pub(crate) rolls_back: bool,
}

impl Leaving {
    pub(crate) fn of(logical_id: &str, resource: &StackResource) -> Self {
        Self {
            logical_id: logical_id.to_owned(),
            resource_type: resource.definition.resource_type.clone(),
            physical_id: resource.physical_id.clone(),
            properties: resource.properties.clone(),
            undoes: (!resource.settled).then_some(resource.created_by),
            rolls_back: false,
        }
    }
}

/// The rest of an update that is being rolled back.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rollback {
    /// The resources before the update.
    pub(crate) before: BTreeMap<String, StackResource>,
    /// Resources that the update touched and that are not restored yet, in the update's order.
    pub(crate) touched: Vec<String>,
    /// What is deleted when everything is restored.
    pub(crate) leaving: Vec<Leaving>,
}

impl Stack {
    /// Returns a stack that is not created yet.
    pub fn new(account: &str, region: &str, name: &str) -> Self {
        Self {
            id: format!(
                "arn:aws:cloudformation:{region}:{account}:stack/{name}/51af3dc0-da77-11e4-872e-1234567db123"
            ),
            account: account.to_owned(),
            region: region.to_owned(),
            status: Status::New,
            resources: BTreeMap::new(),
            orphans: Vec::new(),
            retained: Vec::new(),
            failures: Vec::new(),
            rollback: None,
            leaving: Vec::new(),
        }
    }

    /// Returns its name.
    pub fn name(&self) -> &str {
        self.id.split('/').nth(1).unwrap_or_default()
    }

    /// Removes a resource from the stack, and returns whether its deletion policy keeps it. `rolls_back` is
    /// true if this undoes the operation that created it. A resource whose Create did not succeed is never
    /// kept.
    pub(crate) fn keeps(&mut self, logical_id: &str, rolls_back: bool) -> bool {
        let Some(resource) = self.resources.get(logical_id) else {
            return false;
        };
        let keeps = resource.settled
            && match resource.definition.deletion_policy {
                DeletionPolicy::Delete => false,
                DeletionPolicy::Retain => true,
                DeletionPolicy::RetainExceptOnCreate => !rolls_back,
            };
        if keeps && let Some(resource) = self.resources.remove(logical_id) {
            self.retained.push((logical_id.to_owned(), resource));
        }
        keeps
    }

    /// Returns the template of the existing resources.
    pub(crate) fn existing(&self) -> Template {
        self.resources
            .iter()
            .map(|(id, resource)| (id.clone(), resource.definition.clone()))
            .collect()
    }
}
