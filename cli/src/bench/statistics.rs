//! Latencies and what is told of them.

use std::time::Duration;

use serde::Serialize;

use super::resources::Parts;

/// What one run measured.
#[derive(Debug, Clone, Serialize)]
pub struct Measured {
    /// Completed per second.
    pub rate: f64,
    /// What the rate is held against, measured in the same run or session; per second.
    pub reference_rate: Option<f64>,
    /// Half were faster.
    pub p50_ms: f64,
    /// Ninety-nine of a hundred were faster.
    pub p99_ms: f64,
    /// How many completed in the measured time.
    pub completed: usize,
    /// How many ended as they should, also before and after it.
    pub turns: usize,
    /// How many did not, or not as they should.
    pub errors: usize,
    /// Processor time for each that completed, in milliseconds.
    pub cpu_ms: Parts,
    /// Resident memory under load, in MB.
    pub memory_mb: Parts,
}

/// The latency below which a share of them lies, in milliseconds; zero for none.
pub fn percentile(sorted: &[Duration], share: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return 0.0 };
    let place = (share * last as f64).round() as usize;
    sorted[place.min(last)].as_secs_f64() * 1e3
}

/// Median, least and greatest of a figure over several runs.
pub fn spread(figures: impl Iterator<Item = f64>) -> (f64, f64, f64) {
    let mut sorted: Vec<f64> = figures.collect();
    sorted.sort_by(f64::total_cmp);
    match (sorted.first(), sorted.get(sorted.len() / 2), sorted.last()) {
        (Some(least), Some(median), Some(greatest)) => (*median, *least, *greatest),
        _ => (0.0, 0.0, 0.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_of_a_hundred() {
        let sorted: Vec<Duration> = (1..=100).map(Duration::from_millis).collect();
        assert_eq!(percentile(&sorted, 0.99), 99.0);
        assert_eq!(percentile(&sorted, 0.0), 1.0);
        assert_eq!(percentile(&[], 0.5), 0.0);
    }

    #[test]
    fn the_median_lies_between_the_extremes() {
        assert_eq!(spread([3.0, 1.0, 2.0].into_iter()), (2.0, 1.0, 3.0));
    }
}
