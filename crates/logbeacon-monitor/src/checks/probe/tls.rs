//! Tls: a handshake, and what is known of the certificates that were presented.
//!
//! Knows: rustls, verification, and how long certificates last. Must not know: what is spoken
//! inside. In: a stream and a host; out: an encrypted stream, and facts in the report.

use super::failure::{Failure, ms};
use crate::checks::report::{Certificate, CheckReport};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{
    ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};
use x509_parser::parse_x509_certificate;

/// Does a handshake and verifies the certificate. What was presented is in the report even if it is
/// not good.
pub(super) async fn handshake(
    stream: TcpStream,
    host: &str,
    ca: Option<&Path>,
    report: &mut CheckReport,
) -> Result<TlsStream<TcpStream>, Failure> {
    let name = ServerName::try_from(host.to_owned())
        .map_err(|_| Failure::unknown(format!("{host:?} is not a name of a server")))?;
    let recorder = Arc::new(Recorder::new(ca).map_err(Failure::unknown)?);
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| Failure::unknown(error.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(recorder.clone())
        .with_no_client_auth();
    let begin = Instant::now();
    let connected = TlsConnector::from(Arc::new(config)).connect(name, stream).await;
    report.times.tls_ms = Some(ms(begin.elapsed()));
    report.certificate = recorder.presented().and_then(|chain| certificate(&chain));
    connected.map_err(|error| Failure::down(format!("TLS: {error}")))
}

/// Verifies as usual, and remembers what was presented.
#[derive(Debug)]
struct Recorder {
    verifier: Arc<WebPkiServerVerifier>,
    presented: Mutex<Option<Vec<CertificateDer<'static>>>>,
}

impl Recorder {
    fn new(ca: Option<&Path>) -> Result<Self, String> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().cloned());
        if let Some(path) = ca {
            let failed = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
            let own = CertificateDer::pem_file_iter(path).map_err(|error| failed(&error))?;
            for certificate in own {
                let certificate = certificate.map_err(|error| failed(&error))?;
                roots.add(certificate).map_err(|error| failed(&error))?;
            }
        }
        let provider = Arc::new(ring::default_provider());
        let builder = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider);
        let verifier = builder.build().map_err(|error| error.to_string())?;
        Ok(Self { verifier, presented: Mutex::new(None) })
    }

    fn presented(&self) -> Option<Vec<CertificateDer<'static>>> {
        self.presented.lock().ok()?.take()
    }
}

impl ServerCertVerifier for Recorder {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if let Ok(mut presented) = self.presented.lock() {
            let all = std::iter::once(leaf).chain(intermediates);
            *presented = Some(all.map(|it| it.clone().into_owned()).collect());
        }
        self.verifier.verify_server_cert(leaf, intermediates, name, ocsp, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}

/// Follows the issuers from the server's own certificate. Others that were presented are extras:
/// when they expire, nothing breaks.
fn certificate(chain: &[CertificateDer<'_>]) -> Option<Certificate> {
    let parsed: Vec<_> =
        chain.iter().filter_map(|der| Some(parse_x509_certificate(der).ok()?.1)).collect();
    let (leaf, mut rest) = (parsed.first()?, parsed.iter().skip(1).collect::<Vec<_>>());
    let expires_ms = |at: i64| at.saturating_mul(1_000);
    let leaf_expires_ms = expires_ms(leaf.validity().not_after.timestamp());
    let (mut here, mut chain_expires_ms) = (leaf, leaf_expires_ms);
    while let Some(at) = rest.iter().position(|it| it.subject() == here.issuer()) {
        here = rest.remove(at);
        chain_expires_ms = chain_expires_ms.min(expires_ms(here.validity().not_after.timestamp()));
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now_s = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    let extras = rest.iter().filter(|it| it.validity().not_after.timestamp() < now_s);
    Some(Certificate {
        leaf_expires_ms,
        chain_expires_ms,
        expired_extras: extras.map(|it| it.subject().to_string()).collect(),
    })
}
