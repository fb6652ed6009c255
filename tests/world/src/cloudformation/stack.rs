//! What CloudFormation knows of a stack.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::template::{DeletionPolicy, ResourceDefinition, Template};

/// A stack's status, as far as it says what may come next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Nothing was made yet.
    New,
    /// `CREATE_COMPLETE`, `UPDATE_COMPLETE`.
    Complete,
    /// `UPDATE_ROLLBACK_COMPLETE`.
    RolledBack,
    /// `ROLLBACK_COMPLETE`: nothing is left, only a delete is possible.
    CreateRolledBack,
    /// `ROLLBACK_FAILED`, `DELETE_FAILED`: something is left, only a delete is possible.
    NotDeleted,
    /// `UPDATE_ROLLBACK_FAILED`: only a continued rollback or a delete is possible.
    RollbackFailed,
    /// `DELETE_COMPLETE`.
    Deleted,
}

/// A resource as CloudFormation knows it.
#[derive(Clone, Debug, PartialEq)]
pub struct StackResource {
    /// What the template said when it was last applied.
    pub definition: ResourceDefinition,
    /// Its properties as they were sent last.
    pub properties: Map<String, Value>,
    /// Its id: the function's, or one of CloudFormation's own.
    pub physical_id: String,
    /// Its attributes.
    pub attributes: BTreeMap<String, String>,
    /// Whether its Create was answered with SUCCESS.
    pub settled: bool,
    /// The number of its Create.
    pub created_by: u64,
}

/// Something that CloudFormation tried to delete, could not, and no longer tracks.
#[derive(Clone, Debug, PartialEq)]
pub struct Orphan {
    /// Its logical id.
    pub logical_id: String,
    /// Its physical id.
    pub physical_id: String,
    /// The reason as CloudFormation's events have it.
    pub reason: String,
    /// The function's own sentence; none if it gave no answer.
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
    /// What was left behind.
    pub orphans: Vec<Orphan>,
    /// Resources that it had and that a deletion policy kept.
    pub retained: Vec<(String, StackResource)>,
    /// The reasons of all failures of the last operation.
    pub failures: Vec<String>,
    pub(crate) rollback: Option<Rollback>,
    /// Ids of replaced resources whose delete is still to come.
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

/// What an update that is being rolled back has still to undo.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rollback {
    /// The resources before the update.
    pub(crate) before: BTreeMap<String, StackResource>,
    /// Resources that the update touched and that are not undone yet, in the order in which it did.
    pub(crate) touched: Vec<String>,
    /// What goes once all is undone.
    pub(crate) leaving: Vec<Leaving>,
}

impl Stack {
    /// A stack that is not created yet.
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

    /// Its name.
    pub fn name(&self) -> &str {
        self.id.split('/').nth(1).unwrap_or_default()
    }

    /// Takes a resource out of the stack, and says whether its deletion policy keeps it. `rolls_back` is whether the
    /// operation that created it is being undone. A resource whose Create did not succeed is never kept.
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

    /// The template of what stands.
    pub(crate) fn standing(&self) -> Template {
        self.resources
            .iter()
            .map(|(id, resource)| (id.clone(), resource.definition.clone()))
            .collect()
    }
}
