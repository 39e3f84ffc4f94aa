//! The GitLab receiver, end to end. A stand-in plays GitLab, since none can be had here; a client that nobody here wrote
//! says whether it plays well. Each numbered test shows one thing that the receiver promises.

mod allowed;
#[expect(dead_code, reason = "the tests of the receiver use the rest")]
mod fake;
mod faults;
mod judge;
#[expect(dead_code, reason = "the tests of the receiver use the rest")]
mod person;
