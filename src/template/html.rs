//! What Go's `html/template` adds to the language: every value that a template inserts is escaped for its place in the
//! page. It knows the tree of a template and HTML, CSS, JavaScript and URLs; it does not know the data.

mod choose;
mod content;
mod context;
mod entity;
mod escape;
mod names;
mod pass;
mod pipeline;
mod problem;
mod text;
mod transition;

pub(crate) use content::escape_value;
pub(crate) use escape::{Content, Escaper, Trust};
pub(crate) use pass::escape;
