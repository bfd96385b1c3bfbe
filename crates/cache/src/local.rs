//! Versions in this process: counters, a fixed number of them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::{Tag, Version};

/// One counter for each kind, so that kinds never share one.
const KINDS: usize = 1 << 8;
/// Counters that single objects share: who shares one with an object that changes is read anew without need.
const SHARED: usize = 1 << 13;

/// Low bits: changes under way. High bits: changes begun and ended.
const UNDER_WAY: u64 = 1;
const STEP: u64 = 1 << 16;
const UNDER_WAY_MASK: u64 = STEP - 1;

#[derive(Debug)]
pub(crate) struct Local {
    counters: Box<[AtomicU64]>,
    /// Counted up with every new trust: what was cached under an earlier one is out of date.
    trust: AtomicU64,
    began: Instant,
    trusted_until_ms: AtomicU64,
}

impl Local {
    pub(crate) fn new() -> Local {
        Local {
            counters: (0..KINDS + SHARED).map(|_| AtomicU64::new(0)).collect(),
            trust: AtomicU64::new(0),
            began: Instant::now(),
            trusted_until_ms: AtomicU64::new(0),
        }
    }

    fn counter(&self, tag: Tag) -> &AtomicU64 {
        let place = match tag.as_kind() {
            Some(kind) => usize::from(kind),
            // The low half of any UUID is random enough.
            None => KINDS + (tag.0 ^ (tag.0 >> 32)) as usize % SHARED,
        };
        &self.counters[place]
    }

    /// `None` while the tag is being changed.
    pub(crate) fn version(&self, tag: Tag) -> Option<Version> {
        let state = self.counter(tag).load(Ordering::SeqCst);
        // The high half names the tag: one key may be asked for with different tags.
        let name = (tag.0 as u64 ^ (tag.0 >> 64) as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (state & UNDER_WAY_MASK == 0).then(|| Version(u128::from(name) << 64 | u128::from(state)))
    }

    /// `None` while nothing is trusted. Part of every version.
    pub(crate) fn trust(&self) -> Option<Version> {
        // In this order: who finds a new trust finds its number, too.
        let is_trusted = self.now_ms() < self.trusted_until_ms.load(Ordering::SeqCst);
        is_trusted.then(|| Version(u128::from(self.trust.load(Ordering::SeqCst)) << 64))
    }

    pub(crate) fn begin(&self, tags: &[Tag]) {
        for tag in tags {
            self.counter(*tag).fetch_add(STEP + UNDER_WAY, Ordering::SeqCst);
        }
    }

    pub(crate) fn end(&self, tags: &[Tag]) {
        for tag in tags {
            self.counter(*tag).fetch_add(STEP - UNDER_WAY, Ordering::SeqCst);
        }
    }

    /// Trusts from `since` for this long. Whoever lets it lapse begins anew. One caller at a time.
    pub(crate) fn trust_for(&self, since: Instant, time: Duration) {
        if self.trusted_until_ms.load(Ordering::SeqCst) <= self.now_ms() {
            self.trust.fetch_add(1, Ordering::SeqCst);
        }
        self.trusted_until_ms.store(millis(since.duration_since(self.began) + time), Ordering::SeqCst);
    }

    pub(crate) fn distrust(&self) {
        self.trusted_until_ms.store(0, Ordering::SeqCst);
    }

    fn now_ms(&self) -> u64 {
        millis(self.began.elapsed())
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
