//! Proves that nothing is lost and nothing is left, whichever process dies and when: the functions run in the
//! strict world, with CloudFormation.

mod cases;
mod cast;
mod crash_points;
mod exclusions;
mod histories;
mod invariants;
mod permissions;
mod refused_calls;
mod roles;
mod smoke;
mod zone_size;
