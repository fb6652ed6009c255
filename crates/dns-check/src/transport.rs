//! Carries packets to a name server and back.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket, lookup_host};
use tokio::time::timeout;

/// The protocol of a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// One datagram in each direction (RFC 1035, section 4.2.1).
    Udp,
    /// A connection, with a length before each message (RFC 7766).
    Tcp,
}

impl std::fmt::Display for Protocol {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
        })
    }
}

/// Carries DNS messages. Tests implement it in memory and run in virtual time.
pub trait Transport: Send + Sync {
    /// Sends a query and returns the response as bytes. May try several times within its own time
    /// limit.
    ///
    /// # Errors
    /// No response arrived in time, or the server cannot be reached.
    fn exchange(
        &self,
        server: SocketAddr,
        query: &[u8],
        protocol: Protocol,
    ) -> impl Future<Output = io::Result<Vec<u8>>> + Send;

    /// Returns the addresses of a host name from the system's resolver. Never called if
    /// `DNS_NAME_SERVERS` is set.
    ///
    /// # Errors
    ///
    /// The error of the resolver.
    fn addresses(&self, host: &str) -> impl Future<Output = io::Result<Vec<IpAddr>>> + Send {
        let host = format!("{host}.");
        async move {
            let found = lookup_host((host, 53)).await?;
            Ok(found.map(|address| address.ip()).collect())
        }
    }
}

impl<T: Transport> Transport for std::sync::Arc<T> {
    fn exchange(
        &self,
        server: SocketAddr,
        query: &[u8],
        protocol: Protocol,
    ) -> impl Future<Output = io::Result<Vec<u8>>> + Send {
        T::exchange(self, server, query, protocol)
    }

    fn addresses(&self, host: &str) -> impl Future<Output = io::Result<Vec<IpAddr>>> + Send {
        T::addresses(self, host)
    }
}

/// Real sockets. Every exchange uses a new socket with a random port.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sockets;

/// Limits one try. Route 53's servers answer within 100 ms from anywhere.
const TRY: Duration = Duration::from_secs(2);
/// Datagrams are lost easily; a connection is not.
const UDP_TRIES: u32 = 3;
const TCP_TRIES: u32 = 2;
/// The largest UDP response that is read. It is larger than the size that a query offers; of a
/// larger response only a part is read, and it is refused.
const LARGEST_DATAGRAM: usize = 4096;

impl Transport for Sockets {
    async fn exchange(
        &self,
        server: SocketAddr,
        query: &[u8],
        protocol: Protocol,
    ) -> io::Result<Vec<u8>> {
        let tries = match protocol {
            Protocol::Udp => UDP_TRIES,
            Protocol::Tcp => TCP_TRIES,
        };
        let mut last = io::ErrorKind::TimedOut.into();
        for _ in 0..tries {
            let answer = match protocol {
                Protocol::Udp => timeout(TRY, over_udp(server, query)).await,
                Protocol::Tcp => timeout(TRY, over_tcp(server, query)).await,
            };
            match answer {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(error)) => last = error,
                Err(_) => last = io::ErrorKind::TimedOut.into(),
            }
        }
        Err(last)
    }
}

async fn over_udp(server: SocketAddr, query: &[u8]) -> io::Result<Vec<u8>> {
    let any: IpAddr = match server {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    // Port 0: the system picks a free port at random. A forger of responses has to guess it
    // together with the id.
    let socket = UdpSocket::bind((any, 0)).await?;
    // Connected, so that the system drops datagrams from other senders and reports a closed port.
    socket.connect(server).await?;
    socket.send(query).await?;
    let mut buffer = vec![0; LARGEST_DATAGRAM];
    loop {
        let length = socket.recv(&mut buffer).await?;
        if answers(&buffer[..length], query) {
            buffer.truncate(length);
            return Ok(buffer);
        }
    }
}

async fn over_tcp(server: SocketAddr, query: &[u8]) -> io::Result<Vec<u8>> {
    let length = u16::try_from(query.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    let mut stream = TcpStream::connect(server).await?;
    // In one write, because some servers require the length and the message together.
    let mut message = length.to_be_bytes().to_vec();
    message.extend_from_slice(query);
    stream.write_all(&message).await?;
    let mut buffer = vec![0; stream.read_u16().await?.into()];
    stream.read_exact(&mut buffer).await?;
    if answers(&buffer, query) {
        Ok(buffer)
    } else {
        Err(io::ErrorKind::InvalidData.into())
    }
}

/// The length of a message's header (RFC 1035, section 4.1.1).
const HEADER: usize = 12;

/// Returns whether the message is a response to this query: it has the same id and the same
/// question. A server that fails may omit the question. Any other message is a late response to an
/// earlier query or a forged one, and the wait continues (RFC 5452, section 4.2).
fn answers(message: &[u8], query: &[u8]) -> bool {
    if message.len() < HEADER || message[..2] != query[..2] || message[2] & IS_RESPONSE == 0 {
        return false;
    }
    let questions = u16::from_be_bytes([message[4], message[5]]);
    let failed = message[3] & RESPONSE_CODE != 0;
    let end = end_of_question(query);
    match questions {
        0 => failed,
        1 => message
            .get(HEADER..end)
            .is_some_and(|asked| asked.eq_ignore_ascii_case(&query[HEADER..end])),
        _ => false,
    }
}

/// In the third byte of a header.
const IS_RESPONSE: u8 = 0x80;
/// In the fourth byte of a header.
const RESPONSE_CODE: u8 = 0x0f;

/// Returns where the one question of a query ends: after its labels, the root, type and class. The
/// query was created here, without compression.
fn end_of_question(query: &[u8]) -> usize {
    let mut at = HEADER;
    while let Some(&length @ 1..) = query.get(at) {
        at += 1 + usize::from(length);
    }
    (at + 5).min(query.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use hickory_proto::op::{Message, MessageType, Query, ResponseCode};
    use hickory_proto::rr::{Name, RecordType};

    fn query() -> Message {
        let mut query = Message::query();
        let name = Name::from_ascii("dev.example.com.").unwrap();
        query.add_query(Query::query(name, RecordType::NS));
        query
    }

    /// Returns a response to `query` with a change.
    fn response(query: &Message, change: impl FnOnce(&mut Message)) -> Vec<u8> {
        let mut response = query.clone();
        response.metadata.message_type = MessageType::Response;
        change(&mut response);
        response.to_vec().unwrap()
    }

    fn ask(message: &mut Message, name: &str, record_type: RecordType) {
        message.queries = vec![Query::query(Name::from_ascii(name).unwrap(), record_type)];
    }

    #[test]
    fn only_a_message_with_the_same_id_and_question_is_a_response() {
        let query = query();
        let bytes = query.to_vec().unwrap();
        let fits = |change: fn(&mut Message)| answers(&response(&query, change), &bytes);
        assert!(fits(|_| {}));
        assert!(fits(|message| ask(
            message,
            "DEV.example.COM.",
            RecordType::NS
        )));
        assert!(fits(|message| {
            message.queries.clear();
            message.metadata.response_code = ResponseCode::FormErr;
        }));
        assert!(!fits(|message| message.queries.clear()));
        assert!(!fits(|message| ask(
            message,
            "dev.example.org.",
            RecordType::NS
        )));
        assert!(!fits(|message| ask(
            message,
            "x.dev.example.com.",
            RecordType::NS
        )));
        assert!(!fits(|message| ask(
            message,
            "dev.example.com.",
            RecordType::SOA
        )));
        assert!(!fits(
            |message| message.metadata.id = message.metadata.id.wrapping_add(1)
        ));
        assert!(!fits(
            |message| message.metadata.message_type = MessageType::Query
        ));
        for length in 0..bytes.len() {
            let cut = &response(&query, |_| {})[..length];
            assert!(!answers(cut, &bytes), "{length} bytes");
        }
    }

    #[tokio::test]
    async fn an_exchange_continues_after_a_datagram_for_another_question() {
        let server = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = server.local_addr().unwrap();
        let query = query();
        let mut another = query.clone();
        another.queries = vec![Query::query(
            Name::from_ascii("other.example.com.").unwrap(),
            RecordType::NS,
        )];
        let (wrong, right) = (response(&another, |_| {}), response(&query, |_| {}));
        let replies = [wrong, right.clone()];
        tokio::spawn(async move {
            let mut buffer = [0; 512];
            let (_, from) = server.recv_from(&mut buffer).await.unwrap();
            for reply in replies {
                server.send_to(&reply, from).await.unwrap();
            }
        });
        let bytes = query.to_vec().unwrap();
        let answer = Sockets.exchange(address, &bytes, Protocol::Udp).await;
        assert_eq!(answer.unwrap(), right);
    }
}
