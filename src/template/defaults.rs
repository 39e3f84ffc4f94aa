//! The built-in templates: ours in wording, Alertmanager's in name, so that what calls or overrides them works. It is
//! only text; `set` parses it.

/// Base name and text of each file, in the order of loading. Alertmanager has the first two.
pub(crate) const FILES: [(&str, &str); 4] = [
    ("default.tmpl", include_str!("defaults/default.tmpl")),
    ("email.tmpl", include_str!("defaults/email.tmpl")),
    ("irc.tmpl", include_str!("defaults/irc.tmpl")),
    ("gitlab.tmpl", include_str!("defaults/gitlab.tmpl")),
];
