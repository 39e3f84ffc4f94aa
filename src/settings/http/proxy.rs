//! The four keys about a proxy, as their readers see them.

use std::collections::BTreeMap;

use super::super::Invalid;
use super::super::secret::Secret;
use super::super::url::ProxyUrl;

/// The four keys about a proxy, which [`HttpConfig`](super::HttpConfig) and [`OAuth2`](super::OAuth2) share.
#[derive(Clone, Copy, Debug)]
pub struct Proxy<'a> {
    /// The proxy to go through, or empty.
    pub url: &'a ProxyUrl,
    /// Hosts to be reached without it.
    pub no_proxy: &'a str,
    /// Whether the environment names it.
    pub from_environment: bool,
    /// Headers for `CONNECT`.
    pub connect_header: &'a BTreeMap<String, Vec<Secret>>,
}

impl Proxy<'_> {
    pub(super) fn validate(&self) -> Result<(), Invalid> {
        Invalid::when(
            !self.connect_header.is_empty() && !self.from_environment && self.url.is_empty(),
            "if proxy_connect_header is configured, proxy_url or proxy_from_environment must also be configured",
        )?;
        Invalid::when(
            self.from_environment && !self.url.is_empty(),
            "if proxy_from_environment is configured, proxy_url must not be configured",
        )?;
        Invalid::when(
            self.from_environment && !self.no_proxy.is_empty(),
            "if proxy_from_environment is configured, no_proxy must not be configured",
        )?;
        Invalid::when(
            !self.no_proxy.is_empty() && self.url.is_empty(),
            "if no_proxy is configured, proxy_url must also be configured",
        )
    }
}
