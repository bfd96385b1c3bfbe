//! Copies of what was read, that are never older than an answer that was given.
//!
//! Whatever is cached names [`Tag`]s: what it was made of. A writer announces which tags it is about to change
//! ([`Backend::changing`]) *before* it commits, and keeps the [`Change`] until *after*; in between these tags have no
//! version, and readers go past the cache. Each end gives them a new version. A reader asks for the versions first,
//! then looks up key and version together, then loads. So a load that began before a commit can only ever be stored
//! under a version that nobody asks for any more: the race of "loaded before, stored after" does not exist, and a
//! reader never joins a load that began before the change that it must see.
//!
//! Where versions live is the one choice:
//!
//! - **in this process** ([`Backend::in_process`]): exact as long as every writer is in this process. Its owner says
//!   so with [`Backend::trust_for`], again and again; as it begins, nothing is trusted.
//! - **in Redis** ([`Backend::redis`]): exact across processes, at the price of a round trip per read. Redis can only
//!   fail into misses: a call has 50 ms; after one that failed, this process goes past the cache for as long as any
//!   value lives (1 s). Changes under way are known in their own process, too, so a flush in their middle is seen
//!   through there. With several processes two things are not exact, for 1 s at most: what others read from a Redis
//!   that only the writer cannot reach, and what they read between a commit and its announcement's end if Redis
//!   was flushed just before that commit.
//!
//! Values are bounded by number or weight, and by age.

mod backend;
mod local;
mod redis;
mod region;
mod tag;

pub use backend::{Backend, BadUrl, Change};
pub use region::{Cache, Limits};
pub use tag::{Tag, Version};
