//! The program `logbeacon`.

fn main() {}
