//! What processes use, from /proc. On systems without it the figures are zero.

use std::fs;

use serde::Serialize;

/// Clock ticks per second of /proc/PID/stat; 100 on every Linux that Rust runs on.
const TICKS: f64 = 100.0;

/// A figure for each part that takes part in the load.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Parts {
    /// HTTP, GraphQL, decisions, relay and consumers: the shop's process.
    pub shop: f64,
    /// SQL, WAL and, with the Postgres transport, the queues: PostgreSQL with all its backends.
    pub database: f64,
    /// RabbitMQ, if it carries the messages.
    pub broker: f64,
    /// The load itself: this process.
    pub generator: f64,
}

impl Parts {
    /// `change` of each figure and its counterpart.
    pub fn with(self, other: Parts, change: impl Fn(f64, f64) -> f64) -> Parts {
        Parts {
            shop: change(self.shop, other.shop),
            database: change(self.database, other.database),
            broker: change(self.broker, other.broker),
            generator: change(self.generator, other.generator),
        }
    }
}

/// Processor seconds of a process, its threads included.
pub fn cpu_seconds(pid: i32) -> f64 {
    let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else { return 0.0 };
    // The name may hold spaces; what follows its closing bracket does not.
    let Some((_, rest)) = stat.rsplit_once(')') else { return 0.0 };
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let ticks = |index: usize| fields.get(index).and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0);
    // utime, stime, and those of children that ended.
    (ticks(11) + ticks(12) + ticks(13) + ticks(14)) / TICKS
}

/// Processor seconds of a process and all its descendants.
pub fn tree_cpu_seconds(root: i32) -> f64 {
    tree(root).into_iter().map(cpu_seconds).sum()
}

/// Resident memory of a process in MB.
pub fn memory_mb(pid: i32) -> f64 {
    kilobytes(&format!("/proc/{pid}/status"), "VmRSS:") / 1024.0
}

/// Resident memory of a process and all its descendants in MB; what they share counts once.
pub fn tree_memory_mb(root: i32) -> f64 {
    tree(root).into_iter().map(|pid| kilobytes(&format!("/proc/{pid}/smaps_rollup"), "Pss:")).sum::<f64>() / 1024.0
}

fn kilobytes(file: &str, field: &str) -> f64 {
    let text = fs::read_to_string(file).unwrap_or_default();
    text.lines()
        .find_map(|line| line.strip_prefix(field))
        .and_then(|value| value.trim().trim_end_matches("kB").trim().parse().ok())
        .unwrap_or(0.0)
}

fn tree(root: i32) -> Vec<i32> {
    let mut found = vec![root];
    let mut next = 0;
    while let Some(pid) = found.get(next).copied() {
        next += 1;
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
        found.extend(children.split_whitespace().filter_map(|child| child.parse::<i32>().ok()));
    }
    found
}
