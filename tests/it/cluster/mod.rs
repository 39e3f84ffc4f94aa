//! Several nodes: what one knows, all know; what one tells, no other tells again.

mod agree;
mod audience;
mod flood;
mod forwarder;
mod gitlab;
mod keys;
mod lines;
mod many;
mod moves;
pub(crate) mod network;
pub(crate) mod nodes;
mod once;
mod rest;
mod strangers;
mod tls;
mod together;
mod vigil;
