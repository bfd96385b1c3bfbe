//! What processes used, from /proc. On systems without it the figures are zero.

use std::fs;

/// Clock ticks per second of /proc/PID/stat; 100 on every Linux that Rust runs on.
const TICKS: f64 = 100.0;

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

/// Resident memory in MB.
pub fn memory_mb(pid: i32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .and_then(|value| value.trim().trim_end_matches("kB").trim().parse::<f64>().ok())
        .map_or(0.0, |kilobytes| kilobytes / 1024.0)
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
