//! TLS under an association (PS3.15 Annex B: BCP 195 and non-downgrading BCP 195
//! profiles): versions 1.3 and 1.2, authenticated encryption, forward secrecy.
//!
//! In: PEM files. Out: connections that are secured, and the peer's certificate
//! as a digest. Files are looked at before each connection and read anew when they
//! changed; while new ones cannot be read, the old ones hold.

use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, ServerConfig, SignatureScheme};
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, TlsConnector, TlsStream};

use super::transport::Transport;

/// SHA-256 of a certificate in DER.
pub type Fingerprint = [u8; 32];

/// Why TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read as PEM.
    #[error("{}: {what}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// No name that a certificate can hold.
    #[error("{name}: no host name; write server_name as it stands in the certificate")]
    ServerName {
        /// What was written.
        name: String,
    },
    /// Certificate and key, or the authorities, are no use together.
    #[error("{}: {what}", .path.display())]
    Unusable {
        /// The certificate's file.
        path: PathBuf,
        /// What rustls says.
        what: String,
    },
}

/// A certificate with those that it leads to, and its key, in PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The certificate first, then those that signed it.
    pub certificate: PathBuf,
    /// PKCS #8, PKCS #1 or SEC1.
    pub key: PathBuf,
}

impl Identity {
    fn read(&self) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), TlsError> {
        let chain = certificates(&self.certificate)?;
        let fault = |what: String| TlsError::File { path: self.key.clone(), what };
        let file = std::fs::File::open(&self.key).map_err(|error| fault(error.to_string()))?;
        // A group may have it, as Debian's ssl-cert; everybody may not.
        let mode = file.metadata().map_err(|error| fault(error.to_string()))?.mode() & 0o777;
        if mode & 0o007 != 0 {
            return Err(fault(format!("mode {mode:o} lets everybody have the key (chmod 640)")));
        }
        let key = PrivateKeyDer::from_pem_reader(file).map_err(|error| fault(error.to_string()))?;
        Ok((chain, key))
    }
}

/// Whose certificates peers that connect must show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientAuth {
    /// Nobody's.
    None,
    /// One that these authorities signed.
    Required(PathBuf),
}

/// The door's side.
#[derive(Debug)]
pub struct TlsServer {
    identity: Identity,
    clients: ClientAuth,
    current: Mutex<Current>,
}

#[derive(Debug)]
struct Current {
    config: Arc<ServerConfig>,
    written: Vec<Option<Stamp>>,
}

impl TlsServer {
    /// Reads the files.
    ///
    /// # Errors
    /// [`TlsError`]: the node does not start.
    pub fn new(identity: Identity, clients: ClientAuth) -> Result<Self, TlsError> {
        let written = written(&identity, &clients);
        let config = server_config(&identity, &clients)?;
        let current = Mutex::new(Current { config: Arc::new(config), written });
        Ok(Self { identity, clients, current })
    }

    /// Secures a connection.
    ///
    /// # Errors
    /// The handshake failed; rustls has sent an alert.
    pub async fn accept(&self, stream: TcpStream) -> io::Result<Wire> {
        let config = self.config();
        let stream = TlsAcceptor::from(config).accept(stream).await?;
        Ok(Wire::Secured(Box::new(TlsStream::from(stream))))
    }

    /// The configuration of the files as they are now.
    fn config(&self) -> Arc<ServerConfig> {
        let now = written(&self.identity, &self.clients);
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if now != current.written {
            match server_config(&self.identity, &self.clients) {
                Ok(config) => {
                    tracing::info!("TLS certificate and authorities are read anew");
                    current.config = Arc::new(config);
                }
                Err(error) => tracing::error!(%error, "TLS goes on with what it had"),
            }
            // Said once: until the files change again.
            current.written = now;
        }
        Arc::clone(&current.config)
    }
}

/// What changes when a file is written, replaced, or made readable: inode, length,
/// and the time of the inode's last change.
type Stamp = (u64, u64, i64, i64);

/// Which files they are; `None` for one that cannot be looked at.
fn written(identity: &Identity, clients: &ClientAuth) -> Vec<Option<Stamp>> {
    let authorities = match clients {
        ClientAuth::None => None,
        ClientAuth::Required(path) => Some(path),
    };
    [&identity.certificate, &identity.key]
        .into_iter()
        .chain(authorities)
        .map(|path| {
            let found = std::fs::metadata(path).ok()?;
            Some((found.ino(), found.len(), found.ctime(), found.ctime_nsec()))
        })
        .collect()
}

fn server_config(identity: &Identity, clients: &ClientAuth) -> Result<ServerConfig, TlsError> {
    let unusable = |error: &dyn std::fmt::Display| TlsError::Unusable {
        path: identity.certificate.clone(),
        what: error.to_string(),
    };
    let (chain, key) = identity.read()?;
    let builder = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable(&error))?;
    let builder = match clients {
        ClientAuth::None => builder.with_no_client_auth(),
        ClientAuth::Required(path) => {
            let roots = Arc::new(authorities(path)?);
            let verifier =
                WebPkiClientVerifier::builder_with_provider(roots, provider()).build().map_err(
                    |error| TlsError::Unusable { path: path.clone(), what: error.to_string() },
                )?;
            builder.with_client_cert_verifier(verifier)
        }
    };
    builder.with_single_cert(chain, key).map_err(|error| unusable(&error))
}

/// Whom a destination must prove to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerTrust {
    /// One whose certificate these authorities signed for its name.
    Authorities(PathBuf),
    /// The one that has this certificate, whoever signed it.
    Pinned(Fingerprint),
}

/// What a connection to a destination is secured with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientTls {
    /// Whom we trust.
    pub trust: ServerTrust,
    /// Our own certificate, where the peer asks for one.
    pub identity: Option<Identity>,
    /// Name in the peer's certificate.
    pub server_name: String,
}

impl ClientTls {
    /// Reads the files and sees whether they are of use.
    ///
    /// # Errors
    /// [`TlsError`]: the node does not start.
    pub fn check(&self) -> Result<(), TlsError> {
        self.name()?;
        self.config().map(|_config| ())
    }

    fn name(&self) -> Result<ServerName<'static>, TlsError> {
        ServerName::try_from(self.server_name.clone())
            .map_err(|_no_name| TlsError::ServerName { name: self.server_name.clone() })
    }

    /// Secures a connection. The files are read anew each time.
    ///
    /// # Errors
    /// The files are no use, or the handshake failed.
    pub async fn connect(&self, stream: TcpStream) -> io::Result<Wire> {
        let config = self.config().map_err(io::Error::other)?;
        let name = self.name().map_err(io::Error::other)?;
        let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
        Ok(Wire::Secured(Box::new(TlsStream::from(stream))))
    }

    fn config(&self) -> Result<ClientConfig, TlsError> {
        let unusable = |path: &Path, error: &dyn std::fmt::Display| TlsError::Unusable {
            path: path.to_owned(),
            what: error.to_string(),
        };
        let builder = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(|error| unusable(Path::new("TLS"), &error))?;
        let builder = match &self.trust {
            ServerTrust::Authorities(path) => {
                let roots = Arc::new(authorities(path)?);
                let verifier = WebPkiServerVerifier::builder_with_provider(roots, provider())
                    .build()
                    .map_err(|error| unusable(path, &error))?;
                builder.with_webpki_verifier(verifier)
            }
            ServerTrust::Pinned(fingerprint) => builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(Pinned::new(*fingerprint))),
        };
        match &self.identity {
            None => Ok(builder.with_no_client_auth()),
            Some(identity) => {
                let (chain, key) = identity.read()?;
                builder
                    .with_client_auth_cert(chain, key)
                    .map_err(|error| unusable(&identity.certificate, &error))
            }
        }
    }
}

/// Takes one certificate and no other: for peers whose certificate nobody signed.
/// The handshake's signature is checked as for any other.
#[derive(Debug)]
struct Pinned {
    fingerprint: Fingerprint,
    provider: Arc<CryptoProvider>,
}

impl Pinned {
    fn new(fingerprint: Fingerprint) -> Self {
        Self { fingerprint, provider: provider() }
    }
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if fingerprint(end_entity) == self.fingerprint {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(rustls::CertificateError::ApplicationVerificationFailure.into())
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// Version and name of each cipher suite, the best liked first.
pub fn suites() -> impl Iterator<Item = (String, String)> {
    let suites = provider().cipher_suites.clone();
    suites.into_iter().map(|suite| {
        // As in `TLSv1_3`.
        let version = format!("{:?}", suite.version().version);
        let version = version.replace("TLSv", "TLS ").replace('_', ".");
        (version, format!("{:?}", suite.suite()))
    })
}

fn fingerprint(certificate: &CertificateDer<'_>) -> Fingerprint {
    Sha256::digest(certificate.as_ref()).into()
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let fault = |what: String| TlsError::File { path: path.to_owned(), what };
    let read: Result<Vec<_>, _> =
        CertificateDer::pem_file_iter(path).map_err(|error| fault(error.to_string()))?.collect();
    let read = read.map_err(|error| fault(error.to_string()))?;
    if read.is_empty() {
        return Err(fault("no certificate in it".to_owned()));
    }
    Ok(read)
}

fn authorities(path: &Path) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(path)? {
        roots.add(certificate).map_err(|error| TlsError::Unusable {
            path: path.to_owned(),
            what: error.to_string(),
        })?;
    }
    Ok(roots)
}

/// A TCP connection, secured or not.
#[derive(Debug)]
pub enum Wire {
    /// As it is.
    Plain(TcpStream),
    /// Under TLS.
    Secured(Box<TlsStream<TcpStream>>),
}

impl Wire {
    /// The digest of the peer's certificate, where it showed one.
    #[must_use]
    pub fn peer_certificate(&self) -> Option<Fingerprint> {
        match self {
            Self::Plain(_) => None,
            Self::Secured(stream) => {
                let (_, session) = stream.get_ref();
                session.peer_certificates()?.first().map(fingerprint)
            }
        }
    }

    /// Under TLS.
    #[must_use]
    pub fn is_secured(&self) -> bool {
        matches!(self, Self::Secured(_))
    }
}

impl Transport for Wire {
    fn before_read(&self) {
        match self {
            Self::Plain(stream) => stream.before_read(),
            Self::Secured(stream) => stream.get_ref().0.before_read(),
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Secured(stream) => Pin::new(stream.as_mut()).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, buf),
            Self::Secured(stream) => Pin::new(stream.as_mut()).poll_write(cx, buf),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Secured(stream) => Pin::new(stream.as_mut()).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Secured(stream) => Pin::new(stream.as_mut()).poll_shutdown(cx),
        }
    }
}
