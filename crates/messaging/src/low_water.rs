//! Where a walk over what waits begins.

use std::time::{Duration, Instant};

/// What was walked over so long ago counts as passed: whatever is committed within this time is seen by every walk.
const LAG: Duration = Duration::from_secs(5);
/// After a walk from the very beginning the next one waits so many times as long as it took, at the most.
const SHARE: u32 = 5;
/// However long they take, one is due after this.
const LONGEST_REST: Duration = Duration::from_secs(10);

/// A low-water mark of what waits, oldest first.
///
/// What waits is found by walking an index in order. What is done with leaves entries in it that PostgreSQL may not
/// clean up while any open transaction could still see them, and a walk from the very beginning steps over them all.
/// So a walk begins at what was passed [`LAG`] ago.
///
/// Less may lie before the mark, but something may: committed late, or given back. Walks from the very beginning
/// find it. They are as frequent as they are quick, so in a queue without leftovers nearly every walk is one. If one of
/// them cannot carry all it finds, the mark goes back to where it stopped.
#[derive(Debug)]
pub(crate) struct LowWater<P> {
    last: Option<P>,
    passing: Option<P>,
    passed: Option<P>,
    moved_at: Instant,
    whole_due_at: Instant,
}

/// A walk that has begun. One that fails at once, or is broken off, need not be ended: it changes nothing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Walk<P> {
    /// Where; None is the very beginning.
    pub from: Option<P>,
    begun_at: Instant,
}

/// What a walk found.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Found<P> {
    /// Everything that waits, the last of it there.
    All(Option<P>),
    /// As much as it may carry, up to there.
    Part(P),
}

impl<P> Found<P> {
    /// So many of `max`, the last of them at `last`.
    pub fn new(count: usize, max: usize, last: Option<P>) -> Found<P> {
        match last {
            Some(last) if count >= max => Found::Part(last),
            last => Found::All(last),
        }
    }
}

impl<P: Copy + Ord> LowWater<P> {
    pub fn new(now: Instant) -> LowWater<P> {
        LowWater { last: None, passing: None, passed: None, moved_at: now, whole_due_at: now }
    }

    pub fn begin(&self, now: Instant) -> Walk<P> {
        Walk { from: self.passed.filter(|_| now < self.whole_due_at), begun_at: now }
    }

    pub fn end(&mut self, walk: Walk<P>, found: Found<P>, now: Instant) {
        self.rest_after(walk, now);
        match found {
            Found::Part(last) if walk.from.is_none() => {
                (self.last, self.passing, self.passed, self.moved_at) = (Some(last), Some(last), Some(last), now);
            }
            Found::Part(last) => self.pass(Some(last), now),
            Found::All(last) => self.pass(last, now),
        }
    }

    /// The walk was given up because it took too long.
    pub fn give_up(&mut self, walk: Walk<P>, now: Instant) {
        self.rest_after(walk, now);
    }

    /// Everything up to `last` that could be seen was found.
    pub fn pass(&mut self, last: Option<P>, now: Instant) {
        if now - self.moved_at >= LAG {
            (self.passed, self.passing, self.moved_at) = (self.passing, self.last, now);
        }
        self.last = self.last.max(last);
    }

    fn rest_after(&mut self, walk: Walk<P>, now: Instant) {
        if walk.from.is_none() {
            let rest = (now - walk.begun_at) * SHARE;
            self.whole_due_at = now + rest.min(LONGEST_REST);
        }
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
            mark.end(walk, Found::All(Some(second * 100)), now + each);
        }
        (mark, begin + Duration::from_secs(seconds))
    }

    #[test]
    fn where_walks_are_quick_the_next_one_is_whole_at_once() {
        let (mark, now) = after(100, QUICK, Instant::now());
        assert_eq!(mark.begin(now).from, None);
    }

    #[test]
    fn where_walks_are_slow_they_begin_where_others_came_a_while_ago() {
        let (mark, now) = after(100, SLOW, Instant::now());
        let from = mark.begin(now).from.expect("a mark");
        let lag = (9_900 - from) / 100;
        assert!((5..=10).contains(&lag), "{lag} s behind");
    }

    #[test]
    fn slow_walks_from_the_very_beginning_take_a_sixth_of_the_time() {
        let mut mark = LowWater::new(Instant::now());
        let begin = Instant::now();
        let mut whole = 0;
        for second in 0..1_000_u64 {
            let now = begin + Duration::from_secs(second);
            let walk = mark.begin(now);
            let took = if walk.from.is_none() { SLOW } else { QUICK };
            whole += u32::from(walk.from.is_none() && second > 15);
            mark.end(walk, Found::All(Some(second)), now + took);
        }
        assert!((150..=170).contains(&whole), "{whole} of 1,000 s");
    }

    #[test]
    fn however_slow_a_walk_from_the_very_beginning_is_the_next_one_comes_soon() {
        let (mut mark, now) = after(100, QUICK, Instant::now());
        let whole = mark.begin(now);
        assert_eq!(whole.from, None);
        let ended = now + Duration::from_secs(30);
        mark.end(whole, Found::All(None), ended);
        assert!(mark.begin(ended + LONGEST_REST - QUICK).from.is_some());
        assert_eq!(mark.begin(ended + LONGEST_REST).from, None);
    }

    #[test]
    fn after_a_walk_that_failed_the_next_one_is_whole_and_after_one_that_took_too_long_short() {
        let (mut mark, now) = after(100, QUICK, Instant::now());
        let failed = mark.begin(now);
        assert_eq!((failed.from, mark.begin(now).from), (None, None));
        mark.give_up(failed, now + SLOW);
        assert!(mark.begin(now + SLOW).from.is_some());
    }

    #[test]
    fn what_a_walk_from_the_very_beginning_could_not_carry_is_found_by_the_next_ones() {
        let (mut mark, now) = after(100, QUICK, Instant::now());
        let whole = mark.begin(now);
        mark.end(whole, Found::Part(7), now + SLOW);
        let next = mark.begin(now + SLOW);
        assert_eq!(next.from, Some(7));
        mark.end(next, Found::Part(8), now + SLOW);
        assert_eq!(mark.begin(now + SLOW).from, Some(7), "what lies behind it stays within reach");
    }

    #[test]
    fn a_queue_in_which_nothing_was_found_is_walked_whole() {
        let begin = Instant::now();
        let mut mark = LowWater::<u64>::new(begin);
        let walk = mark.begin(begin);
        mark.end(walk, Found::All(None), begin + SLOW);
        assert_eq!(mark.begin(begin + SLOW).from, None);
    }
}
