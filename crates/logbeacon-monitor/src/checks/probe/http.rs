//! Http: asks for a page and compares the answer with what is expected.
//!
//! Knows: URLs, one request over one connection, redirects, bodies. Must not know: schedules. In: a
//! page; out: facts in the report, or what is not as expected.

use super::connect::Network;
use super::failure::{Failure, ms};
use super::tls;
use crate::checks::check::Http;
use crate::checks::report::CheckReport;
use flate2::read::GzDecoder;
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{CONTENT_ENCODING, HOST, LOCATION, USER_AGENT};
use hyper::{Request, Response, Uri};
use hyper_util::rt::TokioIo;
use std::io::Read as _;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;

/// Asks for the page, follows redirects as far as it may, and compares.
pub(super) async fn look(
    network: &Network,
    http: &Http,
    report: &mut CheckReport,
) -> Result<(), Failure> {
    let mut uri: Uri =
        http.url.parse().map_err(|_| Failure::unknown(format!("{:?} is no URL", http.url)))?;
    let mut hops = 0;
    loop {
        let answer = ask(network, http, &uri, report).await?;
        let status = answer.status();
        report.http_status = Some(status.as_u16());
        if !status.is_redirection() || http.redirects == 0 {
            return compare(http, answer).await;
        }
        if hops == http.redirects {
            return Err(Failure::down(format!("more than {hops} redirects")));
        }
        hops += 1;
        uri = next(&uri, &answer)?;
        report.final_url = Some(uri.to_string());
    }
}

/// One request over a connection of its own.
async fn ask(
    network: &Network,
    http: &Http,
    uri: &Uri,
    report: &mut CheckReport,
) -> Result<Response<Incoming>, Failure> {
    let wrong = || Failure::unknown(format!("{uri} is not a URL of http or https"));
    let authority = uri.authority().ok_or_else(wrong)?;
    let is_tls = match uri.scheme_str() {
        Some("https") => true,
        Some("http") => false,
        _ => return Err(wrong()),
    };
    let port = authority.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
    let stream = network.connect(&format!("{}:{port}", authority.host()), report).await?;
    let request = request(http, uri, authority.as_str())?;
    if is_tls {
        let host = authority.host().trim_matches(['[', ']']);
        let stream = tls::handshake(stream, host, http.ca.as_deref(), report).await?;
        send(stream, request, report).await
    } else {
        send(stream, request, report).await
    }
}

fn request(http: &Http, uri: &Uri, host: &str) -> Result<Request<Empty<Bytes>>, Failure> {
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let mut builder = Request::get(path).header(HOST, host).header(USER_AGENT, AGENT);
    // A redirect to another server gets no token of this one.
    let is_own = http
        .url
        .parse::<Uri>()
        .is_ok_and(|own| (own.scheme(), own.authority()) == (uri.scheme(), uri.authority()));
    for header in http.headers.iter().filter(|_| is_own) {
        builder = builder.header(&header.name, header.value.reveal());
    }
    // The error must not show a value.
    builder.body(Empty::new()).map_err(|_| Failure::unknown("a header is invalid"))
}

async fn send<S>(
    stream: S,
    request: Request<Empty<Bytes>>,
    report: &mut CheckReport,
) -> Result<Response<Incoming>, Failure>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let broken = |error: hyper::Error| Failure::down(format!("HTTP: {error}"));
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
    // It ends with the answer's body, or when that is dropped.
    tokio::spawn(connection);
    let begin = Instant::now();
    let answer = sender.send_request(request).await.map_err(broken)?;
    report.times.first_byte_ms = Some(ms(begin.elapsed()));
    Ok(answer)
}

fn next(from: &Uri, answer: &Response<Incoming>) -> Result<Uri, Failure> {
    let wrong = || Failure::down("a redirect without a place that can be followed");
    let location = answer.headers().get(LOCATION).and_then(|value| value.to_str().ok());
    let location = location.ok_or_else(wrong)?;
    if location.contains("://") {
        return location.parse().map_err(|_| wrong());
    }
    let path = match location.strip_prefix('/') {
        Some(_) => location.to_owned(),
        None => {
            let base = from.path().rsplit_once('/').map_or("", |(base, _)| base);
            format!("{base}/{location}")
        }
    };
    let mut parts = from.clone().into_parts();
    parts.path_and_query = Some(path.parse().map_err(|_| wrong())?);
    Uri::from_parts(parts).map_err(|_| wrong())
}

async fn compare(http: &Http, answer: Response<Incoming>) -> Result<(), Failure> {
    let status = answer.status().as_u16();
    let is_good = match http.statuses.as_slice() {
        [] => (200..300).contains(&status),
        good => good.contains(&status),
    };
    if !is_good {
        return Err(Failure::down(format!("status {status}")));
    }
    if http.body.is_none() && http.json.is_empty() {
        return Ok(());
    }
    let encoding = answer.headers().get(CONTENT_ENCODING).cloned();
    let body = Limited::new(answer.into_body(), BODY_MAX_BYTES).collect().await;
    let body = body.map_err(|error| Failure::down(format!("body: {error}")))?.to_bytes();
    let body = match encoding.as_ref().map(|encoding| encoding.as_bytes()) {
        None | Some(b"identity") => body.to_vec(),
        Some(b"gzip") => unpack(&body)?,
        Some(_) => return Err(Failure::unknown("the body is packed in a way unknown here")),
    };
    let text = String::from_utf8_lossy(&body);
    if http.body.as_ref().is_some_and(|expected| !text.contains(expected.as_str())) {
        return Err(Failure::down("the body does not have the expected text"));
    }
    compare_json(http, &text)
}

fn compare_json(http: &Http, text: &str) -> Result<(), Failure> {
    if http.json.is_empty() {
        return Ok(());
    }
    let value: serde_json::Value =
        serde_json::from_str(text).map_err(|_| Failure::down("the body is not JSON"))?;
    for (path, expected) in &http.json {
        let pointer = format!("/{}", path.replace('.', "/"));
        let found = match value.pointer(&pointer) {
            None => return Err(Failure::down(format!("the body has no {path}"))),
            Some(serde_json::Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        };
        if found != *expected {
            let shown: String = found.chars().take(SHOWN_MAX).collect();
            return Err(Failure::down(format!("{path} is {shown}, not {expected}")));
        }
    }
    Ok(())
}

fn unpack(body: &[u8]) -> Result<Vec<u8>, Failure> {
    let mut unpacked = Vec::new();
    let limit = BODY_MAX_BYTES as u64 + 1;
    let read = GzDecoder::new(body).take(limit).read_to_end(&mut unpacked);
    read.map_err(|error| Failure::down(format!("body: {error}")))?;
    if unpacked.len() > BODY_MAX_BYTES {
        return Err(Failure::unknown("the body is longer than 1 MiB when unpacked"));
    }
    Ok(unpacked)
}

const AGENT: &str = concat!("logbeacon-monitor/", env!("CARGO_PKG_VERSION"));
/// Longest body that is looked at; a longer one is a failure that says so.
const BODY_MAX_BYTES: usize = 1 << 20;
/// How much of a value is shown.
const SHOWN_MAX: usize = 60;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::check::Header;
    use logwell_options::secret::Secret;

    #[test]
    fn headers_go_to_the_own_server_only() {
        let (name, value) = ("authorization".to_owned(), Secret::new("Bearer s3cret"));
        let http = Http {
            url: "https://here/health".into(),
            headers: vec![Header { name, value }],
            statuses: Vec::new(),
            body: None,
            json: Vec::new(),
            redirects: 1,
            ca: None,
        };
        for (url, is_sent) in [
            ("https://here/other", true),
            ("http://here/other", false),
            ("https://here:8443/", false),
            ("https://there/health", false),
        ] {
            let uri: Uri = url.parse().unwrap();
            let request = request(&http, &uri, "host").unwrap();
            assert_eq!(request.headers().contains_key("authorization"), is_sent, "{url}");
        }
    }
}
