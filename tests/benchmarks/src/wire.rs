//! Connects a function's process to the world: over HTTPS with latency, with one port for each service as AWS
//! has one host for each, and with a record of every call and every TLS handshake.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::{ServerConfig, crypto::ring, pki_types::PrivateKeyDer};
use world::cloudformation::AnswerDesk;
use world::{EVERYWHERE, World};

use crate::timeline::{Call, Timeline};

/// The services, named as in the SDKs' variables `AWS_ENDPOINT_URL_...`.
const SERVICES: [&str; 5] = ["ROUTE_53", "STS", "SSM", "ACM", "SFN"];
/// The name of the answer among the calls.
pub(crate) const ANSWER: &str = "PUT answer";
/// The service that receives the answer.
const ANSWERS: &str = "S3";

/// All ports of a world, which are closed when this value is dropped.
#[derive(Debug)]
pub(crate) struct Wire {
    record: Arc<Record>,
    /// The environment variables with which a function uses these ports.
    pub(crate) environment: Vec<(String, String)>,
    /// The address to which answers are PUT.
    answers: SocketAddr,
    _serving: JoinSet<()>,
}

/// The record of the wire.
#[derive(Debug)]
struct Record {
    world: World,
    desk: OnceLock<AnswerDesk>,
    latency: Duration,
    seen: Mutex<Seen>,
}

/// The record since the last call of `take`.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    calls: Vec<SeenCall>,
    /// TLS handshakes by service.
    pub(crate) handshakes: BTreeMap<&'static str, usize>,
    /// The last answer's body.
    pub(crate) answer: Option<Bytes>,
    /// The URLs of CloudFormation, by their paths.
    urls: BTreeMap<String, String>,
}

#[derive(Debug)]
struct SeenCall {
    action: String,
    change: Option<String>,
    begun: Instant,
    ended: Instant,
}

impl Seen {
    /// Returns the calls since an instant.
    pub(crate) fn timeline(&self, since: Instant) -> Timeline {
        let call = |call: &SeenCall| Call {
            action: call.action.clone(),
            change: call.change.clone(),
            begun: call.begun - since,
            ended: call.ended - since,
        };
        Timeline::new(self.calls.iter().map(call).collect())
    }
}

impl Wire {
    /// Opens the ports. Every call takes `latency` from its last received byte to its first sent byte.
    ///
    /// # Errors
    /// No port is free, or no certificate can be created.
    pub(crate) async fn open(
        world: World,
        latency: Duration,
        folder: &std::path::Path,
    ) -> io::Result<Self> {
        let (tls, pem) = certificate()?;
        std::fs::create_dir_all(folder)?;
        let own = folder.join("root.pem");
        std::fs::write(&own, &pem)?;
        // Reading all root certificates of the system is part of the functions' work. Node has them built in.
        let all = folder.join("roots.pem");
        std::fs::write(&all, system_roots() + &pem)?;
        let record = Arc::new(Record {
            world,
            desk: OnceLock::new(),
            latency,
            seen: Mutex::default(),
        });
        let mut serving = JoinSet::new();
        // The functions, Node and Python each have a variable of their own for trusted certificates.
        let mut environment: Vec<(String, String)> = [
            ("SSL_CERT_FILE", &all),
            ("NODE_EXTRA_CA_CERTS", &own),
            ("AWS_CA_BUNDLE", &all),
        ]
        .map(|(name, roots)| (name.to_owned(), roots.display().to_string()))
        .into();
        for service in SERVICES {
            let address = serve(&record, service, tls.clone(), &mut serving).await?;
            environment.push((
                format!("AWS_ENDPOINT_URL_{service}"),
                format!("https://{address}"),
            ));
        }
        let answers = serve(&record, ANSWERS, tls, &mut serving).await?;
        let name_server = name_server(record.world.clone(), &mut serving).await?;
        environment.push(("DNS_NAME_SERVERS".to_owned(), name_server.to_string()));
        Ok(Self {
            record,
            environment,
            answers,
            _serving: serving,
        })
    }

    /// Returns the URL on this wire that replaces a `ResponseURL` of CloudFormation.
    pub(crate) fn response_url(&self, url: &str) -> String {
        let (_, path) = url
            .split_once("://")
            .and_then(|(_, rest)| rest.split_once('/'))
            .expect("CloudFormation's URLs have a path");
        let path = format!("/{path}");
        self.record.seen().urls.insert(path.clone(), url.to_owned());
        format!("https://{}{path}", self.answers)
    }

    /// Forwards answers to a desk if they are for it.
    pub(crate) fn answers_to(&self, desk: AnswerDesk) {
        let _ = self.record.desk.set(desk);
    }

    /// Returns a URL for an answer that nobody waits for, in the form of S3's signed URLs, valid for two
    /// hours.
    pub(crate) fn new_url(&self) -> String {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        format!(
            "https://{}/answer?Expires={}&Signature=none",
            self.answers,
            now.as_secs() + 7_200
        )
    }

    /// Returns the record since the last call.
    pub(crate) fn take(&self) -> Seen {
        std::mem::take(&mut *self.record.seen())
    }
}

impl Record {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the system's root certificates from the paths of Amazon Linux and Debian, or an empty text if they
/// are elsewhere.
fn system_roots() -> String {
    [
        "/etc/pki/tls/certs/ca-bundle.crt",
        "/etc/ssl/certs/ca-certificates.crt",
    ]
    .iter()
    .find_map(|bundle| std::fs::read_to_string(bundle).ok())
    .unwrap_or_default()
}

/// Returns a certificate for loopback, and its PEM for clients that have to trust it.
fn certificate() -> io::Result<(TlsAcceptor, String)> {
    let made =
        rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).map_err(io::Error::other)?;
    let key =
        PrivateKeyDer::try_from(made.signing_key.serialize_der()).map_err(io::Error::other)?;
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| {
            let builder = builder.with_no_client_auth();
            builder.with_single_cert(vec![made.cert.der().clone()], key)
        })
        .map_err(io::Error::other)?;
    Ok((Arc::new(config).into(), made.cert.pem()))
}

async fn serve(
    record: &Arc<Record>,
    service: &'static str,
    tls: TlsAcceptor,
    serving: &mut JoinSet<()>,
) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let record = record.clone();
    serving.spawn(async move {
        let mut connections = JoinSet::new();
        while let Ok((stream, _)) = listener.accept().await {
            let (record, tls) = (record.clone(), tls.clone());
            connections.spawn(connection(record, service, tls, stream));
        }
    });
    Ok(address)
}

async fn connection(
    record: Arc<Record>,
    service: &'static str,
    tls: TlsAcceptor,
    stream: TcpStream,
) {
    // Otherwise a small answer waits for an acknowledgement that the other side delays.
    let _ = stream.set_nodelay(true);
    let Ok(stream) = tls.accept(stream).await else {
        return;
    };
    *record.seen().handshakes.entry(service).or_default() += 1;
    let answering = service_fn(|request| answer(&record, service, request));
    // A client that closes the connection is no error of the server.
    let _ = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), answering)
        .await;
}

async fn answer(
    record: &Record,
    service: &str,
    request: http::Request<Incoming>,
) -> io::Result<http::Response<Full<Bytes>>> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let begun = Instant::now();
    tokio::time::sleep(record.latency).await;
    let (action, response) = if service == ANSWERS {
        let url = record.seen().urls.get(&parts.uri.to_string()).cloned();
        let status = match (record.desk.get(), url) {
            (Some(desk), Some(url)) => desk.put(&url, &body),
            _ => 200,
        };
        let mut response = http::Response::new(Bytes::new());
        *response.status_mut() = http::StatusCode::from_u16(status).map_err(io::Error::other)?;
        record.seen().answer = Some(body);
        (ANSWER.to_owned(), response)
    } else {
        let before = record.world.log().len();
        let request = http::Request::from_parts(parts, body);
        let handled = record.world.handle(request).await;
        let log = record.world.log();
        // The call's own event is the first with an action of a service. Events that time causes have none.
        let own = log[before..]
            .iter()
            .find(|event| event.action.contains(':'));
        let action = own.map_or_else(|| service.to_owned(), |event| event.action.clone());
        (action, handled.map_err(io::Error::other)?)
    };
    record.seen().calls.push(SeenCall {
        action,
        change: change_in(response.body()),
        begun,
        ended: Instant::now(),
    });
    Ok(response.map(Full::new))
}

/// Returns the id of the change in a response of Route 53: `<Id>/change/C123</Id>`.
fn change_in(body: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?;
    let (_, after) = text.split_once("<Id>/change/")?;
    Some(after.split('<').next()?.to_owned())
}

/// Serves the Internet's name servers on one port of loopback, over UDP and TCP.
async fn name_server(world: World, serving: &mut JoinSet<()>) -> io::Result<SocketAddr> {
    let (datagrams, listener) = same_port().await?;
    let address = listener.local_addr()?;
    let over_udp = world.clone();
    serving.spawn(async move {
        let mut query = [0; 4_096];
        while let Ok((length, from)) = datagrams.recv_from(&mut query).await {
            if let Some(said) = over_udp.dns_exchange(EVERYWHERE, &query[..length], true) {
                let _ = datagrams.send_to(&said, from).await;
            }
        }
    });
    serving.spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer_over_tcp(world.clone(), stream));
        }
    });
    Ok(address)
}

/// Returns a port for both protocols. One that is free for one may be in use for the other.
async fn same_port() -> io::Result<(UdpSocket, TcpListener)> {
    const TRIES: u32 = 32;
    let mut tries = 0;
    loop {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        match UdpSocket::bind(listener.local_addr()?).await {
            Ok(datagrams) => return Ok((datagrams, listener)),
            Err(error) if tries == TRIES => return Err(error),
            Err(_) => tries += 1,
        }
    }
}

async fn answer_over_tcp(world: World, mut stream: TcpStream) -> io::Result<()> {
    loop {
        let length = stream.read_u16().await?;
        let mut query = vec![0; usize::from(length)];
        stream.read_exact(&mut query).await?;
        let Some(said) = world.dns_exchange(EVERYWHERE, &query, false) else {
            return Ok(());
        };
        let mut message = u16::try_from(said.len())
            .map_err(io::Error::other)?
            .to_be_bytes()
            .to_vec();
        message.extend(said);
        stream.write_all(&message).await?;
    }
}
