//! Several nodes: what one knows, all know; what one tells, no other tells again.

mod agree;
mod gitlab;
mod moves;
pub(crate) mod network;
pub(crate) mod nodes;
mod once;
mod strangers;
mod tls;
mod together;
