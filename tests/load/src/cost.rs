//! What processes have used, from /proc.

use std::time::Duration;

use anyhow::{Context as _, Result};

/// Processor time and memory of some processes together.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cost {
    pub(crate) cpu: Duration,
    pub(crate) resident: u64,
}

/// Clock ticks of /proc/PID/stat a second: Linux has not had another value on any machine that this runs on.
const TICKS: u64 = 100;
const PAGE: u64 = 4096;

impl Cost {
    /// Of these processes and their children.
    pub(crate) fn of(pids: &[u32]) -> Result<Self> {
        let mut sum = Self::default();
        let mut left = pids.to_vec();
        while let Some(pid) = left.pop() {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))
                .with_context(|| format!("process {pid}"))?;
            // The name, in parentheses, may hold anything.
            let fields: Vec<&str> = stat
                .rsplit(')')
                .next()
                .unwrap_or_default()
                .split_whitespace()
                .collect();
            let field = |at: usize| {
                fields
                    .get(at)
                    .and_then(|field| field.parse::<u64>().ok())
                    .unwrap_or_default()
            };
            sum.cpu += Duration::from_millis((field(11) + field(12)) * 1000 / TICKS);
            sum.resident += field(21) * PAGE;
            let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"))
                .unwrap_or_default();
            left.extend(
                children
                    .split_whitespace()
                    .filter_map(|child| child.parse::<u32>().ok()),
            );
        }
        Ok(sum)
    }
}
