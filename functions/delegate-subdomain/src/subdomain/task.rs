//! What a request asks for.

use super::{
    delegation::Delegation,
    memory::Memory,
    properties::{Leaving, ParentReference, Wanted},
};
use crate::error::Error;
use custom_resource::{Request, RequestType};

/// What a request asks for, as far as it is carried out at one time.
#[derive(Debug)]
pub(super) enum Task {
    /// Create and Update.
    Establish(Box<Establish>),
    /// Delete, and what an Update deletes after it: the leftovers of a failed one.
    Remove(Box<Remove>),
    /// Nothing: no Create with such properties created anything.
    Nothing,
}

/// A delegated subdomain is to exist.
#[derive(Debug)]
pub(super) struct Establish {
    pub(super) wanted: Wanted,
    /// The properties before an Update. If that is a rollback, they are those of the update that failed. None if they are
    /// unusable, so that nothing was created with them.
    pub(super) before: Option<Wanted>,
    /// What the physical id of an Update names.
    pub(super) current: Option<Delegation>,
}

/// Delegated subdomains are to be deleted.
#[derive(Debug)]
pub(super) struct Remove {
    pub(super) which: Which,
    pub(super) leaving: Leaving,
}

#[derive(Debug)]
pub(super) enum Which {
    /// The one that the physical id of a Delete names.
    Named(Delegation),
    /// Those that the ownership tags name, because no id that was answered does.
    Tagged,
    /// Those that an Update which failed has created, but for what the resource has now.
    Leftovers { kept: Vec<Delegation> },
}

impl Task {
    /// Returns what a request asks for, given what its earlier attempts have done.
    ///
    /// # Errors
    ///
    /// A property of a Create or Update is wrong.
    pub(super) fn of(request: &Request, memory: &Memory) -> Result<Self, Error> {
        if request.request_type == RequestType::Delete {
            return Ok(Self::delete(request));
        }
        let current = Delegation::parse(request.physical_id());
        let before = (request.request_type == RequestType::Update)
            .then(|| Wanted::parse(&request.old_properties).ok())
            .flatten();
        if let (Some(established), Some(before)) = (&memory.established, &before) {
            let kept = [Some(established.delegation.clone()), current];
            return Ok(Self::Remove(Box::new(Remove {
                which: Which::Leftovers {
                    kept: kept.into_iter().flatten().collect(),
                },
                leaving: Leaving::of(before),
            })));
        }
        Ok(Self::Establish(Box::new(Establish {
            wanted: Wanted::parse(&request.properties)?,
            before,
            current,
        })))
    }

    /// Returns where the parent zone is.
    ///
    /// # Errors
    ///
    /// [`Error::NoParent`]: the properties of a Delete do not say it.
    pub(super) fn parent(&self) -> Result<&ParentReference, Error> {
        match self {
            Self::Establish(task) => Ok(&task.wanted.parent),
            Self::Remove(task) => match &task.leaving.parent {
                Ok(parent) => Ok(parent),
                Err(error) => Err(Error::NoParent(error.to_string())),
            },
            Self::Nothing => Err(Error::NoParent(Error::WhichParent.to_string())),
        }
    }

    fn delete(request: &Request) -> Self {
        let which = match Delegation::parse(request.physical_id()) {
            Some(delegation) => Which::Named(delegation),
            None => match Wanted::parse(&request.properties) {
                Ok(_) => Which::Tagged,
                Err(_) => return Self::Nothing,
            },
        };
        let leaving = Leaving::parse(&request.properties);
        Self::Remove(Box::new(Remove { which, leaving }))
    }
}
