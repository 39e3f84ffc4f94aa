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
mod network;
mod nodes;
mod once;
mod rest;
mod strangers;
mod tls;
mod together;
