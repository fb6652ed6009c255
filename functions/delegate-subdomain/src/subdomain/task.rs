//! Derives what to do from a request.

use super::{
    delegation::Delegation,
    memory::Memory,
    properties::{Leaving, ParentReference, Wanted},
};
use crate::error::Error;
use custom_resource::{Request, RequestType};

/// What a request asks for in its current attempt.
#[derive(Debug)]
pub(super) enum Task {
    /// Create and Update.
    Establish(Box<Establish>),
    /// Delete, and what an Update deletes at its end: the leftovers of a failed one.
    Remove(Box<Remove>),
    /// Nothing, because no Create with such properties created anything.
    Nothing,
}

/// A delegated subdomain has to exist.
#[derive(Debug)]
pub(super) struct Establish {
    pub(super) wanted: Wanted,
    /// The properties before an Update. If that is a rollback, they are those of the update that failed. None
    /// if they are unusable, because then nothing was created with them.
    pub(super) before: Option<Wanted>,
    /// The delegation in the physical id of an Update.
    pub(super) current: Option<Delegation>,
}

/// Delegated subdomains have to be deleted.
#[derive(Debug)]
pub(super) struct Remove {
    pub(super) which: Which,
    pub(super) leaving: Leaving,
}

#[derive(Debug)]
pub(super) enum Which {
    /// The delegation in the physical id of a Delete.
    Named(Delegation),
    /// Those that the ownership tags name, because no answered physical id names them.
    Tagged,
    /// What a failed Update has created, without what the resource has now.
    Leftovers { kept: Vec<Delegation> },
}

impl Task {
    /// Derives the task of a request from it and from what its earlier attempts have done.
    ///
    /// # Errors
    ///
    /// A property of a Create or Update is invalid.
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
    /// [`Error::NoParent`]: the properties of a Delete do not name it.
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
