//! The answers behind real sockets on loopback.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hickory_proto::op::{Edns, Message, Query, ResponseCode};
use hickory_proto::rr::{Name, RecordType};
use name_server::{RecordSet, Served, Zone, Zones, address_of, serve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::sync::watch;

const LOOPBACK: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

fn zone(name: &str, server: &str, record_sets: Vec<RecordSet>) -> Zone {
    Zone {
        name: name.into(),
        name_servers: vec![server.into()],
        record_sets,
        signed: false,
    }
}

fn base() -> Zone {
    let delegation = RecordSet {
        name: "dev.example.com".into(),
        record_type: "NS".into(),
        ttl: 900,
        values: vec!["dev.test".into()],
    };
    let long = RecordSet {
        name: "long.example.com".into(),
        record_type: "TXT".into(),
        ttl: 900,
        values: (0..60).map(|n| format!("\"{n:050}\"")).collect(),
    };
    zone("example.com", "base.test", vec![delegation, long])
}

fn snapshot(zones: &[Zone]) -> Arc<Zones> {
    Arc::new(Zones::from_top(zones).unwrap())
}

fn question(name: &str, record_type: RecordType) -> Message {
    let mut query = Message::query();
    query.add_query(Query::query(Name::from_ascii(name).unwrap(), record_type));
    query
}

async fn udp(server: SocketAddr, query: &Message) -> Message {
    let exchange = async {
        let socket = UdpSocket::bind(LOOPBACK).await.unwrap();
        socket.connect(server).await.unwrap();
        socket.send(&query.to_vec().unwrap()).await.unwrap();
        let mut buffer = [0; 4096];
        let length = socket.recv(&mut buffer).await.unwrap();
        Message::from_vec(&buffer[..length]).unwrap()
    };
    tokio::time::timeout(Duration::from_secs(5), exchange)
        .await
        .unwrap()
}

async fn tcp(server: SocketAddr, query: &Message) -> Message {
    let exchange = async {
        let mut stream = TcpStream::connect(server).await.unwrap();
        let bytes = query.to_vec().unwrap();
        stream
            .write_u16(bytes.len().try_into().unwrap())
            .await
            .unwrap();
        stream.write_all(&bytes).await.unwrap();
        let mut buffer = vec![0; stream.read_u16().await.unwrap().into()];
        stream.read_exact(&mut buffer).await.unwrap();
        Message::from_vec(&buffer).unwrap()
    };
    tokio::time::timeout(Duration::from_secs(5), exchange)
        .await
        .unwrap()
}

fn own(served: &Served, host: &str) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(address_of(host)), served.address.port())
}

#[tokio::test]
async fn it_answers_over_udp_and_tcp() {
    let (_sender, receiver) = watch::channel(snapshot(&[base()]));
    let served = serve(receiver, LOOPBACK).await.unwrap();
    let query = question("example.com.", RecordType::SOA);
    for reply in [
        udp(served.address, &query).await,
        tcp(served.address, &query).await,
    ] {
        assert_eq!(reply.metadata.id, query.metadata.id);
        assert_eq!(reply.answers.len(), 1);
        assert_eq!(reply.queries, query.queries);
    }
    let mut query = question("long.example.com.", RecordType::TXT);
    assert!(udp(served.address, &query).await.metadata.truncation);
    assert_eq!(tcp(served.address, &query).await.answers.len(), 60);
    let mut edns = Edns::new();
    edns.set_max_payload(4096);
    query.edns = Some(edns);
    assert!(
        udp(served.address, &query).await.metadata.truncation,
        "1232 bytes at most"
    );
    assert!(tcp(served.address, &query).await.edns.is_some());
}

#[tokio::test]
async fn each_name_server_has_an_address_and_a_new_one_listens_before_it_is_named() {
    let (sender, receiver) = watch::channel(snapshot(&[base()]));
    let served = serve(receiver, LOOPBACK).await.unwrap();
    if !served.own_addresses {
        return; // this machine has 127.0.0.1 alone: the server in place of all answers, see above
    }
    let query = question("dev.example.com.", RecordType::NS);
    let reply = udp(own(&served, "base.test"), &query).await;
    assert_eq!(reply.authorities.len(), 1);
    assert!(!reply.metadata.authoritative);

    sender
        .send(snapshot(&[
            base(),
            zone("dev.example.com", "dev.test", vec![]),
        ]))
        .unwrap();
    let address = question("dev.test.", RecordType::A);
    while udp(served.address, &address).await.answers.is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let reply = tcp(own(&served, "dev.test"), &query).await;
    assert!(reply.metadata.authoritative);
    assert_eq!(reply.answers.len(), 1);
    assert!(
        !udp(own(&served, "base.test"), &query)
            .await
            .metadata
            .authoritative
    );

    // Its zone is deleted: the server stays and refuses.
    sender.send(snapshot(&[base()])).unwrap();
    while udp(own(&served, "dev.test"), &query)
        .await
        .metadata
        .response_code
        != ResponseCode::Refused
    {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn it_listens_on_loopback_only() {
    let (_sender, receiver) = watch::channel(snapshot(&[]));
    let refused = serve(
        receiver,
        SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0),
    )
    .await;
    assert!(refused.is_err());
}
