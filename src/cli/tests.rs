//! The command line as an operator writes it.

use std::time::Duration;

use super::*;

fn options(arguments: &[&str]) -> Result<Options, String> {
    match parse(arguments.iter().map(ToString::to_string)) {
        Ok(Command::Serve(options)) => Ok(*options),
        Ok(other) => panic!("does not serve: {other:?}"),
        Err(error) => Err(error.report()),
    }
}

fn printed(argument: &str) -> String {
    match parse([argument.to_owned()]).unwrap() {
        Command::Print(text) => text,
        other => panic!("does not print: {other:?}"),
    }
}

#[test]
fn the_defaults_are_alertmanagers() {
    let options = options(&[]).unwrap();
    assert_eq!(options.config_file, None);
    assert_eq!(options.storage_path.to_str(), Some("data/"));
    assert_eq!(options.data_retention, Duration::from_secs(120 * 3600));
    assert_eq!((options.max_silences, options.max_silence_size_bytes, options.per_alertname_limit), (None, None, None));
    assert_eq!(options.alerts_gc_interval, Duration::from_secs(1800));
    assert_eq!(options.dispatch_start_delay, Duration::ZERO);
    assert_eq!(options.listen_addresses, [":9093"]);
    assert_eq!((options.external_url.as_str(), options.route_prefix, options.web_timeout), ("", None, None));
    assert!(options.get_concurrency >= 8);
    assert_eq!(
        (options.log_level, options.log_format, options.log_silences),
        (LogLevel::Info, LogFormat::Logfmt, false)
    );
    assert_eq!(options.features, Features::default());
    let cluster = options.cluster.unwrap();
    assert_eq!((cluster.listen_address.as_str(), cluster.peers.len()), ("0.0.0.0:9094", 0));
    assert_eq!((cluster.peer_timeout, cluster.settle_timeout), (Duration::from_secs(15), Duration::from_secs(60)));
    assert_eq!(
        (cluster.gossip_interval, cluster.reconnect_timeout),
        (Duration::from_millis(200), Duration::from_secs(21600))
    );
}

#[test]
fn what_an_operator_gives_is_taken() {
    let options = options(&[
        "--config.file=c.yml",
        "--data.retention=1h30m",
        "--silences.max-silences=10",
        "--web.listen-address=127.0.0.1:1",
        "--web.listen-address=[::1]:2",
        "--web.listen-address=vsock://:3",
        "--web.get-concurrency=3",
        "--web.timeout=5s",
        "--cluster.listen-address=",
        "--enable-feature=classic-mode,auto-gomemlimit",
    ])
    .unwrap();
    assert_eq!(options.config_file.unwrap().to_str(), Some("c.yml"));
    assert_eq!(options.data_retention, Duration::from_secs(5400));
    assert_eq!((options.max_silences, options.get_concurrency), (Some(10), 3));
    assert_eq!(options.listen_addresses, ["127.0.0.1:1", "[::1]:2", "vsock://:3"]);
    assert_eq!((options.web_timeout, options.cluster), (Some(Duration::from_secs(5)), None));
    assert!(options.features.classic_mode);
    assert_eq!(options.features.names, ["classic-mode", "auto-gomemlimit"]);
}

#[test]
fn a_value_out_of_range_is_refused() {
    for arguments in [
        &["--data.retention=0s"][..],
        &["--data.maintenance-interval=-1s"],
        &["--alerts.gc-interval=0"],
        &["--dispatch.maintenance-interval=0"],
        &["--cluster.probe-interval=0"],
        &["--data.retention=5d"],
        &["--silences.max-silences=many"],
        &["--auto-gomemlimit.ratio=1.5"],
        &["--web.listen-address=9093"],
        &["--web.listen-address=vsock://3:1"],
        &["--log.level=loud"],
        &["--log.format=xml"],
    ] {
        let error = options(arguments).unwrap_err();
        assert!(error.starts_with("watchbell: error: invalid value "), "{error}");
        assert!(error.ends_with(", try --help"), "{error}");
    }
    assert!(options(&["--cluster.probe-interval=0", "--cluster.listen-address="]).is_ok());
}

#[test]
fn what_is_not_built_is_refused() {
    let error = options(&["--web.config.file=web.yml"]).unwrap_err();
    assert!(error.contains("cannot be followed"), "{error}");
    assert!(options(&["--enable-feature=event-recorder"]).unwrap_err().contains("not built yet"));
}

#[test]
fn features_are_alertmanagers() {
    assert_eq!(
        options(&["--enable-feature=auto-gomaxprocs"]).unwrap_err(),
        "watchbell: error: unknown option 'auto-gomaxprocs' for --enable-feature, try --help"
    );
    assert!(options(&["--enable-feature=classic-mode,utf8-strict-mode"]).unwrap_err().contains("cannot have both"));
}

#[test]
fn help_and_version_are_printed() {
    for argument in ["--help", "-h", "--help-long"] {
        let help = printed(argument);
        assert!(flags::FLAGS.iter().all(|flag| help.contains(flag.name)));
    }
    let version = printed("--version");
    assert!(version.starts_with("watchbell, version 0."), "{version}");
    assert!(version.contains("(branch: ") && version.contains("\n  platform:         linux/"), "{version}");
}

#[test]
fn an_unknown_flag_is_reported_as_alertmanager_does() {
    assert_eq!(options(&["--x"]).unwrap_err(), "watchbell: error: unknown long flag '--x', try --help");
}
