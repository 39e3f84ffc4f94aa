//! How many files, and connections, may be open at once: as many as the system allows us. It knows nothing of who opens
//! them.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The API takes 4,096 connections; receivers, peers, the disk and the log need far fewer than as many again.
const ENOUGH: u64 = 8192;

/// Raises the limit of this process to what it may raise it to. Most systems begin with 1,024, for programs that are much
/// older than this one, and allow far more.
pub(super) fn raise_limit() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    if limit.current != limit.maximum
        && let Err(err) = setrlimit(Resource::Nofile, raised)
    {
        tracing::warn!(%err, "The limit of open files stays as it is");
    }
    let limit = getrlimit(Resource::Nofile).current;
    if let Some(limit) = limit.filter(|limit| *limit < ENOUGH) {
        tracing::warn!(
            limit,
            enough = ENOUGH,
            "Few files may be open at once: raise the hard limit (ulimit -Hn, LimitNOFILE=)"
        );
    }
}
