//! The process as Linux shows it under `/proc/self`, for the metrics every Prometheus client library tells.
//! What cannot be read is left out.

use std::fs;

/// Clock ticks a second in `/proc`: the same on every Linux that Rust runs on.
const TICKS_PER_SECOND: f64 = 100.0;

/// The metrics `process_*` that could be read: name, type, help, value.
pub(super) fn metrics() -> Vec<(&'static str, &'static str, &'static str, f64)> {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let candidates = [
        (
            "process_cpu_seconds_total",
            "counter",
            "Total user and system CPU time spent in seconds.",
            cpu_seconds(&stat),
        ),
        (
            "process_start_time_seconds",
            "gauge",
            "Start time of the process since the epoch in seconds.",
            started(&stat),
        ),
        ("process_resident_memory_bytes", "gauge", "Resident memory size in bytes.", kilobytes(&status, "VmRSS:")),
        ("process_virtual_memory_bytes", "gauge", "Virtual memory size in bytes.", kilobytes(&status, "VmSize:")),
        ("process_open_fds", "gauge", "Number of open file descriptors.", open_files()),
        ("process_max_fds", "gauge", "Maximum number of open file descriptors.", max_files()),
    ];
    candidates.into_iter().filter_map(|(name, kind, help, value)| Some((name, kind, help, value?))).collect()
}

/// Field `number` of `/proc/self/stat` as `proc(5)` counts them. The second field may hold spaces, so counting begins
/// behind its bracket.
fn stat_field(stat: &str, number: usize) -> Option<f64> {
    let (_, behind_name) = stat.rsplit_once(')')?;
    behind_name.split_whitespace().nth(number - 3)?.parse().ok()
}

fn cpu_seconds(stat: &str) -> Option<f64> {
    Some((stat_field(stat, 14)? + stat_field(stat, 15)?) / TICKS_PER_SECOND)
}

fn started(stat: &str) -> Option<f64> {
    let boot_time = fs::read_to_string("/proc/stat").ok()?;
    let boot_time: f64 = boot_time.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()?;
    Some(boot_time + stat_field(stat, 22)? / TICKS_PER_SECOND)
}

fn kilobytes(status: &str, key: &str) -> Option<f64> {
    let value = status.lines().find_map(|line| line.strip_prefix(key))?;
    let kilobytes: f64 = value.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024.0)
}

fn open_files() -> Option<f64> {
    Some(fs::read_dir("/proc/self/fd").ok()?.count() as f64)
}

fn max_files() -> Option<f64> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_brackets_does_not_shift_the_fields() {
        let stat = "7 (a b) c) S 1 2 3 4 5 6 7 8 9 10 250 150 0 0";
        assert_eq!(cpu_seconds(stat), Some(4.0));
    }

    #[test]
    fn this_process_can_be_read() {
        assert_eq!(metrics().len(), 6);
        assert!(metrics().iter().all(|(_, _, _, value)| *value >= 0.0));
    }
}
