//! The GitLab receiver, end to end. A stand-in plays GitLab, since none can be had here; a client that nobody here wrote
//! says whether it plays well. Each numbered test shows one thing that the receiver promises.

mod allowed;
pub(crate) mod fake;
mod faults;
mod judge;
pub(crate) mod lab;
mod life;
mod lookup;
mod modes;
mod node;
mod person;
mod refusals;
mod schedules;
mod text;
mod twice;
