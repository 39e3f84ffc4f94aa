//! Several nodes: what one knows, all know; what one tells, no other tells again.

mod nodes;
mod together;
