//! The engine: pure, synchronous. (Architecture text follows.)

pub mod alert;
pub mod label;
pub mod matcher;
pub mod nflog;
pub mod notification;
pub mod policy;
pub mod replica;
pub mod silence;
pub mod time;
pub mod timeinterval;
