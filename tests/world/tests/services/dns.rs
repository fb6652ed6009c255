use hickory_proto::op::{Message, Query, ResponseCode};
use hickory_proto::rr::RecordType;
use tokio::time::{Duration, sleep};
use world::{EVERYWHERE, Edit, World};

use crate::{ACCOUNT, OTHER, world};

fn ask(world: &World, server: std::net::IpAddr, name: &str, kind: RecordType) -> Message {
    let mut query = Message::query();
    query.add_query(Query::query(name.parse().unwrap(), kind));
    let answer = world.dns_exchange(server, &query.to_vec().unwrap(), true);
    Message::from_vec(&answer.unwrap()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn dns_has_only_changes_that_are_in_sync() {
    let world = world(|_| {});
    let parent = world.make_zone(ACCOUNT, "x.org").unwrap();
    let child = world.make_zone(OTHER, "c.x.org").unwrap();
    let hosts = |zone: &str| world.zone(zone).unwrap().hosts();
    world.register("x.org", &hosts(&parent));
    let at = |zone: &str| name_server::address_of(&hosts(zone)[0]).into();
    let code = |server, name: &str| {
        ask(&world, server, name, RecordType::NS)
            .metadata
            .response_code
    };
    assert_eq!(code(at(&parent), "x.org."), ResponseCode::Refused);
    sleep(Duration::from_secs(31)).await;
    assert_eq!(code(at(&parent), "x.org."), ResponseCode::NoError);
    assert_eq!(code(EVERYWHERE, "c.x.org."), ResponseCode::NXDomain);
    let names = hosts(&child);
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let edit = Edit::create("c.x.org", "NS", 60, &names);
    world.edit_records(&parent, &[edit]).unwrap();
    assert_eq!(code(at(&parent), "c.x.org."), ResponseCode::NXDomain);
    sleep(Duration::from_secs(31)).await;
    let referral = ask(&world, at(&parent), "a.c.x.org.", RecordType::A);
    assert_eq!(referral.authorities.len(), 4);
    let answer = ask(&world, EVERYWHERE, "c.x.org.", RecordType::SOA);
    assert!(answer.metadata.authoritative);
    let gone = at(&child);
    world.remove_zone(&child).unwrap();
    assert_eq!(code(gone, "c.x.org."), ResponseCode::Refused);
    // A person left the dangling delegation, so it is no violation by a function.
    assert_eq!(world.violations(), []);
}
