//! functions/delegate-subdomain
fn main() {}
