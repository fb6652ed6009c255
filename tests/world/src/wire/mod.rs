//! What goes over the wire: who signed a request, what it asks for, and answers in each service's own form.

pub(crate) mod answer;
pub(crate) mod call;
pub(crate) mod signature;
pub(crate) mod xml;
