//! Checks the safety rules for every plan of every request in all small worlds: one zone of each kind of
//! owner and stage, each NS record set that the parent may have, with and without permission, and every
//! answer of DNS.

use super::{
    Action, Plan,
    account::{Account, OTHER_STACK, Outcome, STACK, id, name, properties, request, servers},
};
use crate::subdomain::observed::Observed;
use custom_resource::Request;
use dns_check::Standing;
use hosted_zones::HostedZoneId;
use ownership::{
    Owner, Requester,
    zone::{Ownership, Tagging},
};
use serde_json::{Value, json};

const ZONE: &str = "ZCHILD";
/// The time of the Create that is redelivered, or that is deleted. The earlier one was long before.
const CREATED: u64 = 100_000;

fn owner(stack: &str, logical_id: &str) -> Owner {
    Owner {
        stack_id: stack.to_owned(),
        logical_id: logical_id.to_owned(),
    }
}

fn create(more: Value) -> Request {
    request(
        "Create",
        "Dev",
        json!({ "ResourceProperties": properties(more) }),
        CREATED,
    )
}

/// Returns a Create of a logical id, long before.
fn earlier(logical_id: &str) -> Request {
    request(
        "Create",
        logical_id,
        json!({ "ResourceProperties": properties(json!({})) }),
        1_000,
    )
}

fn without_incomplete(mut tagging: Tagging) -> Tagging {
    tagging
        .set
        .retain(|key, _| key != "zone-delegation:incomplete");
    tagging
}

/// Returns zones in every state: each with its label, its `CallerReference` and its tags.
fn zones() -> Vec<(&'static str, String, Tagging)> {
    let now = create(json!({}));
    let (before, former) = (earlier("Dev"), earlier("Former"));
    let plain = |owner: &Owner| Tagging {
        set: owner.tags(),
        delete: Vec::new(),
    };
    let other = owner(OTHER_STACK, "Theirs");
    let others_reference = other.caller_reference("r");
    let transferred = Tagging::transferred(&now, "Former", Some("Former"));
    let to_other = Tagging::transferred(&earlier("Other"), "Dev", Some("Dev"));
    vec![
        (
            "untagged yet, of this Create",
            now.caller_reference(),
            Tagging::default(),
        ),
        (
            "incomplete, of this Create",
            now.caller_reference(),
            Tagging::created(&now),
        ),
        (
            "complete, of this Create",
            now.caller_reference(),
            without_incomplete(Tagging::created(&now)),
        ),
        (
            "of an earlier Create",
            before.caller_reference(),
            without_incomplete(Tagging::created(&before)),
        ),
        (
            "incomplete, of an earlier Create",
            before.caller_reference(),
            Tagging::created(&before),
        ),
        (
            "of a former logical id",
            former.caller_reference(),
            without_incomplete(Tagging::created(&former)),
        ),
        (
            "transferred by this Create",
            former.caller_reference(),
            transferred.clone(),
        ),
        ("transferred and settled", former.caller_reference(), {
            let mut settled = without_incomplete(transferred);
            settled.set.remove("zone-delegation:previous-logical-id");
            settled
        }),
        (
            "transferred to another logical id",
            before.caller_reference(),
            without_incomplete(to_other.clone()),
        ),
        (
            "being transferred to another logical id",
            before.caller_reference(),
            to_other,
        ),
        ("of another stack", others_reference.clone(), plain(&other)),
        (
            "of another stack, with tags of this one",
            others_reference,
            plain(&owner(STACK, "Dev")),
        ),
        (
            "of this resource, with tags of another stack",
            before.caller_reference(),
            plain(&other),
        ),
        (
            "created by a person",
            "by hand".to_owned(),
            Tagging::default(),
        ),
        (
            "external, of this Create",
            "by hand".to_owned(),
            Tagging::external(&now, &id("ZPARENT")),
        ),
        (
            "external, adopted by this Create",
            "by hand".to_owned(),
            Tagging::adopted(&now, &id("ZPARENT")),
        ),
        ("external, of an earlier Create", "by hand".to_owned(), {
            without_incomplete(Tagging::external(&before, &id("ZPARENT")))
        }),
        (
            "external, of another stack",
            "by hand".to_owned(),
            plain(&other),
        ),
    ]
}

fn requests() -> Vec<(&'static str, Request)> {
    let physical_id = Account::physical_id(ZONE, "Dev");
    let external = json!({ "HostedZoneId": ZONE });
    let adopting = json!({ "HostedZoneId": ZONE, "AdoptDelegation": "true" });
    let former = json!({ "FormerLogicalIds": ["Former"] });
    let delete = |physical_id: &str, more: &Value, at| {
        let of = json!({ "PhysicalResourceId": physical_id, "ResourceProperties": properties(more.clone()) });
        request("Delete", "Dev", of, at)
    };
    let update = |old: Value, new: Value| {
        let of = json!({
            "PhysicalResourceId": physical_id.as_str(), "ResourceProperties": properties(new),
            "OldResourceProperties": properties(old),
        });
        request("Update", "Dev", of, CREATED + 60)
    };
    let web = json!({ "Subdomain": "web" });
    let refused = create(json!({})).refused_id();
    let earlier = earlier("Dev").refused_id();
    vec![
        ("Create", create(json!({}))),
        ("Create of a renamed", create(former.clone())),
        ("Create with HostedZoneId", create(external.clone())),
        ("Create that adopts", create(adopting.clone())),
        ("Update in place", update(json!({}), json!({ "Ttl": "60" }))),
        ("Update to another name", update(json!({}), web.clone())),
        ("rollback from another name", update(web, json!({}))),
        ("Update to HostedZoneId", update(json!({}), adopting)),
        ("Delete", delete(&physical_id, &json!({}), CREATED + 60)),
        (
            "Delete of a renamed",
            delete(&physical_id, &former, CREATED + 60),
        ),
        (
            "Delete with HostedZoneId",
            delete(&physical_id, &external, CREATED + 60),
        ),
        (
            "late Delete",
            delete(&physical_id, &json!({}), CREATED - 60),
        ),
        (
            "Delete of this Create, refused",
            delete(&refused, &json!({}), CREATED + 60),
        ),
        (
            "Delete of an earlier Create, refused",
            delete(&earlier, &json!({}), CREATED + 60),
        ),
        (
            "Delete of an unanswered Create",
            delete("dev-Dev-1A2B3C4D5E6F", &json!({}), CREATED + 60),
        ),
        ("Delete of an unanswered Create, with HostedZoneId", {
            delete("dev-Dev-1A2B3C4D5E6F", &external, CREATED + 60)
        }),
    ]
}

/// Returns all worlds, each with its label.
fn worlds() -> Vec<(String, Account)> {
    let mut worlds = vec![];
    for (called, reference, tagging) in zones() {
        for set in [None, Some(ZONE), Some("ZOTHER")] {
            for permission in [true, false] {
                for said in [None, Some(Standing::Unknown("no answer".to_owned()))] {
                    let mut account = Account::new();
                    account.zone(ZONE, &reference, tagging.clone());
                    if let Some(to) = set {
                        account.delegate(to);
                    }
                    account.permission = permission;
                    let world = format!("zone {called}; parent: {set:?}; {permission} {said:?}");
                    account.said = said;
                    account.now = CREATED + 60;
                    worlds.push((world, account));
                }
            }
        }
    }
    worlds
}

/// Whether a request may change the zone, and whether it may delete it.
struct May {
    change: bool,
    delete: bool,
}

fn may(request: &Request, account: &Account, zone: &HostedZoneId) -> May {
    let Some(zone) = account.zones.get(zone) else {
        return May {
            change: false,
            delete: false,
        };
    };
    let listed = |key: &str| {
        let ids = request.properties.get(key);
        ids.is_some_and(|ids| ids.to_string().contains("Former"))
    };
    let former: &[String] = if listed("FormerLogicalIds") {
        &["Former".to_owned()]
    } else {
        &[]
    };
    let is_named = request.properties.text("HostedZoneId") == Some(zone.id.as_str());
    match zone.ownership(&request.owner(), former) {
        Ownership::Managed { .. } => May {
            change: true,
            delete: !is_named,
        },
        Ownership::External { .. } => May {
            change: true,
            delete: false,
        },
        Ownership::OtherLogicalId {
            transferred_from_here,
            ..
        } => May {
            change: transferred_from_here || !former.is_empty(),
            delete: transferred_from_here,
        },
        Ownership::Untagged => May {
            change: is_named,
            delete: false,
        },
        Ownership::OtherStack(_) | Ownership::Contradicting { .. } => May {
            change: false,
            delete: false,
        },
    }
}

/// Returns whether the NS record set at the name leads to the name servers of this zone.
fn is_delegated(account: &Account, zone: &HostedZoneId) -> bool {
    let set = account.sets.get(name("dev").as_str());
    set.is_some_and(|set| set.name_servers() == servers(zone.as_str()))
}

/// Checks the actions of a plan against its observation.
fn check(request: &Request, account: &Account, observed: &Observed, plan: &Plan, what: &str) {
    let Plan::Do(plan) = plan else {
        return;
    };
    let mut delegated: Vec<HostedZoneId> = account.zones.keys().cloned().collect();
    delegated.retain(|zone| is_delegated(account, zone));
    for action in &plan.actions {
        let wrong = |why: &str| panic!("{what}: {action}: {why}\nobserved {observed:#}");
        match action {
            Action::CreateZone { .. }
            | Action::AwaitZone(_)
            | Action::Verify { .. }
            | Action::Leave { .. } => {}
            Action::Tag { zone, .. }
            | Action::SetComment { zone, .. }
            | Action::DeleteRecords { zone, .. } => {
                if !may(request, account, zone).change {
                    wrong("the zone is not this resource's");
                }
            }
            Action::SetApexTtl { zone, .. } => {
                if zone.caller_reference != request.caller_reference() {
                    wrong("this request did not create the zone");
                }
            }
            Action::Delegate { zone, replaces, .. } => {
                if !may(request, account, &zone.id).change {
                    wrong("the zone is not this resource's");
                }
                if replaces
                    .as_ref()
                    .is_some_and(|set| set.name_servers() == servers("ZOTHER"))
                {
                    wrong("the NS record set is someone else's");
                }
            }
            Action::DeleteDelegation { set, .. } => {
                let to = account
                    .zones
                    .values()
                    .find(|zone| zone.name_servers == set.name_servers());
                match to {
                    Some(zone) if may(request, account, &zone.id).change => {}
                    None if set.name_servers() == servers(ZONE) => {}
                    _ => wrong("the NS record set is not this resource's"),
                }
                delegated.retain(|zone| servers(zone.as_str()) != set.name_servers());
            }
            Action::DeleteZone { zone, .. } => {
                if !may(request, account, zone).delete {
                    wrong("the zone is not this resource's");
                }
                if delegated.contains(zone) {
                    wrong("the parent delegates to the zone");
                }
                if !account.permission && account.said.is_some() {
                    wrong("whether the parent delegates to the zone is unknown");
                }
            }
        }
    }
}

#[test]
fn every_plan_is_safe_and_every_request_ends_in_every_world() {
    let mut plans = 0;
    for (world, account) in worlds() {
        for (kind, request) in requests() {
            let mut account = account.clone();
            if !account.permission && kind.contains("Create") && !kind.contains("Delete") {
                continue;
            }
            let what = format!("{kind}; {world}");
            account.serve(&request, |account, observed, plan| {
                plans += 1;
                check(&request, account, observed, plan, &what);
            });
        }
    }
    assert!(plans > 4_000, "{plans}");
}

#[test]
fn a_request_with_slow_changes_ends_as_one_with_fast_changes() {
    for (world, account) in worlds() {
        for (kind, request) in requests() {
            if !account.permission && kind.contains("Create") && !kind.contains("Delete") {
                continue;
            }
            let what = format!("{kind}; {world}");
            let mut quick = account.clone();
            let expected = quick.serve(&request, |_, _, _| {});
            let mut slow = account.clone();
            slow.slow = true;
            let outcome = slow.serve(&request, |account, observed, plan| {
                check(&request, account, observed, plan, &what);
            });
            assert_eq!(format!("{outcome:?}"), format!("{expected:?}"), "{what}");
            assert_eq!(slow.sets, quick.sets, "{what}");
            let tags = |account: &Account| -> Vec<_> {
                let zones = account.zones.values();
                zones
                    .map(|zone| (zone.id.clone(), zone.tags.clone()))
                    .collect()
            };
            assert_eq!(tags(&slow), tags(&quick), "{what}");
            assert_eq!(slow.delegated, quick.delegated, "{what}");
        }
    }
}

#[test]
fn a_delete_of_another_or_earlier_create_changes_nothing_of_this_one() {
    for (world, account) in worlds() {
        let is_of_this_create =
            world.contains("of this Create") || world.contains("by this Create");
        if !is_of_this_create {
            continue;
        }
        for (kind, request) in requests() {
            if !["late Delete", "Delete of an earlier Create, refused"].contains(&kind) {
                continue;
            }
            let mut served = account.clone();
            served.serve(&request, |_, _, _| {});
            let zone = served.zones.get(&id(ZONE)).map(|zone| &zone.tags);
            // The tags are needed to know when the request was made that created the zone.
            if zone.is_some_and(|tags| !tags.is_empty()) || !world.contains("untagged yet") {
                assert_eq!(
                    zone,
                    account.zones.get(&id(ZONE)).map(|zone| &zone.tags),
                    "{kind}; {world}"
                );
                assert_eq!(served.sets, account.sets, "{kind}; {world}");
            }
        }
    }
}

#[test]
fn a_create_that_succeeds_is_undone_by_its_delete() {
    for (world, account) in worlds() {
        if !account.permission || account.said.is_some() || !world.contains("created by a person") {
            continue;
        }
        for more in [
            json!({}),
            json!({ "HostedZoneId": ZONE, "AdoptDelegation": "true" }),
        ] {
            let mut served = account.clone();
            let create = create(more.clone());
            let Outcome::Success(physical_id) = served.serve(&create, |_, _, _| {}) else {
                continue;
            };
            let of = json!({ "PhysicalResourceId": physical_id, "ResourceProperties": properties(more) });
            let delete = request("Delete", "Dev", of, CREATED + 120);
            served.serve(&delete, |_, _, _| {});
            assert_eq!(served.zones.len(), account.zones.len(), "{world}");
            assert!(served.zones[&id(ZONE)].tags.is_empty(), "{world}");
            assert!(
                served.sets.is_empty() || world.contains("ZOTHER"),
                "{world}"
            );
        }
    }
}
