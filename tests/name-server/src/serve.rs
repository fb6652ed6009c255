//! Serves the answers through sockets.

use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use async_trait::async_trait;
use hickory_proto::op::{Header, HeaderCounts, Message, Metadata, ResponseCode};
use hickory_server::Server;
use hickory_server::net::runtime::Time;
use hickory_server::server::{Request, RequestHandler, ResponseHandler, ResponseInfo};
use hickory_server::zone_handler::MessageResponseBuilder;
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::answer::{Asked, answer, udp_payload};
use crate::zones::Zones;

/// The time after which an idle TCP connection is closed.
const TCP_IDLE: Duration = Duration::from_secs(5);

/// The number of answers that may wait for one slow TCP connection.
const TCP_BACKLOG: usize = 32;

/// The number of attempts with another port if the system's choice for UDP is in use for TCP.
const PORT_TRIES: usize = 16;

/// Running name servers. They stop when this value is dropped.
#[derive(Debug)]
pub struct Served {
    /// The address of the server in place of all name servers, over UDP and TCP.
    pub address: SocketAddr,
    /// Whether each name server also listens on its own address, at the same port. True if the machine lets a
    /// program listen on any address in 127.0.0.0/8, as Linux does.
    pub own_addresses: bool,
    task: JoinHandle<()>,
}

impl Drop for Served {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Serves the newest of `zones` on `bind`, a loopback address. Port 0 selects a free port.
///
/// A name server in a new snapshot listens before the first answer that names it. It continues to listen, and
/// refuses, when its last zone is deleted, as Route 53's do. When the sender of `zones` is dropped, the last
/// snapshot stays.
///
/// # Errors
/// The address is not loopback, or cannot be bound.
pub async fn serve(zones: watch::Receiver<Arc<Zones>>, bind: SocketAddr) -> io::Result<Served> {
    if !bind.ip().is_loopback() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("{bind} is not a loopback address"),
        ));
    }
    let sockets = bind_both(bind).await?;
    let address = sockets.0.local_addr()?;
    let probe = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(127, 255, 255, 254)), 0);
    let own_addresses = address.is_ipv4() && bind_both(probe).await.is_ok();

    let mut servers = Servers {
        current: Arc::new(RwLock::new(Arc::default())),
        port: address.port(),
        own_addresses,
        listening: BTreeSet::new(),
        running: Vec::new(),
    };
    servers.start(sockets, Asked::Everywhere { own_addresses });
    let mut zones = zones;
    let first = zones.borrow_and_update().clone();
    servers.take(first).await?;
    let task = tokio::spawn(async move {
        while zones.changed().await.is_ok() {
            let next = zones.borrow_and_update().clone();
            // If an address is in use by another program, it is left out, and the old snapshot is served
            // until the next one.
            let _ = servers.take(next).await;
        }
        std::future::pending::<()>().await;
    });
    Ok(Served {
        address,
        own_addresses,
        task,
    })
}

struct Servers {
    current: Arc<RwLock<Arc<Zones>>>,
    port: u16,
    own_addresses: bool,
    listening: BTreeSet<Ipv4Addr>,
    running: Vec<Server<Handler>>,
}

impl Servers {
    async fn take(&mut self, next: Arc<Zones>) -> io::Result<()> {
        if self.own_addresses {
            for address in next.addresses() {
                if !self.listening.contains(&address) {
                    let sockets =
                        bind_both(SocketAddr::new(IpAddr::V4(address), self.port)).await?;
                    self.start(sockets, Asked::At(address));
                    self.listening.insert(address);
                }
            }
        }
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = next;
        Ok(())
    }

    fn start(&mut self, (udp, tcp): (UdpSocket, TcpListener), asked: Asked) {
        let mut server = Server::new(Handler {
            current: Arc::clone(&self.current),
            asked,
        });
        server.register_socket(udp);
        server.register_listener(tcp, TCP_IDLE, TCP_BACKLOG);
        self.running.push(server);
    }
}

async fn bind_both(at: SocketAddr) -> io::Result<(UdpSocket, TcpListener)> {
    let mut tries = if at.port() == 0 { PORT_TRIES } else { 1 };
    loop {
        let udp = UdpSocket::bind(at).await?;
        match TcpListener::bind(udp.local_addr()?).await {
            Ok(tcp) => return Ok((udp, tcp)),
            Err(error) => tries = tries.checked_sub(1).filter(|left| *left > 0).ok_or(error)?,
        }
    }
}

struct Handler {
    current: Arc<RwLock<Arc<Zones>>>,
    asked: Asked,
}

#[async_trait]
impl RequestHandler for Handler {
    async fn handle_request<R: ResponseHandler, T: Time>(
        &self,
        request: &Request,
        mut out: R,
    ) -> ResponseInfo {
        let zones = Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner));
        let Ok(query) = Message::from_vec(request.as_slice()) else {
            return failed(&request.metadata);
        };
        let mut reply = answer(&zones, self.asked, &query);
        // The library truncates an answer over UDP to this payload.
        if let Some(edns) = reply.edns.as_mut() {
            edns.set_max_payload(udp_payload(&query));
        }
        let edns = reply.edns.clone().unwrap_or_default();
        let mut builder = MessageResponseBuilder::from_message_request(request);
        if reply.edns.is_some() {
            builder.edns(&edns);
        }
        let response = builder.build(
            reply.metadata,
            &reply.answers,
            &reply.authorities,
            [],
            &reply.additionals,
        );
        // A client that closed its socket is no reason to stop.
        out.send_response(response)
            .await
            .unwrap_or_else(|_| failed(&request.metadata))
    }
}

fn failed(request: &Metadata) -> ResponseInfo {
    let mut metadata = Metadata::response_from_request(request);
    metadata.response_code = ResponseCode::ServFail;
    Header {
        metadata,
        counts: HeaderCounts::default(),
    }
    .into()
}
