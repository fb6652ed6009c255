//! Queries to each server of a small tree of zones, and to the one in place of all.

use hickory_proto::op::{Message, Query, ResponseCode};
use hickory_proto::rr::{Name, RecordType};
use name_server::{Asked, RecordSet, Registration, Zone, Zones, address_of, answer, answer_bytes};

const EVERYWHERE: Asked = Asked::Everywhere {
    own_addresses: false,
};

fn set(name: &str, record_type: &str, values: &[&str]) -> RecordSet {
    RecordSet {
        name: name.into(),
        record_type: record_type.into(),
        ttl: 300,
        values: values.iter().map(|v| (*v).into()).collect(),
    }
}

fn zone(name: &str, servers: &[&str], record_sets: Vec<RecordSet>) -> Zone {
    Zone {
        name: name.into(),
        name_servers: servers.iter().map(|s| (*s).into()).collect(),
        record_sets,
        signed: false,
    }
}

fn base() -> Zone {
    zone(
        "example.com.",
        &["base1.test", "base2.test"],
        vec![
            set("www.example.com", "A", &["192.0.2.1"]),
            set("alias.example.com", "CNAME", &["www.example.com."]),
            set("outside.example.com", "CNAME", &["www.example.net."]),
            set("loop.example.com", "CNAME", &["loop.example.com."]),
            set("a.b.example.com", "TXT", &["\"deep\""]),
            set("\\052.wild.example.com.", "A", &["192.0.2.9"]),
            set(
                "build.example.com.",
                "NS",
                &["Build2.test.", "build1.test."],
            ),
        ],
    )
}

fn build() -> Zone {
    zone(
        "build.example.com",
        &["build1.test", "build2.test"],
        vec![set(
            "dev.build.example.com",
            "NS",
            &["dev1.test", "dev2.test"],
        )],
    )
}

fn dev() -> Zone {
    zone(
        "dev.build.example.com",
        &["dev1.test", "dev2.test"],
        vec![set("www.dev.build.example.com", "A", &["192.0.2.7"])],
    )
}

fn zones() -> Zones {
    Zones::from_top(&[base(), build(), dev()]).unwrap()
}

fn ask(zones: &Zones, asked: Asked, name: &str, record_type: RecordType) -> Message {
    let mut query = Message::query();
    query.add_query(Query::query(Name::from_ascii(name).unwrap(), record_type));
    answer(zones, asked, &query)
}

fn at(host: &str) -> Asked {
    Asked::At(address_of(host))
}

fn texts(message: &Message) -> Vec<String> {
    let mut texts: Vec<_> = message
        .answers
        .iter()
        .map(|r| format!("{} {}", r.record_type(), r.data))
        .collect();
    texts.sort();
    texts
}

fn referral(message: &Message) -> Vec<String> {
    assert!(!message.metadata.authoritative);
    assert_eq!(message.metadata.response_code, ResponseCode::NoError);
    assert!(message.answers.is_empty());
    let mut texts: Vec<_> = message
        .authorities
        .iter()
        .map(|r| format!("{} {}", r.name, r.data))
        .collect();
    texts.sort();
    texts
}

#[test]
fn a_zone_answers_with_authority() {
    let reply = ask(
        &zones(),
        at("base1.test"),
        "WWW.example.com.",
        RecordType::A,
    );
    assert!(reply.metadata.authoritative);
    assert_eq!(texts(&reply), ["A 192.0.2.1"]);
    let apex = ask(&zones(), at("base1.test"), "example.com.", RecordType::NS);
    assert_eq!(texts(&apex), ["NS base1.test.", "NS base2.test."]);
    assert_eq!(
        ask(&zones(), at("base1.test"), "example.com.", RecordType::SOA)
            .answers
            .len(),
        1
    );
}

#[test]
fn a_parent_refers_and_the_child_answers() {
    for name in ["dev.build.example.com.", "x.y.dev.build.example.com."] {
        let reply = ask(&zones(), at("build2.test"), name, RecordType::NS);
        assert_eq!(
            referral(&reply),
            [
                "dev.build.example.com. dev1.test.",
                "dev.build.example.com. dev2.test."
            ]
        );
    }
    let reply = ask(
        &zones(),
        at("dev1.test"),
        "dev.build.example.com.",
        RecordType::NS,
    );
    assert!(reply.metadata.authoritative);
    assert_eq!(texts(&reply), ["NS dev1.test.", "NS dev2.test."]);
    // DS is on the parent's side of the zone cut.
    let reply = ask(
        &zones(),
        at("build1.test"),
        "dev.build.example.com.",
        RecordType::DS,
    );
    assert!(reply.metadata.authoritative);
    assert_eq!(reply.authorities[0].record_type(), RecordType::SOA);
}

#[test]
fn the_server_in_place_of_all_follows_only_existing_delegations() {
    let reply = ask(
        &zones(),
        EVERYWHERE,
        "www.dev.build.example.com.",
        RecordType::A,
    );
    assert!(reply.metadata.authoritative);
    assert_eq!(texts(&reply), ["A 192.0.2.7"]);

    // The parent names other servers than those of the zone, so the zone cannot be reached from outside.
    let mut parent = build();
    parent.record_sets[0].values = vec!["dev1.test".into(), "other.test".into()];
    let broken = Zones::from_top(&[base(), parent, dev()]).unwrap();
    let reply = ask(
        &broken,
        EVERYWHERE,
        "www.dev.build.example.com.",
        RecordType::A,
    );
    assert_eq!(
        referral(&reply),
        [
            "dev.build.example.com. dev1.test.",
            "dev.build.example.com. other.test."
        ]
    );

    // Without any record set the name does not exist, although the zone does.
    let missing = Zones::from_top(&[
        base(),
        zone("build.example.com", &["build1.test", "build2.test"], vec![]),
        dev(),
    ]);
    let reply = ask(
        &missing.unwrap(),
        EVERYWHERE,
        "www.dev.build.example.com.",
        RecordType::A,
    );
    assert_eq!(reply.metadata.response_code, ResponseCode::NXDomain);

    // The registry names the servers of another zone of that name.
    let registered = Registration {
        name: "example.com".into(),
        name_servers: vec!["other.test".into()],
        ds: vec![],
    };
    let hijacked = Zones::new(&[base()], &[registered]).unwrap();
    let reply = ask(&hijacked, EVERYWHERE, "www.example.com.", RecordType::A);
    assert_eq!(reply.metadata.response_code, ResponseCode::Refused);
}

#[test]
fn a_server_refuses_what_it_does_not_host() {
    for (asked, name) in [
        (at("dev1.test"), "build.example.com."),
        (at("base1.test"), "example.net."),
        (at("nobody.test"), "example.com."),
        (EVERYWHERE, "com."),
        (EVERYWHERE, "notexample.com."),
    ] {
        let reply = ask(&zones(), asked, name, RecordType::NS);
        assert_eq!(
            reply.metadata.response_code,
            ResponseCode::Refused,
            "{name}"
        );
        assert!(!reply.metadata.authoritative);
    }
}

#[test]
fn a_negative_answer_has_the_soa() {
    let missing = ask(
        &zones(),
        at("base1.test"),
        "nothing.example.com.",
        RecordType::A,
    );
    assert_eq!(missing.metadata.response_code, ResponseCode::NXDomain);
    let no_data = ask(
        &zones(),
        at("base1.test"),
        "www.example.com.",
        RecordType::AAAA,
    );
    let non_terminal = ask(
        &zones(),
        at("base1.test"),
        "b.example.com.",
        RecordType::TXT,
    );
    for reply in [&no_data, &non_terminal] {
        assert_eq!(reply.metadata.response_code, ResponseCode::NoError);
    }
    for reply in [missing, no_data, non_terminal] {
        assert!(reply.metadata.authoritative && reply.answers.is_empty());
        assert_eq!(reply.authorities[0].record_type(), RecordType::SOA);
    }
}

#[test]
fn aliases_have_no_data_and_wildcards_answer_for_missing_names() {
    let reply = ask(
        &zones(),
        at("base1.test"),
        "alias.example.com.",
        RecordType::A,
    );
    assert_eq!(texts(&reply), ["A 192.0.2.1", "CNAME www.example.com."]);
    let reply = ask(
        &zones(),
        at("base1.test"),
        "alias.example.com.",
        RecordType::CNAME,
    );
    assert_eq!(texts(&reply), ["CNAME www.example.com."]);
    let reply = ask(
        &zones(),
        at("base1.test"),
        "outside.example.com.",
        RecordType::A,
    );
    assert_eq!(texts(&reply), ["CNAME www.example.net."]);
    assert_eq!(reply.metadata.response_code, ResponseCode::NoError);
    assert!(
        !ask(
            &zones(),
            at("base1.test"),
            "loop.example.com.",
            RecordType::A
        )
        .answers
        .is_empty()
    );
    let reply = ask(
        &zones(),
        at("base1.test"),
        "any.thing.wild.example.com.",
        RecordType::A,
    );
    assert_eq!(texts(&reply), ["A 192.0.2.9"]);
    assert_eq!(
        reply.answers[0].name.to_ascii(),
        "any.thing.wild.example.com."
    );
    let reply = ask(
        &zones(),
        at("base1.test"),
        "wild.example.com.",
        RecordType::A,
    );
    assert!(reply.answers.is_empty());
}

#[test]
fn host_names_of_name_servers_have_addresses_of_their_own() {
    let own = Asked::Everywhere {
        own_addresses: true,
    };
    let reply = ask(&zones(), own, "Dev1.test.", RecordType::A);
    assert_eq!(texts(&reply), [format!("A {}", address_of("dev1.test"))]);
    assert!(
        ask(&zones(), own, "dev1.test.", RecordType::AAAA)
            .answers
            .is_empty()
    );
    assert_eq!(
        ask(&zones(), own, "x.test.", RecordType::A)
            .metadata
            .response_code,
        ResponseCode::Refused
    );
    assert_eq!(
        ask(&zones(), EVERYWHERE, "dev1.test.", RecordType::A)
            .metadata
            .response_code,
        ResponseCode::Refused
    );
}

#[test]
fn a_large_answer_is_truncated_over_udp_and_complete_over_tcp() {
    let long: Vec<String> = (0..40).map(|n| format!("\"{n:040}\"")).collect();
    let values: Vec<&str> = long.iter().map(String::as_str).collect();
    let zones = Zones::from_top(&[zone(
        "example.com",
        &["base1.test"],
        vec![set("t.example.com", "TXT", &values)],
    )]);
    let zones = zones.unwrap();
    let mut query = Message::query();
    query.add_query(Query::query(
        Name::from_ascii("t.example.com.").unwrap(),
        RecordType::TXT,
    ));
    let bytes = query.to_vec().unwrap();
    let udp = answer_bytes(&zones, EVERYWHERE, &bytes, true).unwrap();
    assert!(udp.len() <= 512);
    assert!(Message::from_vec(&udp).unwrap().metadata.truncation);
    let tcp = Message::from_vec(&answer_bytes(&zones, EVERYWHERE, &bytes, false).unwrap()).unwrap();
    assert!(!tcp.metadata.truncation);
    assert_eq!(tcp.answers.len(), 40);
    assert_eq!(tcp.metadata.id, query.metadata.id);
    assert!(answer_bytes(&zones, EVERYWHERE, b"no question", true).is_none());
}

#[test]
fn a_registry_refers_to_servers_that_do_not_host_the_domain() {
    let elsewhere = Registration {
        name: "example.com".to_owned(),
        name_servers: vec!["other.test".to_owned()],
        ds: vec![],
    };
    let zones = [zone("example.com", &["base1.test"], vec![])];
    let zones = Zones::new(&zones, &[elsewhere]).unwrap();
    let own = Asked::Everywhere {
        own_addresses: true,
    };
    let reply = ask(&zones, own, "www.example.com.", RecordType::NS);
    assert!(!reply.metadata.authoritative && reply.answers.is_empty());
    let referred: Vec<_> = reply.authorities.iter().map(ToString::to_string).collect();
    assert_eq!(referred, ["example.com. 172800 IN NS other.test."]);
    // They refuse, and so does the one server in place of all of them.
    for asked in [at("other.test"), EVERYWHERE] {
        let reply = ask(&zones, asked, "www.example.com.", RecordType::NS);
        assert_eq!(reply.metadata.response_code, ResponseCode::Refused);
    }
}

/// The zones, all signed, with the DS record set of each in its parent.
fn signed_zones() -> [Zone; 3] {
    let [mut base, mut build, mut dev] = [base(), build(), dev()];
    for zone in [&mut base, &mut build, &mut dev] {
        zone.signed = true;
    }
    build
        .record_sets
        .push(set(&dev.name, "DS", &[&dev.ds().unwrap()]));
    base.record_sets
        .push(set(&build.name, "DS", &[&build.ds().unwrap()]));
    [base, build, dev]
}

#[test]
fn ds_is_answered_by_the_parent_and_dnskey_by_the_child() {
    let zones = signed_zones();
    let digest = |reply: &Message| reply.answers[0].data.to_string();
    let dev = zones[2].name.clone() + ".";
    let zones = Zones::from_top(&zones).unwrap();
    for parent in [EVERYWHERE, at("build1.test")] {
        let ds = ask(&zones, parent, &dev, RecordType::DS);
        assert!(ds.metadata.authoritative);
        assert_eq!(ds.answers.len(), 1);
        assert_eq!(ds.answers[0].record_type(), RecordType::DS);
    }
    // The child does not know what its parent says of it.
    let none = ask(&zones, at("dev1.test"), &dev, RecordType::DS);
    assert!(none.metadata.authoritative && none.answers.is_empty());
    assert_eq!(none.authorities[0].name.to_ascii(), dev);
    for child in [EVERYWHERE, at("dev1.test")] {
        let keys = ask(&zones, child, &dev, RecordType::DNSKEY);
        assert!(keys.metadata.authoritative);
        assert_eq!(keys.answers.len(), 1);
        assert_eq!(keys.answers[0].record_type(), RecordType::DNSKEY);
    }
    // A registered name's DS record set is the registry's.
    let ds = ask(&zones, EVERYWHERE, "example.com.", RecordType::DS);
    assert_eq!(ds.answers.len(), 1);
    assert_ne!(
        digest(&ds),
        digest(&ask(&zones, EVERYWHERE, &dev, RecordType::DS))
    );
    let unsigned = Zones::from_top(&[base()]).unwrap();
    let none = ask(&unsigned, EVERYWHERE, "example.com.", RecordType::DS);
    assert!(none.metadata.authoritative && none.answers.is_empty());
    assert_eq!(none.authorities[0].name.to_ascii(), "com.");
}

#[test]
fn a_chain_of_trust_breaks_where_a_ds_record_set_has_no_key() {
    let is_bogus = |change: fn(&mut [Zone; 3])| {
        let mut zones = signed_zones();
        change(&mut zones);
        let zones = Zones::from_top(&zones).unwrap();
        let bogus = |name| zones.is_bogus(name).unwrap();
        [
            "www.example.com",
            "build.example.com",
            "www.dev.build.example.com",
        ]
        .map(bogus)
    };
    assert_eq!(is_bogus(|_| ()), [false, false, false]);
    assert_eq!(
        is_bogus(|zones| zones[2].signed = false),
        [false, false, true]
    );
    assert_eq!(
        is_bogus(|zones| zones[1].signed = false),
        [false, true, true]
    );
    // Signed again, by a zone with other name servers and so with another key.
    let other = |zones: &mut [Zone; 3]| {
        zones[1].record_sets[1].values = vec!["1 13 2 00".to_owned()];
    };
    assert_eq!(is_bogus(other), [false, false, true]);
    // Below what is not signed nothing counts.
    assert_eq!(
        is_bogus(|zones| zones[0].signed = false),
        [false, false, false]
    );
}
