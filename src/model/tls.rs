//! TLS with the operating system's trusted roots, read when the first certificate is checked.
//!
//! Reading the roots takes longer than everything else a short run does, and a model server on this machine is spoken
//! to without TLS. So the store is opened by the first handshake, whatever made it necessary: the address or a proxy.

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use rustls_platform_verifier::Verifier;
use std::sync::{Arc, OnceLock};

/// A configuration for HTTP/2 and HTTP/1.1, with the roots to go with it.
///
/// # Errors
/// The cryptography cannot be set up.
pub fn config() -> Result<(ClientConfig, Arc<SystemRoots>), Error> {
    let crypto = Arc::new(rustls::crypto::ring::default_provider());
    let roots = Arc::new(SystemRoots { crypto: Arc::clone(&crypto), verifier: OnceLock::new() });
    let mut config = ClientConfig::builder_with_provider(crypto)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::clone(&roots) as Arc<dyn ServerCertVerifier>)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok((config, roots))
}

/// Checks certificates against the operating system's roots.
#[derive(Debug)]
pub struct SystemRoots {
    crypto: Arc<CryptoProvider>,
    verifier: OnceLock<Result<Verifier, Error>>,
}

impl SystemRoots {
    /// Whether the roots have been read.
    #[must_use]
    pub fn are_loaded(&self) -> bool {
        self.verifier.get().is_some()
    }

    /// Reads the roots now, for a caller who knows that they will be needed and has nothing better to do meanwhile. A
    /// failure shows at the first handshake.
    pub fn load(&self) {
        let _loaded = self.verifier();
    }

    fn verifier(&self) -> &Result<Verifier, Error> {
        self.verifier.get_or_init(|| Verifier::new(Arc::clone(&self.crypto)))
    }

    fn algorithms(&self) -> &WebPkiSupportedAlgorithms {
        &self.crypto.signature_verification_algorithms
    }
}

impl ServerCertVerifier for SystemRoots {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verifier = self.verifier().as_ref().map_err(Clone::clone)?;
        verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, self.algorithms())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, self.algorithms())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms().supported_schemes()
    }
}
