//! What processes have used, from /proc.

use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Result};

/// Processor time and memory of some processes together.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cost {
    /// Of each thread, as the scheduler counts it: to the nanosecond, where /proc/PID/stat has ticks.
    pub(crate) threads: Vec<Duration>,
    /// Bytes.
    pub(crate) resident: u64,
}

impl Cost {
    /// Of these processes.
    pub(crate) fn of(pids: &[u32]) -> Result<Self> {
        let mut sum = Self::default();
        for pid in pids {
            let mut tasks: Vec<_> = fs::read_dir(format!("/proc/{pid}/task"))
                .with_context(|| format!("process {pid}"))?
                .filter_map(Result::ok)
                .map(|entry| entry.path())
                .collect();
            tasks.sort();
            for task in tasks {
                let text = fs::read_to_string(task.join("schedstat")).unwrap_or_default();
                let spent = text.split(' ').next().and_then(|text| text.parse().ok());
                sum.threads
                    .push(Duration::from_nanos(spent.unwrap_or_default()));
            }
            let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
            let resident = status
                .lines()
                .find_map(|line| line.strip_prefix("VmRSS:"))
                .and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
            sum.resident += resident.unwrap_or_default() * 1024;
        }
        Ok(sum)
    }

    /// What has been used since `start`.
    pub(crate) fn since(&self, start: &Self) -> Duration {
        self.cpu().saturating_sub(start.cpu())
    }

    /// Of all threads.
    fn cpu(&self) -> Duration {
        self.threads.iter().sum()
    }
}
