//! What counts as a URI in an alert: what Go takes as the target of a request.

/// Whether `text` is an absolute path or begins with a scheme, and is written as Go's `url.ParseRequestURI` demands.
pub(in crate::api) fn is_request_uri(text: &str) -> bool {
    if text.is_empty() || text.bytes().any(|byte| byte < b' ' || byte == 0x7f) {
        return false;
    }
    if text == "*" {
        return true;
    }
    let (has_scheme, rest) = match split_scheme(text) {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (rest, _) = rest.split_once('?').unwrap_or((rest, ""));
    match rest.strip_prefix("//") {
        Some(authority_and_path) if has_scheme => {
            let (authority, path) =
                authority_and_path.split_at(authority_and_path.find('/').unwrap_or(authority_and_path.len()));
            is_authority(authority) && escapes_are_whole(path)
        }
        _ if rest.starts_with('/') => escapes_are_whole(rest),
        _ => has_scheme,
    }
}

/// What follows the scheme and its colon.
fn split_scheme(text: &str) -> Option<&str> {
    let (scheme, rest) = text.split_once(':')?;
    let letters = scheme.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'));
    (scheme.starts_with(|c: char| c.is_ascii_alphabetic()) && letters).then_some(rest)
}

/// `user@host:port`: of the host only what cannot be one is refused; a port is a number.
fn is_authority(authority: &str) -> bool {
    let (_, host) = authority.rsplit_once('@').unwrap_or(("", authority));
    let host_ends = host.rfind(']').map_or(0, |at| at + 1);
    let port_is_number = match host[host_ends..].rsplit_once(':') {
        Some((_, port)) => port.bytes().all(|b| b.is_ascii_digit()),
        None => true,
    };
    port_is_number && escapes_are_whole(host) && !host.contains([' ', '"', '<', '>', '\\', '^', '`', '{', '|', '}'])
}

/// Whether two hexadecimal digits follow every `%`.
fn escapes_are_whole(text: &str) -> bool {
    text.split('%').skip(1).all(|after| after.len() >= 2 && after.bytes().take(2).all(|b| b.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::is_request_uri;

    #[test]
    fn a_target_of_a_request_is_a_uri() {
        for good in [
            "http://prom:9090/graph?g0.expr=up%20%&g0.tab=1",
            "https://user:pw@[::1]:80/a b",
            "/relative?x=1",
            "mailto:a@b",
            "http://host",
            "*",
        ] {
            assert!(is_request_uri(good), "{good}");
        }
        for bad in [
            "",
            "not a url %%",
            "relative",
            "http://a b/",
            "http://host:port/",
            "/%zz",
            "1http://x",
            ":x",
            "http://a/\n",
        ] {
            assert!(!is_request_uri(bad), "{bad}");
        }
    }
}
