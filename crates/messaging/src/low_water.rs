//! Where a walk over what waits begins.

use std::time::{Duration, Instant};

/// What was walked over so long ago counts as passed: whatever is committed within this time is seen by every walk.
const LAG: Duration = Duration::from_secs(2);
/// Walks from the very beginning take no more than such a share of the time.
const SHARE: u32 = 20;
/// However long they take, one is due after this.
const LONGEST_REST: Duration = Duration::from_secs(60);

/// A low-water mark of what waits, oldest first.
///
/// What waits is found by walking an index in order. What is done with leaves entries in it that PostgreSQL may not
/// clean up while any open transaction could still see them, and a walk from the very beginning steps over them all.
/// So a walk begins at what was passed [`LAG`] ago.
///
/// Less may lie before the mark, but something may: committed late, or given back. Walks from the very beginning
/// find it. They are as frequent as they are quick, so in a queue without leftovers nearly every walk is one.
#[derive(Debug)]
pub(crate) struct LowWater<P> {
    last: Option<P>,
    passing: Option<P>,
    passed: Option<P>,
    moved_at: Instant,
    whole_due_at: Instant,
}

/// A walk that has begun.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Walk<P> {
    /// Where; None is the very beginning.
    pub from: Option<P>,
    begun_at: Instant,
}

impl<P: Copy + Ord> LowWater<P> {
    pub fn new(now: Instant) -> LowWater<P> {
        LowWater { last: None, passing: None, passed: None, moved_at: now, whole_due_at: now }
    }

    /// Should this one fail, the next from the very beginning waits for the longest rest.
    pub fn begin(&mut self, now: Instant) -> Walk<P> {
        let from = self.passed.filter(|_| now < self.whole_due_at);
        if from.is_none() {
            self.whole_due_at = now + LONGEST_REST;
        }
        Walk { from, begun_at: now }
    }

    /// The walk found things, the last of them at `last`.
    pub fn end(&mut self, walk: Walk<P>, last: Option<P>, now: Instant) {
        if walk.from.is_none() {
            let rest = (now - walk.begun_at) * SHARE;
            self.whole_due_at = now + rest.min(LONGEST_REST);
        }
        self.pass(last, now);
    }

    /// Everything up to `last` that could be seen was found.
    pub fn pass(&mut self, last: Option<P>, now: Instant) {
        if now - self.moved_at >= LAG {
            (self.passed, self.passing, self.moved_at) = (self.passing, self.last, now);
        }
        self.last = self.last.max(last);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUICK: Duration = Duration::from_micros(100);
    const SLOW: Duration = Duration::from_secs(1);

    /// A queue whose last find moves on by 100 a second, looked at once a second, each walk taking so long.
    fn after(seconds: u64, each: Duration, begin: Instant) -> (LowWater<u64>, Instant) {
        let mut mark = LowWater::new(begin);
        for second in 0..seconds {
            let now = begin + Duration::from_secs(second);
            let walk = mark.begin(now);
            mark.end(walk, Some(second * 100), now + each);
        }
        (mark, begin + Duration::from_secs(seconds))
    }

    #[test]
    fn where_walks_are_quick_the_next_one_is_whole_at_once() {
        let (mut mark, now) = after(100, QUICK, Instant::now());
        assert_eq!(mark.begin(now).from, None);
    }

    #[test]
    fn where_walks_are_slow_they_begin_where_others_came_a_while_ago() {
        let (mut mark, now) = after(100, SLOW, Instant::now());
        let from = mark.begin(now).from.expect("a mark");
        let lag = (9_900 - from) / 100;
        assert!((2..=4).contains(&lag), "{lag} s behind");
    }

    #[test]
    fn slow_walks_from_the_very_beginning_take_a_twentieth_of_the_time() {
        let mut mark = LowWater::new(Instant::now());
        let begin = Instant::now();
        let mut whole = 0;
        for second in 0..1_000_u64 {
            let now = begin + Duration::from_secs(second);
            let walk = mark.begin(now);
            let took = if walk.from.is_none() { SLOW } else { QUICK };
            whole += u32::from(walk.from.is_none() && second > 15);
            mark.end(walk, Some(second), now + took);
        }
        assert!((40..=50).contains(&whole), "{whole} of 1,000 s");
    }

    #[test]
    fn however_slow_a_walk_from_the_very_beginning_is_the_next_one_comes_after_a_minute() {
        let (mut mark, now) = after(100, QUICK, Instant::now());
        let whole = mark.begin(now);
        assert_eq!(whole.from, None);
        let ended = now + Duration::from_secs(30);
        mark.end(whole, None, ended);
        assert!(mark.begin(ended + LONGEST_REST - QUICK).from.is_some());
        assert_eq!(mark.begin(ended + LONGEST_REST).from, None);
    }

    #[test]
    fn after_a_walk_that_failed_the_next_one_is_short() {
        let (mut mark, now) = after(100, QUICK, Instant::now());
        assert_eq!(mark.begin(now).from, None);
        assert!(mark.begin(now + SLOW).from.is_some());
    }

    #[test]
    fn a_queue_in_which_nothing_was_found_is_walked_whole() {
        let begin = Instant::now();
        let mut mark = LowWater::<u64>::new(begin);
        let walk = mark.begin(begin);
        mark.end(walk, None, begin + SLOW);
        assert_eq!(mark.begin(begin + SLOW).from, None);
    }
}
