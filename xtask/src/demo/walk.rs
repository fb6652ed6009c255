//! Resolves a name from the base domain down, query by query, as a resolver does.

use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use hickory_proto::op::{Message, Query};
use hickory_proto::rr::{Name, RData, RecordType};

use super::BASE_DOMAIN;
use super::inventory::sorted;
use crate::emulator::Emulator;
use crate::failure::{Doing, Failure};
use crate::progress::Progress;

/// One zone of the chain: the queried name server and its answer.
pub(super) struct Asked {
    zone: String,
    server: String,
    address: SocketAddr,
    /// The next zone and its name servers, or the answer with authority of the last zone.
    answer: Answer,
}

enum Answer {
    Referral { name: String, servers: Vec<String> },
    Authority { name: String, servers: Vec<String> },
}

/// Queries the name servers for `name`, from the registered ones of the base domain, one label at a time (RFC
/// 9156), and follows each referral.
///
/// # Errors
/// A name server does not answer, or the chain ends above `name`.
pub(super) fn down_to(emulator: &Emulator, name: &str) -> Result<Vec<Asked>, Failure> {
    let mut servers = emulator.registered(BASE_DOMAIN)?;
    let mut zone = BASE_DOMAIN.to_owned();
    let mut walked = Vec::new();
    for next in names_between(BASE_DOMAIN, name) {
        let (server, address) = first(emulator, &servers)?;
        let (authoritative, found) = name_servers(address, &next)?;
        if found.is_empty() {
            continue; // No zone of its own: the same servers are queried for the next label.
        }
        if authoritative && emulator.dns.own_addresses {
            return Err(Failure::new(format!(
                "{server} answers for {next} with authority, and not with a referral to its name servers."
            )));
        }
        walked.push(Asked {
            zone: zone.clone(),
            server,
            address,
            answer: Answer::Referral {
                name: next.clone(),
                servers: found.clone(),
            },
        });
        (zone, servers) = (next, found);
    }
    if zone != name {
        return Err(Failure::new(format!(
            "The delegation ends at {zone}, above {name}."
        )));
    }
    let (server, address) = first(emulator, &servers)?;
    let (authoritative, found) = name_servers(address, name)?;
    if !authoritative || sorted(&found) != sorted(&servers) {
        return Err(Failure::new(format!(
            "{server} does not answer for {name} with authority and its own name servers."
        )));
    }
    walked.push(Asked {
        zone,
        server,
        address,
        answer: Answer::Authority {
            name: name.to_owned(),
            servers: found,
        },
    });
    Ok(walked)
}

/// `example.com`, `a.b.example.com` -> `b.example.com`, `a.b.example.com`.
fn names_between(top: &str, name: &str) -> Vec<String> {
    let below = name.strip_suffix(top).unwrap_or(name).trim_end_matches('.');
    let labels: Vec<&str> = below.split('.').collect();
    (0..labels.len())
        .rev()
        .map(|from| format!("{}.{top}", labels[from..].join(".")))
        .collect()
}

fn first(emulator: &Emulator, servers: &[String]) -> Result<(String, SocketAddr), Failure> {
    let server = servers
        .first()
        .ok_or_else(|| Failure::new("A referral names no name server."))?
        .trim_end_matches('.')
        .to_owned();
    let address = emulator.name_server(&server);
    Ok((server, address))
}

/// Returns the NS record set of `name` from `server`, and whether it is with authority or in a referral.
fn name_servers(server: SocketAddr, name: &str) -> Result<(bool, Vec<String>), Failure> {
    let mut query = Message::query();
    let asked = Name::from_ascii(name).doing(|| format!("query for {name}"))?;
    query.add_query(Query::query(asked, RecordType::NS));
    let reply = exchange(server, &query).doing(|| format!("query {server} for {name}"))?;
    let records = if reply.answers.is_empty() {
        &reply.authorities
    } else {
        &reply.answers
    };
    let hosts = records.iter().filter_map(|record| match &record.data {
        RData::NS(host) => Some(host.0.to_ascii()),
        _ => None,
    });
    Ok((reply.metadata.authoritative, hosts.collect()))
}

fn exchange(server: SocketAddr, query: &Message) -> Result<Message, String> {
    let run = || -> std::io::Result<Vec<u8>> {
        let socket = UdpSocket::bind((server.ip(), 0))?;
        socket.set_read_timeout(Some(Duration::from_secs(3)))?;
        socket.connect(server)?;
        socket.send(&query.to_vec().map_err(std::io::Error::other)?)?;
        let mut buffer = vec![0; 4096];
        let length = socket.recv(&mut buffer)?;
        buffer.truncate(length);
        Ok(buffer)
    };
    let bytes = run().map_err(|error| error.to_string())?;
    let reply = Message::from_vec(&bytes).map_err(|error| error.to_string())?;
    if reply.metadata.id == query.metadata.id {
        Ok(reply)
    } else {
        Err("the answer is to another question".into())
    }
}

/// Returns the walk as text.
pub(super) fn shown(progress: &Progress, name: &str, walked: &[Asked]) -> String {
    let mut text = progress.bold(&format!("\n  {name}, resolved from {BASE_DOMAIN} down\n\n"));
    for (depth, asked) in walked.iter().enumerate() {
        let (mark, name, servers) = match &asked.answer {
            Answer::Referral { name, servers } => (progress.cyan("refers"), name, servers),
            Answer::Authority { name, servers } => (progress.green("answers"), name, servers),
        };
        let indent = "  ".repeat(depth);
        text += &format!(
            "    {indent}{} {}\n    {indent}  {mark} {name} NS {}\n",
            progress.bold(&asked.zone),
            progress.dim(&format!("queried at {} ({})", asked.server, asked.address)),
            short(servers),
        );
    }
    text
}

/// Returns the first two of a set of name servers, and how many more there are.
fn short(servers: &[String]) -> String {
    let shown: Vec<&str> = sorted(servers).into_iter().take(2).collect();
    match servers.len().saturating_sub(2) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_label_at_a_time() {
        assert_eq!(
            names_between("example.com", "app1.dev.build.example.com"),
            [
                "build.example.com",
                "dev.build.example.com",
                "app1.dev.build.example.com"
            ]
        );
    }
}
