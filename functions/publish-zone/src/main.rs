//! functions/publish-zone
fn main() {}
