//! The client's address on its way between processes of the shop.
//!
//! Behind the gateway every request comes from the gateway. Who limits by address, as the login does, would count all
//! clients as one, so the gateway says who the client is. Anybody could say so; it is believed because only processes of
//! the shop know `JWT_SECRET`. That needs no list of their addresses: `TRUSTED_PROXIES` is for proxies of others.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use axum::http::{HeaderMap, HeaderName};
use chrono::Utc;
use events::CorrelationId;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// `ADDRESS SECONDS SIGNATURE`: the client, when that was said (since 1970), and the proof that one of us said it, for
/// the request with this correlation id.
pub(crate) const CLIENT: HeaderName = HeaderName::from_static("x-prost-client");

/// Clocks of two machines may differ by less than this, and what was signed is believed no longer.
const VALID_S: i64 = 120;

/// Proves what a process of the shop says about a client to the others. Cheap to clone; never printed.
#[derive(Clone)]
pub struct Voucher(Arc<[Hmac<Sha256>]>);

impl Voucher {
    /// Signs with the first secret, believes any of them.
    pub(crate) fn new<'a>(secrets: impl Iterator<Item = &'a str>) -> Voucher {
        Voucher(secrets.map(|secret| keyed(&sign(keyed(secret.as_bytes()), "prost: the client's address"))).collect())
    }

    /// The header's value.
    pub(crate) fn vouch_for(&self, address: IpAddr, request: CorrelationId) -> String {
        self.vouch_at(Utc::now().timestamp(), address, request)
    }

    fn vouch_at(&self, seconds: i64, address: IpAddr, request: CorrelationId) -> String {
        let said = format!("{address} {seconds}");
        let signature = self.0.first().map(|key| hex::encode(sign(key.clone(), &statement(&said, request))));
        format!("{said} {}", signature.unwrap_or_default())
    }

    /// The client's address, if one of us vouches for it in this request.
    pub(crate) fn address(&self, headers: &HeaderMap, request: CorrelationId) -> Option<IpAddr> {
        let (said, signature) = headers.get(CLIENT)?.to_str().ok()?.rsplit_once(' ')?;
        let (address, seconds) = said.split_once(' ')?;
        let signature = hex::decode(signature).ok()?;
        let age_s = Utc::now().timestamp().checked_sub(seconds.parse().ok()?)?;
        let is_ours = self.0.iter().any(|key| {
            let statement = statement(said, request);
            key.clone().chain_update(statement).verify_slice(&signature).is_ok()
        });
        let address: IpAddr = address.parse().ok()?;
        (is_ours && (-VALID_S..=VALID_S).contains(&age_s)).then(|| address.to_canonical())
    }
}

fn statement(said: &str, request: CorrelationId) -> String {
    format!("{said} {request}")
}

/// An HMAC that signs with `key`.
pub(crate) fn keyed(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("any length is a key")
}

/// The signature of a text.
pub(crate) fn sign(key: Hmac<Sha256>, text: &str) -> Vec<u8> {
    key.chain_update(text).finalize().into_bytes().to_vec()
}

impl fmt::Debug for Voucher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Voucher(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEW: &str = "the present secret, 32 bytes long or more";
    const OLD: &str = "the secret before, 32 bytes long or more";

    fn client() -> IpAddr {
        [203, 0, 113, 9].into()
    }

    fn heard(voucher: &Voucher, value: &str, request: CorrelationId) -> Option<IpAddr> {
        voucher.address(&HeaderMap::from_iter([(CLIENT, value.parse().unwrap())]), request)
    }

    #[test]
    fn what_one_of_us_says_is_believed_during_a_rotation_too() {
        let request = CorrelationId::new();
        let said = Voucher::new([OLD].into_iter()).vouch_for(client(), request);
        assert_eq!(heard(&Voucher::new([NEW, OLD].into_iter()), &said, request), Some(client()));
        assert_eq!(heard(&Voucher::new([NEW].into_iter()), &said, request), None);
        let mapped = Voucher::new([NEW].into_iter()).vouch_for("::ffff:203.0.113.9".parse().unwrap(), request);
        assert_eq!(heard(&Voucher::new([NEW].into_iter()), &mapped, request), Some(client()));
    }

    #[test]
    fn nothing_else_is() {
        let (voucher, request) = (Voucher::new([NEW].into_iter()), CorrelationId::new());
        let said = voucher.vouch_for(client(), request);
        assert_eq!(heard(&voucher, &said, CorrelationId::new()), None, "of another request");
        assert_eq!(heard(&voucher, &said.replace("113.9", "113.8"), request), None, "another address");
        let now = Utc::now().timestamp();
        for seconds in [now - VALID_S - 5, now + VALID_S + 5, i64::MIN, i64::MAX] {
            assert_eq!(heard(&voucher, &voucher.vouch_at(seconds, client(), request), request), None, "{seconds}");
        }
        for nonsense in ["", " ", "203.0.113.9", "203.0.113.9 0", "a b c", &format!("203.0.113.9 {now} "), &said[1..]] {
            assert_eq!(heard(&voucher, nonsense, request), None, "{nonsense}");
        }
    }
}
