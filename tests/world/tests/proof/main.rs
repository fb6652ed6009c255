//! The proof that nothing is lost and nothing is left, whatever dies when: the functions in the strict world, under CloudFormation.

mod cases;
mod cast;
mod crash_points;
mod exclusions;
mod histories;
mod invariants;
mod refused_calls;
mod rights;
mod roles;
mod smoke;
mod zone_size;
