//! The attacker. He watches every delegation. If one names Route 53 name servers that host no zone of its
//! name, he creates zones of that name until Route 53 assigns one of these servers, and then controls the
//! name. Such takeovers happen:
//! <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/protection-from-dangling-dns.html>

use crate::iam::principal::Hand;
use crate::route53::name::Name;
use crate::route53::name_server::NameServer;
use crate::route53::record_set::{RecordKey, RecordSet};
use crate::state::State;

/// Checks every delegation of a name, in the API's view and in the name servers'. `cause` is the hand that
/// made the last change.
pub(crate) fn check(state: &mut State, name: &Name, cause: &Hand) {
    let key = RecordKey::new(name, "NS");
    let mut taken: Vec<(String, RecordSet, NameServer)> = Vec::new();
    for zone in state.route53.zones.values() {
        if zone.private || !name.is_below(&zone.name) {
            continue;
        }
        let mut sets: Vec<&RecordSet> = zone.records.get(&key).into_iter().collect();
        sets.extend(zone.published.get(&key));
        for set in sets {
            let orphan = set
                .values
                .iter()
                .filter_map(|value| NameServer::by_host(value))
                .find(|server| {
                    !state
                        .route53
                        .zones_named(name)
                        .any(|child| child.name_servers.contains(server))
                });
            if let Some(server) = orphan {
                taken.push((zone.id.clone(), set.clone(), server));
            }
        }
    }
    for (zone_id, set, server) in taken {
        if set.written_by == Hand::Person || deleted_by_person(state, name, server) {
            continue;
        }
        let what = format!(
            "{name} is the attacker's: {zone_id} delegates it to {}, which hosts no zone of that name (after {cause})",
            server.host()
        );
        if !state
            .violations
            .iter()
            .any(|violation| violation.what == what)
        {
            state.violate(what);
        }
    }
}

/// Returns whether a person deleted the zone that this server hosted: then no function is responsible.
fn deleted_by_person(state: &State, name: &Name, server: NameServer) -> bool {
    state.route53.former.values().any(|zone| {
        zone.name == *name && zone.name_servers.contains(&server) && zone.deleted_by == Hand::Person
    })
}
