//! What this build is, and which Alertmanager it stands in for.

/// The program's name.
pub const PROGRAM: &str = "watchbell";

/// Watchbell's own version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The Alertmanager whose API and configuration are spoken. Clients read it from `alertmanager_build_info` and from
/// the status, and some refuse or crash on anything that is not a version of at least 0.22.0.
pub const ALERTMANAGER_VERSION: &str = "0.34.0";

/// The source revision, if the build was told it in `WATCHBELL_REVISION`.
pub const REVISION: &str = from_build(option_env!("WATCHBELL_REVISION"));

/// The source branch, if the build was told it in `WATCHBELL_BRANCH`.
pub const BRANCH: &str = from_build(option_env!("WATCHBELL_BRANCH"));

/// Who built it, if the build was told it in `WATCHBELL_BUILD_USER`.
pub const BUILD_USER: &str = from_build(option_env!("WATCHBELL_BUILD_USER"));

/// When it was built, if the build was told it in `WATCHBELL_BUILD_DATE`.
pub const BUILD_DATE: &str = from_build(option_env!("WATCHBELL_BUILD_DATE"));

/// The language it is written in, where Alertmanager tells the version of Go.
pub const TOOLCHAIN: &str = concat!("rust", env!("CARGO_PKG_RUST_VERSION"));

/// The operating system in Go's words.
pub const GOOS: &str = std::env::consts::OS;

/// The processor in Go's words.
pub fn goarch() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "x86" => "386",
        other => other,
    }
}

const fn from_build(value: Option<&'static str>) -> &'static str {
    match value {
        Some(value) => value,
        None => "unknown",
    }
}
