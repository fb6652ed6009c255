//! Reads the small JSON responses of a server on loopback with GET, without a library.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde::de::DeserializeOwned;

/// Limits the time to connect, and that between two reads.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Returns the JSON of `GET path` if the status is 200.
pub(crate) fn get<T: DeserializeOwned>(server: SocketAddr, path: &str) -> Result<T, String> {
    let (status, body) = request(server, path).map_err(|error| error.to_string())?;
    if status != 200 {
        return Err(format!("GET {path} answered {status}"));
    }
    serde_json::from_slice(&body).map_err(|error| format!("GET {path}: {error}"))
}

/// Returns whether `GET path` gets any response.
pub(crate) fn answers(server: SocketAddr, path: &str) -> bool {
    matches!(request(server, path), Ok((200, _)))
}

fn request(server: SocketAddr, path: &str) -> std::io::Result<(u16, Vec<u8>)> {
    let mut stream = TcpStream::connect_timeout(&server, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {server}\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let end = answer.windows(4).position(|part| part == b"\r\n\r\n");
    let head = String::from_utf8_lossy(&answer[..end.unwrap_or(answer.len())]);
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
    match (status, end) {
        (Some(status), Some(end)) => Ok((status, answer.split_off(end + 4))),
        _ => Err(std::io::Error::other("not an HTTP answer")),
    }
}
