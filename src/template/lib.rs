//! Go templates.
#![allow(dead_code)]

mod ast;
mod data;
mod defaults;
mod error;
mod functions;
mod html;
mod lex;
mod parse;
mod set;
mod time;

pub use data::{Alert, Alerts, Data, Kv};
pub use error::{ErrorKind, TemplateError};
pub use set::{Engine, Now, Template, Templates};
pub use time::Time;
