//! Which paths there are, and what may be done with each.

use axum::http::Method;

/// What a path below `/api/v2` names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Resource {
    Status,
    Receivers,
    Alerts,
    AlertGroups,
    Silences,
    Silence,
}

impl Resource {
    /// Reads a path without the route prefix; what follows `/silence/` comes with it. A slash at the end does not count.
    pub(super) fn find(path: &str) -> Option<(Self, &str)> {
        let path = path.strip_prefix("/api/v2/")?;
        let path = path.strip_suffix('/').unwrap_or(path);
        let resource = match path {
            "status" => Self::Status,
            "receivers" => Self::Receivers,
            "alerts" => Self::Alerts,
            "alerts/groups" => Self::AlertGroups,
            "silences" => Self::Silences,
            _ => {
                let id = path.strip_prefix("silence/").filter(|id| !id.is_empty() && !id.contains('/'))?;
                return Some((Self::Silence, id));
            }
        };
        Some((resource, ""))
    }

    /// The path with the name of what varies, for metrics.
    pub(super) fn template(self) -> &'static str {
        match self {
            Self::Status => "/api/v2/status",
            Self::Receivers => "/api/v2/receivers",
            Self::Alerts => "/api/v2/alerts",
            Self::AlertGroups => "/api/v2/alerts/groups",
            Self::Silences => "/api/v2/silences",
            Self::Silence => "/api/v2/silence/{silenceID}",
        }
    }

    pub(super) fn methods(self) -> &'static [Method] {
        match self {
            Self::Status | Self::Receivers | Self::AlertGroups => &[Method::GET],
            Self::Alerts | Self::Silences => &[Method::GET, Method::POST],
            Self::Silence => &[Method::DELETE, Method::GET],
        }
    }
}

/// What a path outside `/api/v2` names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Page {
    Index,
    Metrics,
    Healthy,
    Ready,
    Reload,
    /// A path of the API that was removed.
    Removed,
}

impl Page {
    /// Reads a path without the route prefix, which must be written exactly. The path comes back as metrics name it.
    pub(super) fn find(path: &str) -> Option<(Self, &'static str)> {
        let exact = PAGES.iter().find(|(_, known, _)| *known == path);
        let page = exact.or_else(|| PAGES.iter().find(|(_, known, _)| is_below(path, known)))?;
        Some((page.0, page.1))
    }

    pub(super) fn methods(path: &str) -> &'static [Method] {
        PAGES.iter().find(|(_, known, _)| *known == path).map_or(&[], |(_, _, methods)| methods)
    }
}

/// Whether `known` ends in a placeholder that one segment of `path` fills.
fn is_below(path: &str, known: &str) -> bool {
    known
        .strip_suffix("{id}")
        .and_then(|stem| path.strip_prefix(stem))
        .is_some_and(|id| !id.is_empty() && !id.contains('/'))
}

const GET: &[Method] = &[Method::GET];
const GET_AND_HEAD: &[Method] = &[Method::GET, Method::HEAD];
const GET_AND_POST: &[Method] = &[Method::GET, Method::POST];
const POST: &[Method] = &[Method::POST];

const PAGES: [(Page, &str, &[Method]); 10] = [
    (Page::Index, "/", GET),
    (Page::Metrics, "/metrics", GET),
    (Page::Healthy, "/-/healthy", GET_AND_HEAD),
    (Page::Ready, "/-/ready", GET_AND_HEAD),
    (Page::Reload, "/-/reload", POST),
    (Page::Removed, "/api/v1/status", GET),
    (Page::Removed, "/api/v1/receivers", GET),
    (Page::Removed, "/api/v1/alerts", GET_AND_POST),
    (Page::Removed, "/api/v1/silences", GET_AND_POST),
    (Page::Removed, "/api/v1/silence/{id}", &[Method::DELETE, Method::GET]),
];

/// The path of a page that is meant by a path written with a slash too many or in another case.
pub(super) fn meant(path: &str) -> Option<String> {
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    let clean = format!("/{}", segments.join("/"));
    [clean.to_ascii_lowercase(), clean]
        .into_iter()
        .find(|candidate| candidate != path && Page::find(candidate).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_is_found_with_or_without_a_slash() {
        assert_eq!(Resource::find("/api/v2/silences/"), Some((Resource::Silences, "")));
        assert_eq!(Resource::find("/api/v2/alerts/groups"), Some((Resource::AlertGroups, "")));
        assert_eq!(Resource::find("/api/v2/silence/abc"), Some((Resource::Silence, "abc")));
        for unknown in
            ["/api/v2/", "/api/v2/nope", "/api/v2/silence/", "/api/v2/silence/a/b", "/alertmanager/api/v2/status"]
        {
            assert_eq!(Resource::find(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn a_page_is_found_only_as_it_is_written() {
        assert_eq!(Page::find("/-/healthy").map(|(page, _)| page), Some(Page::Healthy));
        assert_eq!(Page::find("/api/v1/silence/x"), Some((Page::Removed, "/api/v1/silence/{id}")));
        for unknown in ["/-/healthy/", "/Metrics", "/api/v1/status/buildinfo", "/api/v1/silence/", "/debug/pprof"] {
            assert_eq!(Page::find(unknown), None, "{unknown}");
        }
        assert_eq!(meant("/-/healthy/").as_deref(), Some("/-/healthy"));
        assert_eq!(meant("//Metrics").as_deref(), Some("/metrics"));
        assert_eq!((meant("/metrics"), meant("/nope/")), (None, None));
    }
}
