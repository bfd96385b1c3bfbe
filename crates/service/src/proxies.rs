//! Which peers are believed about a client's address.

use std::net::IpAddr;
use std::str::FromStr;

use axum::http::HeaderMap;

/// Header in which a proxy (and our own HTTP client) names the client.
pub(crate) const FORWARDED_FOR: &str = "x-forwarded-for";

/// The proxies of others (`TRUSTED_PROXIES`: addresses and networks, comma-separated) whose `X-Forwarded-For` counts.
/// Empty by default: then the peer is the client. Processes of the shop need not be listed: they vouch for what they say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<Network>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Network {
    address: IpAddr,
    prefix_bits: u8,
}

impl TrustedProxies {
    /// The client's address: the peer, or, behind trusted proxies, the last forwarded address that is not one of them.
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let peer = peer.to_canonical();
        if !self.trusts(peer) {
            return peer;
        }
        let mut client = peer;
        let forwarded = headers.get_all(FORWARDED_FOR).iter().filter_map(|value| value.to_str().ok());
        let hops: Vec<&str> = forwarded.flat_map(|line| line.split(',')).map(str::trim).collect();
        for hop in hops.into_iter().rev() {
            let Ok(address) = hop.parse::<IpAddr>() else { break };
            client = address.to_canonical();
            if !self.trusts(client) {
                break;
            }
        }
        client
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(address))
    }
}

impl Network {
    fn contains(self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(self.prefix_bits)).unwrap_or(0);
                network.to_bits() & mask == address.to_bits() & mask
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(self.prefix_bits)).unwrap_or(0);
                network.to_bits() & mask == address.to_bits() & mask
            }
            _ => false,
        }
    }
}

impl FromStr for TrustedProxies {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(network).collect::<Result<_, _>>().map(Self)
    }
}

fn network(text: &str) -> Result<Network, String> {
    let wrong = || format!("{text:?} is neither an address nor a network");
    let (address, prefix) = text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
    let address: IpAddr = address.parse().map_err(|_| wrong())?;
    let whole = if address.is_ipv4() { 32 } else { 128 };
    let prefix_bits = match prefix {
        None => whole,
        Some(prefix) => prefix.parse().ok().filter(|bits| *bits <= whole).ok_or_else(wrong)?,
    };
    Ok(Network { address, prefix_bits })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(trusted: &str, peer: &str, forwarded: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append(FORWARDED_FOR, line.parse().unwrap());
        }
        trusted.parse::<TrustedProxies>().unwrap().client(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn a_stranger_is_not_believed() {
        assert_eq!(client("", "203.0.113.9", &["1.2.3.4"]), "203.0.113.9");
        assert_eq!(client("10.0.0.0/8", "203.0.113.9", &["1.2.3.4"]), "203.0.113.9");
    }

    #[test]
    fn the_last_hop_that_is_no_proxy_is_the_client() {
        assert_eq!(client("10.0.0.0/8", "10.1.2.3", &["6.6.6.6, 1.2.3.4"]), "1.2.3.4");
        assert_eq!(client("10.0.0.0/8", "10.1.2.3", &["6.6.6.6", "1.2.3.4, 10.9.9.9"]), "1.2.3.4");
        assert_eq!(client("10.0.0.0/8,::1", "::1", &["1.2.3.4"]), "1.2.3.4");
        assert_eq!(client("10.0.0.0/8", "::ffff:10.1.2.3", &["1.2.3.4"]), "1.2.3.4");
        assert_eq!(client("0.0.0.0/0", "10.1.2.3", &["1.2.3.4"]), "1.2.3.4");
    }

    #[test]
    fn nonsense_ends_the_search() {
        assert_eq!(client("10.0.0.0/8", "10.1.2.3", &["1.2.3.4, unknown"]), "10.1.2.3");
        assert_eq!(client("10.0.0.0/8", "10.1.2.3", &[]), "10.1.2.3");
    }

    #[test]
    fn a_wrong_network_is_refused() {
        for text in ["10.0.0.0/33", "host", "10.0.0.0/x", "::/129"] {
            assert!(text.parse::<TrustedProxies>().is_err(), "{text}");
        }
    }
}
