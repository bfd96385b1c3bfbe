//! The optional limit on requests per client address (`RATE_LIMIT_PER_ADDRESS`), for whoever faces the outside.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::error::Error;
use crate::layers::Origin;

const WINDOW: Duration = Duration::from_secs(60);

/// Addresses remembered at most; beyond it newcomers are let through, uncounted, until windows end.
const MAX_ADDRESSES: usize = 100_000;

/// Whoever watches the service asks often, and has to get its answer in a flood most of all.
const EXEMPT_PATHS: [&str; 4] = ["/health", "/livez", "/readyz", "/metrics"];

/// Counts requests per address, in windows of a minute that begin with an address's first request.
#[derive(Debug)]
pub(crate) struct RateLimit {
    per_minute: NonZeroU32,
    windows: Mutex<HashMap<IpAddr, Window>>,
}

#[derive(Clone, Copy, Debug)]
struct Window {
    began: Instant,
    requests: u32,
}

/// What is left of an address's window after this request; `None` in `remaining` if there was nothing left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Verdict {
    remaining: Option<u32>,
    resets_in: Duration,
}

impl RateLimit {
    pub(crate) fn new(per_minute: NonZeroU32) -> Self {
        Self { per_minute, windows: Mutex::default() }
    }

    fn count(&self, address: IpAddr, now: Instant) -> Verdict {
        // Each step leaves the map whole, so that a panic elsewhere does not spoil it.
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let address = network_of(address);
        if windows.len() >= MAX_ADDRESSES && !windows.contains_key(&address) {
            windows.retain(|_, window| now.duration_since(window.began) < WINDOW);
            if windows.len() >= MAX_ADDRESSES {
                return Verdict { remaining: Some(0), resets_in: WINDOW };
            }
        }
        let window = windows.entry(address).or_insert(Window { began: now, requests: 0 });
        if now.duration_since(window.began) >= WINDOW {
            *window = Window { began: now, requests: 0 };
        }
        window.requests = window.requests.saturating_add(1);
        Verdict {
            remaining: self.per_minute.get().checked_sub(window.requests),
            resets_in: WINDOW.saturating_sub(now.duration_since(window.began)),
        }
    }

    /// The fields of the IETF draft on rate limit headers.
    fn add_headers(&self, headers: &mut HeaderMap, verdict: Verdict) {
        let policy = format!("\"address\";q={};w={}", self.per_minute, WINDOW.as_secs());
        let state = format!("\"address\";r={};t={}", verdict.remaining.unwrap_or(0), seconds(verdict.resets_in));
        for (name, value) in [("ratelimit-policy", policy), ("ratelimit", state)] {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
    }
}

/// One customer of an IPv6 provider has at least a whole /64.
fn network_of(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)).into(),
    }
}

fn seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}

/// The layer: 429 with `Retry-After` above the limit, `RateLimit` headers on every answer.
pub(crate) async fn limit_rate(State(limit): State<Arc<RateLimit>>, request: Request, next: Next) -> Response {
    let address = request.extensions().get::<Origin>().and_then(|origin| origin.address);
    let Some(address) = address.filter(|_| !EXEMPT_PATHS.contains(&request.uri().path())) else {
        return next.run(request).await;
    };
    let verdict = limit.count(address, Instant::now());
    let mut response = match verdict.remaining {
        Some(_) => next.run(request).await,
        None => {
            let after = Duration::from_secs(seconds(verdict.resets_in));
            Error::too_many_requests("too many requests from this address", after).into_response()
        }
    };
    limit.add_headers(response.headers_mut(), verdict);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(per_minute: u32) -> RateLimit {
        RateLimit::new(NonZeroU32::new(per_minute).unwrap())
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn each_address_has_its_own_window_and_a_new_one_after_a_minute() {
        let (limit, now) = (limit(2), Instant::now());
        let (ann, bob) = (address("203.0.113.1"), address("203.0.113.2"));
        let left = |address, now| limit.count(address, now).remaining;
        assert_eq!([left(ann, now), left(ann, now), left(ann, now)], [Some(1), Some(0), None]);
        assert_eq!(left(bob, now), Some(1));
        let later = now + Duration::from_secs(20);
        assert_eq!(limit.count(ann, later), Verdict { remaining: None, resets_in: Duration::from_secs(40) });
        assert_eq!(left(ann, now + WINDOW), Some(1));
    }

    #[test]
    fn addresses_of_one_ipv6_customer_count_together() {
        let (limit, now) = (limit(1), Instant::now());
        assert_eq!(limit.count(address("2001:db8::1"), now).remaining, Some(0));
        assert_eq!(limit.count(address("2001:db8::2"), now).remaining, None);
        assert_eq!(limit.count(address("2001:db8:0:1::1"), now).remaining, Some(0));
    }

    #[test]
    fn memory_is_bounded_and_freed_when_windows_end() {
        let (limit, now) = (limit(1), Instant::now());
        for n in 0..=u32::try_from(MAX_ADDRESSES).unwrap() {
            limit.count(IpAddr::V4(n.into()), now);
        }
        assert_eq!(limit.windows.lock().unwrap().len(), MAX_ADDRESSES);
        limit.count(address("203.0.113.1"), now + WINDOW);
        assert_eq!(limit.windows.lock().unwrap().len(), 1);
    }
}
