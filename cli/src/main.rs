//! The command `prost`.
fn main() {}
