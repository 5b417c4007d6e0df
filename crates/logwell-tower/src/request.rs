//! Request: what the head of a request says, under OpenTelemetry's names.
//!
//! Knows methods, versions and hosts. Does not know headers of traces, nor bodies. A head goes in,
//! values for fields come out.

use http::header::HOST;
use http::{HeaderMap, Method, Uri, Version};

/// The method, or `_OTHER` for one that is not registered: callers can send any word.
pub(crate) fn method(method: &Method) -> &str {
    const KNOWN: [&str; 10] =
        ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "CONNECT", "TRACE", "QUERY"];
    KNOWN.into_iter().find(|known| *known == method.as_str()).unwrap_or("_OTHER")
}

/// The word that came, if it is not registered; at most 32 bytes of it.
pub(crate) fn original(sent: &Method) -> Option<&str> {
    let is_other = method(sent) == "_OTHER";
    is_other.then(|| sent.as_str().get(..32).unwrap_or(sent.as_str()))
}

/// The version as the convention writes it: `1.1`, `2`.
pub(crate) fn version(version: Version) -> Option<&'static str> {
    match version {
        Version::HTTP_09 => Some("0.9"),
        Version::HTTP_10 => Some("1.0"),
        Version::HTTP_11 => Some("1.1"),
        Version::HTTP_2 => Some("2"),
        Version::HTTP_3 => Some("3"),
        _ => None,
    }
}

/// The host and port that the request is for: of its URI, else of `Host`.
pub(crate) fn host<'a>(uri: &'a Uri, headers: &'a HeaderMap) -> (Option<&'a str>, Option<i64>) {
    if let Some(host) = uri.host() {
        return (Some(host), uri.port_u16().map(i64::from));
    }
    let Some(host) = headers.get(HOST).and_then(|host| host.to_str().ok()) else {
        return (None, None);
    };
    match host.rsplit_once(':') {
        // The colons of an IPv6 address are inside brackets.
        Some((host, port)) if !port.contains(']') => (Some(host), port.parse().ok()),
        _ => (Some(host), None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn a_method_that_is_not_registered_is_other() {
        let purge = Method::from_bytes(b"PURGE").unwrap();
        assert_eq!((method(&purge), original(&purge)), ("_OTHER", Some("PURGE")));
        assert_eq!((method(&Method::GET), original(&Method::GET)), ("GET", None));
        let long = Method::from_bytes(&[b'X'; 100]).unwrap();
        assert_eq!(original(&long).unwrap().len(), 32);
        assert_eq!(method(&Method::from_bytes(b"get").unwrap()), "_OTHER");
    }

    #[test]
    fn the_host_is_that_of_the_uri_or_of_the_header() {
        let of = |uri: &'static str, header: Option<&'static str>| {
            let mut headers = HeaderMap::new();
            if let Some(header) = header {
                headers.insert(HOST, HeaderValue::from_static(header));
            }
            let uri = Uri::from_static(uri);
            let (host, port) = host(&uri, &headers);
            (host.map(str::to_owned), port)
        };
        assert_eq!(of("http://a.b:81/x", Some("c")), (Some("a.b".into()), Some(81)));
        assert_eq!(of("/x", Some("a.b:8080")), (Some("a.b".into()), Some(8080)));
        assert_eq!(of("/x", Some("a.b")), (Some("a.b".into()), None));
        assert_eq!(of("/x", Some("[::1]")), (Some("[::1]".into()), None));
        assert_eq!(of("/x", Some("[::1]:80")), (Some("[::1]".into()), Some(80)));
        assert_eq!(of("/x", None), (None, None));
    }
}
