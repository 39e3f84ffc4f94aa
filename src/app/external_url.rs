//! Where people find us: `--web.external-url` and the path that follows from it.

use std::fmt;

use url::Url;

use crate::cli::Options;

/// The URL under which people reach us, without a slash at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ExternalUrl(Url);

impl ExternalUrl {
    /// The URL the operator gave; without one, this machine's name and the port we listen on, if it has one that a
    /// URL can name.
    pub(super) fn new(options: &Options, port: Option<u16>) -> Result<Self, String> {
        let given = match (options.external_url.as_str(), port) {
            ("", Some(port)) => format!("http://{}:{port}/", host_name()?),
            ("", None) => format!("http://{}/", host_name()?),
            (given, _) => given.to_owned(),
        };
        let url = Url::parse(&given).map_err(|error| format!("{given:?}: {error}"))?;
        match url.scheme() {
            "http" | "https" => Ok(Self(url)),
            other => Err(format!("{given:?}: invalid scheme {other:?}, only 'http' and 'https' are supported")),
        }
    }

    /// The path under which everything is served: the one given, else the URL's; with a slash before it and none
    /// behind, or empty.
    pub(super) fn route_prefix(&self, given: Option<&str>) -> String {
        match given.unwrap_or(self.0.path()).trim_matches('/') {
            "" => String::new(),
            path => format!("/{path}"),
        }
    }
}

impl fmt::Display for ExternalUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

fn host_name() -> Result<String, String> {
    const FILE: &str = "/proc/sys/kernel/hostname";
    let name = std::fs::read_to_string(FILE).map_err(|error| format!("cannot read this machine's name: {error}"))?;
    Ok(name.trim().to_owned())
}
