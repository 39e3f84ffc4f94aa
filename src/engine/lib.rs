//! The engine: pure, synchronous. (Architecture text follows.)

pub mod alert;
mod alerts;
mod delivery;
pub mod effect;
pub mod engine;
mod flush;
pub mod group;
mod index;
mod ingest;
mod inhibit;
mod keep;
pub mod label;
pub mod matcher;
pub mod nflog;
pub mod notification;
pub mod peers;
pub mod policy;
pub mod replica;
pub mod resume;
pub mod route;
pub mod silence;
mod tell;
pub mod time;
pub mod timeinterval;
mod timer;
pub mod view;

pub use crate::engine::{Engine, Options};
