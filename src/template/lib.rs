//! Go templates.
#![allow(dead_code)]

mod ast;
mod check;
mod data;
mod defaults;
mod error;
mod eval;
mod functions;
mod html;
mod lex;
mod method;
mod parse;
mod printf;
mod routelabels;
mod set;
mod time;
mod value;

pub use data::{Alert, Alerts, Data, Kv};
pub use error::{ErrorKind, TemplateError};
pub use routelabels::{RenderedLabels, render_route_labels};
pub use set::{Engine, Now, Template, Templates};
pub use time::Time;
