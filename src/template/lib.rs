//! Go's `text/template` and `html/template` as Alertmanager's notification templates use them, with its functions, its
//! data model and its default templates. Pure: no input or output, and no clock but the one that is handed in.
//!
//! ```
//! use watchbell_template::{Data, Engine, Now, Templates};
//!
//! let templates = Templates::parse(&[("team.tmpl".into(), r#"{{ define "hi" }}Hi {{ .Receiver }}{{ end }}"#.into())])?;
//! let field = templates.compile(Engine::Text, r#"{{ template "hi" . }}!"#)?;
//! let data = Data { receiver: "ops".into(), ..Data::default() };
//! let now = Now { instant: jiff::Timestamp::UNIX_EPOCH, local: jiff::tz::TimeZone::UTC };
//! assert_eq!(field.render(&data, now)?, "Hi ops!");
//! # Ok::<(), watchbell_template::TemplateError>(())
//! ```
//!
//! # One field's way
//!
//! `lex` cuts the text into tokens, `parse` makes trees (`ast`) of them, `set` keeps the named trees and lays a field's
//! own on top. For HTML, `html` puts an escaper at the end of each pipeline, by the context it stands in. All this is
//! done once, at load. `eval` executes a tree: it looks up fields (`value`), `method`s and `functions`, and prints with
//! `printf`, which is Go's `fmt`. Times, their layouts and their zones are in `time`. Whatever fails becomes an `error`
//! that names the template, the line, the byte and the part of the source that failed, in Go's words.
//!
//! # Why an engine of our own
//!
//! We measured the crates that read this language on 46 templates of Alertmanager's kind, with Go's own output as the
//! measure: `gtmpl` 0.7.1 rendered 21 of them, `go_html_template` 0.2.1 (which has no plain text) 31, and `gotmpl` 0.6.1,
//! whose language and escaping are good, 30. Nearly all that `gotmpl` lacks is methods: its values have none, and
//! `.Alerts.Firing`, `.Labels.SortedPairs` and `.StartsAt.Format` are what these templates are made of. Rewriting its
//! trees into calls would reach further, but not to two things that an operator needs: its errors when rendering carry
//! no position, and a stray `{{ end }}` silently drops the rest of the text.
//!
//! # What differs from Go
//!
//! * Texts are of characters. What cuts one in two (`slice "é" 0 1`, `"\xff"`) leaves a replacement character.
//! * Go prints the address of a pointer inside a list, and for `%p`; here it is always the same number.
//! * Depth, steps and output are bounded (`eval`, `functions`); Go bounds only the depth, at 100,000.
//! * A nil in a list or map that is the dot of a loop has no fields; Go calls that an error.
//! * Methods of `time.Time` that make bytes (`MarshalJSON`, `AppendFormat`, ...) are not there.

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
