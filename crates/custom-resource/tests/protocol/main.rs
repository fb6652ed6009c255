//! The protocol seen from outside: events in, answers out, with everything around a function in
//! memory.

mod https;
mod invocation;
mod stand_ins;
mod waiter;
