//! Carries out one action of a plan, and decides nothing.

use crate::{
    error::Error,
    observed::Conflict,
    parameters::{DeleteError, Parameters, PutError, TagError},
    plan::{Action, Change},
    properties::{Part, Prefix},
};
use futures::{
    FutureExt,
    future::{BoxFuture, join_all},
};

type Call<'a> = BoxFuture<'a, Result<(), Stopped>>;

/// Why an action was not carried out, or not completely.
#[derive(Debug)]
pub(crate) enum Stopped {
    /// What was observed is wrong, or has changed.
    Conflict(Conflict),
    Failed(Error),
}

/// Carries out an action. Its calls are sent at the same time, and all of them are answered before it ends,
/// so that none still runs when a failed request is undone.
pub(crate) async fn act(parameters: &Parameters, action: &Action) -> Result<(), Stopped> {
    let prefix = &action.prefix;
    let calls = match &action.change {
        Change::Create(values, tags) => each(prefix, values, |name, part, value| {
            async move { Ok(parameters.create(&name, part, value, tags).await?) }.boxed()
        }),
        Change::Overwrite(values) => each(prefix, values, |name, part, value| {
            async move { Ok(parameters.overwrite(&name, part, value).await?) }.boxed()
        }),
        Change::AddTags(_, tags) => each(prefix, tags, |name, _, tags| {
            async move { Ok(parameters.add_tags(&name, tags).await?) }.boxed()
        }),
        Change::RemoveTags(_, keys) => each(prefix, keys, |name, _, keys| {
            async move { Ok(parameters.remove_tags(&name, keys).await?) }.boxed()
        }),
        Change::Delete(parts) => {
            let deleted = parameters.delete(prefix, parts).await;
            return deleted.map_err(|error| match error {
                DeleteError::Denied(error) => Stopped::Conflict(Conflict::DeleteDenied {
                    error,
                    asked: parts.len(),
                }),
                DeleteError::Other(error) => Stopped::Failed(error.into()),
            });
        }
    };
    let mut stopped = None;
    for answer in join_all(calls).await {
        match answer {
            Ok(()) => {}
            Err(failed @ Stopped::Failed(_)) => return Err(failed),
            Err(conflict @ Stopped::Conflict(_)) => stopped = Some(conflict),
        }
    }
    stopped.map_or(Ok(()), Err)
}

/// Makes one call for each parameter.
fn each<'a, T>(
    prefix: &Prefix,
    of: &'a [(Part, T)],
    call: impl Fn(String, Part, &'a T) -> Call<'a>,
) -> Vec<Call<'a>> {
    let calls = of
        .iter()
        .map(|(part, what)| call(prefix.name(*part), *part, what));
    calls.collect()
}

impl From<PutError> for Stopped {
    fn from(error: PutError) -> Self {
        match error {
            PutError::AlreadyExists => Self::Conflict(Conflict::NameTaken),
            PutError::TooManyParameters(error) => Self::Failed(Error::TooManyParameters(error)),
            PutError::TooManyVersions(error) => Self::Failed(Error::TooManyVersions(error)),
            PutError::Other(error) => Self::Failed(error.into()),
        }
    }
}

impl From<TagError> for Stopped {
    fn from(error: TagError) -> Self {
        match error {
            TagError::NoSuchParameter => Self::Conflict(Conflict::Gone),
            TagError::Other(error) => Self::Failed(error.into()),
        }
    }
}
