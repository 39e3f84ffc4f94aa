//! The program `watchbell`.

fn main() {}
