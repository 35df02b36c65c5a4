//! What the system says of this process, under the names that Prometheus' own clients give it.

use std::time::{SystemTime, UNIX_EPOCH};

/// Ticks of a second in which Linux counts the processor's time.
const TICKS: f64 = 100.0;

/// What the system says of this process; what it does not say is 0.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Process {
    pub cpu_seconds: f64,
    pub resident_bytes: f64,
    pub open_files: f64,
    pub most_files: f64,
}

impl Process {
    /// As it is now.
    pub fn now() -> Self {
        let read = |name: &str| std::fs::read_to_string(format!("/proc/self/{name}")).unwrap_or_default();
        let files = std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count);
        Self { open_files: files as f64, ..Self::of(&read("stat"), &read("status"), &read("limits")) }
    }

    fn of(stat: &str, status: &str, limits: &str) -> Self {
        // The name, in brackets, may hold anything.
        let ticks = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace();
        let cpu: f64 = ticks.skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum();
        let number = |text: &str, name: &str, place: usize| {
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(|line| line.split_whitespace().nth(place)?.parse::<f64>().ok()).unwrap_or_default()
        };
        Self {
            cpu_seconds: cpu / TICKS,
            resident_bytes: 1024.0 * number(status, "VmRSS:", 0),
            open_files: 0.0,
            most_files: number(limits, "Max open files", 0),
        }
    }
}

/// Seconds since 1970.
pub fn seconds() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_says_is_read() {
        let stat = "7 (a ) b) S 1 7 7 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 9 0 1 2 3";
        let status = "Name:\tx\nVmRSS:\t    2048 kB\n";
        let limits = "Max open files            1024                 4096                 files\n";
        let expected = Process { cpu_seconds: 3.0, resident_bytes: 2_097_152.0, open_files: 0.0, most_files: 1024.0 };
        assert_eq!(Process::of(stat, status, limits), expected);
        assert_eq!(Process::of("", "", ""), Process::default());
        assert!(Process::now().resident_bytes > 0.0 && seconds() > 1e9);
    }
}
