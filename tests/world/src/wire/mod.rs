//! The wire formats: the signature of a request, its content, and answers in each service's form.

pub(crate) mod answer;
pub(crate) mod call;
pub(crate) mod signature;
pub(crate) mod xml;
