//! Proxies: the one that is configured, or those that the environment names.

use reqwest::header::{HeaderMap, HeaderName};
use reqwest::{NoProxy, Proxy, Url};

use super::super::ReceiverError;
use super::secret_value;
use crate::settings::http;

/// Refuses proxies of a kind that is not spoken.
pub(super) fn check(settings: &http::Proxy<'_>) -> Result<(), ReceiverError> {
    let scheme = Url::parse(settings.url.reveal()).map(|url| url.scheme().to_owned()).unwrap_or_default();
    if !settings.url.is_empty() && !matches!(scheme.as_str(), "http" | "https" | "socks5" | "socks5h") {
        return Err(ReceiverError::Setting(format!("unsupported proxy scheme {scheme:?}")));
    }
    connect_header(settings).map(drop).map_err(ReceiverError::Setting)
}

/// The proxies to use, in order.
pub(super) fn proxies(settings: &http::Proxy<'_>) -> Result<Vec<Proxy>, String> {
    let configured = configured(settings).map_err(|error| format!("proxy: {}", super::chain(&error.without_url())))?;
    let headers = connect_header(settings)?;
    Ok(configured.into_iter().map(|proxy| proxy.headers(headers.clone())).collect())
}

fn configured(settings: &http::Proxy<'_>) -> reqwest::Result<Vec<Proxy>> {
    if settings.from_environment {
        return from_environment();
    }
    if settings.url.is_empty() {
        return Ok(Vec::new());
    }
    Ok(vec![Proxy::all(settings.url.reveal())?.no_proxy(NoProxy::from_string(settings.no_proxy))])
}

/// `HTTP_PROXY` and `HTTPS_PROXY` but for what `NO_PROXY` says; in upper case or lower case, as Go reads them.
fn from_environment() -> reqwest::Result<Vec<Proxy>> {
    let variable = |name: &str| [name.to_uppercase(), name.to_owned()].into_iter().find_map(|n| std::env::var(n).ok());
    let exceptions = || NoProxy::from_string(&variable("no_proxy").unwrap_or_default());
    let mut proxies = Vec::new();
    if let Some(url) = variable("http_proxy").filter(|url| !url.is_empty()) {
        proxies.push(Proxy::http(url)?.no_proxy(exceptions()));
    }
    if let Some(url) = variable("https_proxy").filter(|url| !url.is_empty()) {
        proxies.push(Proxy::https(url)?.no_proxy(exceptions()));
    }
    Ok(proxies)
}

fn connect_header(settings: &http::Proxy<'_>) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    for (name, values) in settings.connect_header {
        let wrong = || format!("proxy_connect_header: {name:?} is no name for a header");
        let key = HeaderName::try_from(name.as_str()).map_err(|_| wrong())?;
        for value in values {
            headers.append(key.clone(), secret_value(value.reveal())?);
        }
    }
    Ok(headers)
}
