//! Address: whose request it is, seen through the proxies in between.
//!
//! Knows `X-Forwarded-For` and `Forwarded` (RFC 7239). Believes only what the server's own proxies
//! have added, which is at the end. Headers go in, an address comes out.

use crate::server::options::{ClientAddress, PeerAddress};
use http::{HeaderMap, HeaderName, request};
use std::net::IpAddr;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The client's address, as it is to be written.
pub(super) fn client(head: &request::Parts, wanted: ClientAddress) -> Option<IpAddr> {
    match wanted {
        ClientAddress::Off => None,
        ClientAddress::Peer => peer(head),
        ClientAddress::Forwarded { hops } => forwarded(&head.headers, hops).or_else(|| peer(head)),
    }
}

fn peer(head: &request::Parts) -> Option<IpAddr> {
    #[cfg(feature = "axum")]
    if let Some(axum::extract::ConnectInfo(address)) =
        head.extensions.get::<axum::extract::ConnectInfo<std::net::SocketAddr>>()
    {
        return Some(address.ip());
    }
    head.extensions.get::<PeerAddress>().map(|PeerAddress(address)| address.ip())
}

/// The entry that the outermost of so many trusted proxies has added.
fn forwarded(headers: &HeaderMap, hops: usize) -> Option<IpAddr> {
    let texts = |name: HeaderName| {
        let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
        values.flat_map(|value| value.split(',')).map(str::trim).collect::<Vec<_>>()
    };
    let mut entries = texts(X_FORWARDED_FOR);
    if entries.is_empty() {
        entries = texts(http::header::FORWARDED).into_iter().filter_map(for_of).collect();
    }
    address(entries.get(entries.len().checked_sub(hops.max(1))?)?)
}

/// The parameter `for` of an entry of `Forwarded`.
fn for_of(entry: &str) -> Option<&str> {
    entry.split(';').find_map(|pair| {
        let (name, value) = pair.trim().split_once('=')?;
        name.eq_ignore_ascii_case("for").then(|| value.trim().trim_matches('"'))
    })
}

/// An address with or without a port, and in brackets if it is of IPv6.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.trim();
    if let Some(rest) = bare.strip_prefix('[') {
        return rest.split(']').next()?.parse().ok();
    }
    let host = bare.split_once(':').map_or(bare, |(host, _)| host);
    bare.parse().or_else(|_| host.parse()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn only_what_the_own_proxies_have_added_counts() {
        let of = |hops, values: &[(&'static str, &'static str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in values {
                headers.append(*name, HeaderValue::from_static(value));
            }
            forwarded(&headers, hops).map(|address| address.to_string())
        };
        let list = [("x-forwarded-for", "6.6.6.6, 1.2.3.4"), ("x-forwarded-for", "10.0.0.1")];
        assert_eq!(of(1, &list).unwrap(), "10.0.0.1");
        assert_eq!(of(2, &list).unwrap(), "1.2.3.4");
        assert_eq!(of(0, &list).unwrap(), "10.0.0.1");
        assert_eq!(of(4, &list), None, "fewer than there should be: nobody is believed");
        assert_eq!(of(1, &[("x-forwarded-for", "[2001:db8::1]:443")]).unwrap(), "2001:db8::1");
        assert_eq!(of(1, &[("x-forwarded-for", "2001:db8::1")]).unwrap(), "2001:db8::1");
        assert_eq!(of(1, &[("x-forwarded-for", "1.2.3.4:5")]).unwrap(), "1.2.3.4");
        assert_eq!(of(1, &[("x-forwarded-for", "unknown")]), None);
        let rfc = "for=192.0.2.60;proto=http, For=\"[2001:db8::2]:80\";by=x";
        assert_eq!(of(1, &[("forwarded", rfc)]).unwrap(), "2001:db8::2");
        assert_eq!(of(2, &[("forwarded", rfc)]).unwrap(), "192.0.2.60");
        assert_eq!(of(1, &[]), None);
    }
}
