//! What Go's `html/template` adds to the language: every value that a template inserts is escaped for its place in the
//! page. It knows the tree of a template and HTML, CSS, JavaScript and URLs; it does not know the data.
//!
//! It was held against Go 1.26 with 200,000 random pages, and differs where Go contradicts its documentation: a template
//! that changes the context is known by where it leads also when it is called again, which Go forgets, so that it then
//! escapes for the wrong place. Errors of the page's text have a place here, and none in Go.

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
