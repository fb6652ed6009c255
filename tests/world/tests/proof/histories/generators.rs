//! Generates histories from small sets: few names and few stacks, with many conflicts. Each choice shrinks
//! towards its first value.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use world::cloudformation::{DeletionPolicy, Way};
use world::{Lie, When};

use super::choice::{
    CertificateChoice, NAMES, PREFIXES, StackChoice, TagOrder, TagsChoice, ZoneChoice,
};
use super::step::{Act, Failure, FaultStep, Forged, Operation, Step, Twist};
use crate::exclusions::ONE_NAME_TWO_LOGICAL_IDS;

/// The operations that the functions call, including the answer.
const OPERATIONS: [&str; 28] = [
    "AssumeRole",
    "GetParameters",
    "PutParameter",
    "DeleteParameters",
    "CreateHostedZone",
    "DeleteHostedZone",
    "GetHostedZone",
    "ChangeResourceRecordSets",
    "ListResourceRecordSets",
    "ListHostedZonesByName",
    "ListTagsForResource",
    "GetChange",
    "ChangeTagsForResource",
    "RequestCertificate",
    "DescribeCertificate",
    "DeleteCertificate",
    "StartExecution",
    "PUT",
    "GetDNSSEC",
    "ListHostedZones",
    "ListResourceRecordSetProtections",
    "UpdateHostedZoneComment",
    "ListCertificates",
    "ListTagsForCertificate",
    "AddTagsToCertificate",
    "RemoveTagsFromCertificate",
    "AddTagsToResource",
    "RemoveTagsFromResource",
];

/// Errors that no code expects, or that mean something else on other calls.
const REFUSALS: [(u16, &str); 7] = [
    (400, "SomethingNew"),
    (403, "AccessDenied"),
    (403, ""),
    (400, ""),
    (404, "NoSuchThing"),
    (409, "Conflict"),
    (400, "ValidationException"),
];

/// How resolvers lie.
const LIES: [Lie; 3] = [Lie::NoName, Lie::Referral, Lie::NameServers];

/// How a Delete comes to a function that someone made up.
const WAYS: [Way; 3] = [Way::Event, Way::OwnExecution, Way::OtherExecution];

fn when() -> impl Strategy<Value = When> + Clone {
    prop_oneof![Just(When::Before), Just(When::After)]
}

fn zone() -> impl Strategy<Value = ZoneChoice> {
    (
        0..2_usize,
        prop_oneof![4 => Just(0_usize), 3 => Just(1), 2 => Just(2), 1 => Just(3)],
        select(vec![900_u32, 60]),
        prop::bool::weighted(0.2),
        prop_oneof![8 => Just(0_u32), 1 => Just(30), 1 => Just(1500)],
        prop::bool::weighted(0.15),
        prop::bool::weighted(0.3),
        tags(),
        policy(),
        prop::bool::weighted(0.06),
    )
        .prop_map(
            |(
                logical_id,
                name,
                ttl,
                comment,
                drain,
                existing,
                deletes_records,
                tags,
                policy,
                broken,
            )| ZoneChoice {
                logical_id,
                name,
                ttl,
                comment,
                drain,
                existing,
                deletes_records,
                tags,
                policy,
                broken,
            },
        )
}

/// Generates tags. Usually there are none; otherwise so many that they and the ownership tags fit into one
/// call or do not.
fn tags() -> impl Strategy<Value = TagsChoice> {
    let count = prop_oneof![
        10 => Just(0_usize),
        3 => select(vec![1_usize, 7, 8, 9, 10, 19]),
        2 => 0..=50_usize,
    ];
    let order = select(vec![TagOrder::Before, TagOrder::After, TagOrder::Around]);
    (count, order).prop_map(|(count, order)| TagsChoice { count, order })
}

fn policy() -> impl Strategy<Value = DeletionPolicy> {
    prop_oneof![
        12 => Just(DeletionPolicy::Delete),
        2 => Just(DeletionPolicy::Retain),
        1 => Just(DeletionPolicy::RetainExceptOnCreate),
    ]
}

fn zones() -> impl Strategy<Value = Vec<ZoneChoice>> {
    prop_oneof![
        5 => vec(zone(), 1),
        2 => vec(zone(), 2).prop_map(|mut zones| {
            zones[1].logical_id = 1 - zones[0].logical_id;
            if ONE_NAME_TWO_LOGICAL_IDS.covers(zones[1].name == zones[0].name) {
                zones[1].name = (zones[0].name + 1) % NAMES.len();
            }
            zones
        }),
    ]
}

fn certificate() -> impl Strategy<Value = CertificateChoice> {
    (
        0..2_usize,
        any::<bool>(),
        any::<bool>(),
        prop::bool::weighted(0.2),
        prop::bool::weighted(0.25),
        any::<bool>(),
        prop::bool::weighted(0.3),
        tags(),
        policy(),
        prop::bool::weighted(0.06),
    )
        .prop_map(
            |(
                label,
                wildcard,
                keeps,
                elsewhere,
                twin,
                twin_elsewhere,
                shares,
                tags,
                policy,
                broken,
            )| CertificateChoice {
                label,
                wildcard,
                keeps,
                elsewhere,
                twin,
                twin_elsewhere,
                shares,
                tags,
                policy,
                broken,
            },
        )
}

fn choice() -> impl Strategy<Value = StackChoice> {
    (
        zones(),
        option::weighted(0.25, certificate()),
        prop::bool::weighted(0.1),
        0..PREFIXES.len(),
    )
        .prop_map(|(zones, certificate, fails, prefix)| StackChoice {
            zones,
            certificate,
            fails,
            prefix,
        })
}

/// Generates a stack: usually one of the first consumer's two, which share its names.
fn stack() -> impl Strategy<Value = usize> {
    prop_oneof![5 => Just(1_usize), 4 => Just(2), 2 => Just(3), 1 => Just(0), 2 => Just(4)]
}

fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        3 => stack().prop_map(Operation::Delete),
        10 => (stack(), choice()).prop_map(|(stack, choice)| Operation::Deploy(stack, choice)),
        2 => (stack(), any::<bool>()).prop_map(|(stack, fails)| Operation::Rename(stack, fails)),
        1 => (stack(), choice(), 0..90_u16)
            .prop_map(|(stack, choice, after)| Operation::CutCreate(stack, choice, after)),
        1 => (stack(), any::<bool>()).prop_map(|(stack, skip)| Operation::Continue(stack, skip)),
        5 => (stack(), twist()).prop_map(|(stack, twist)| Operation::Follow(stack, twist)),
        3 => (stack(), forged(), 0..NAMES.len(), select(&WAYS[..]))
            .prop_map(|(stack, forged, name, way)| Operation::Forge(stack, forged, name, way)),
    ]
}

fn twist() -> impl Strategy<Value = Twist> {
    select(vec![
        Twist::Before,
        Twist::Smaller,
        Twist::Broken,
        Twist::Sound,
    ])
}

fn forged() -> impl Strategy<Value = Forged> {
    select(vec![
        Forged::ZoneThatDoesNotExist,
        Forged::OthersZone,
        Forged::OthersThing,
        Forged::OtherStack,
        Forged::Own,
    ])
}

fn act() -> impl Strategy<Value = Act> {
    let name = 0..NAMES.len();
    prop_oneof![
        2 => Just(Act::Tidy),
        1 => name.clone().prop_map(Act::ForeignDelegation),
        1 => name.clone().prop_map(Act::RemoveDelegation),
        1 => name.clone().prop_map(Act::RecordBelow),
        1 => name.clone().prop_map(Act::RecordInside),
        2 => name.clone().prop_map(Act::MakeZone),
        1 => name.clone().prop_map(Act::RemoveZones),
        1 => name.clone().prop_map(Act::RemoveMarks),
        1 => name.clone().prop_map(Act::Sign),
        1 => name.clone().prop_map(Act::Protect),
        1 => (0..2_usize).prop_map(Act::TakeRole),
        2 => name.clone().prop_map(Act::DelegateZone),
        1 => name.clone().prop_map(Act::Ds),
        1 => name.clone().prop_map(Act::Secure),
        1 => (name.clone(), stack()).prop_map(|(name, to)| Act::Retag(name, to)),
        1 => (name.clone(), stack()).prop_map(|(name, to)| Act::RetagStack(name, to)),
        1 => name.clone().prop_map(Act::Stick),
        1 => select(&LIES[..]).prop_map(Act::Lie),
        1 => Just(Act::UseCertificates),
        1 => Just(Act::Guardrails),
        1 => (name, 10..600_u16).prop_map(|(name, seconds)| Act::Follow(name, seconds)),
        2 => (0..PREFIXES.len()).prop_map(Act::WriteParameter),
        1 => (0..PREFIXES.len()).prop_map(Act::RemoveParameter),
    ]
}

fn failure() -> impl Strategy<Value = Failure> + Clone {
    prop_oneof![
        Just(Failure::Slow),
        Just(Failure::Throttle),
        when().prop_map(Failure::Unavailable),
        when().prop_map(Failure::Reset),
        when().prop_map(Failure::Silence),
        Just(Failure::Denied),
        select(&REFUSALS[..]).prop_map(|(status, code)| Failure::Refused(status, code)),
    ]
}

fn fault() -> impl Strategy<Value = FaultStep> {
    let kill = (0..4_u64, 1..30_u64, when(), prop::bool::weighted(0.4));
    prop_oneof![
        2 => Just(FaultStep::Clear),
        5 => kill.prop_map(|(invocation, call, when, always)| FaultStep::Kill {
            invocation,
            call,
            when,
            always,
        }),
        6 => (select(&OPERATIONS[..]), 1..8_u64, failure())
            .prop_map(|(name, times, failure)| FaultStep::Operation(name, times, failure)),
        1 => (1..8_u64)
            .prop_map(|times| FaultStep::Operation("ChangeResourceRecordSets", times, Failure::Busy)),
        1 => (1..20_u8, failure())
            .prop_map(|(chance, failure)| FaultStep::Sometimes(chance, failure)),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        1 => prop_oneof![4 => 1..2000_u16, 1 => Just(9_000)].prop_map(Step::Sleep),
        8 => operation().prop_map(|operation| Step::Operate(vec![operation])),
        2 => (operation(), operation()).prop_map(|(one, other)| {
            if one.stack() == other.stack() {
                Step::Operate(vec![one])
            } else {
                Step::Operate(vec![one, other])
            }
        }),
        4 => act().prop_map(Step::Act),
        4 => fault().prop_map(Step::Fault),
        2 => (0..12_usize).prop_map(Step::Again),
        1 => (0..400_u16, option::of(0..200_u16))
            .prop_map(|(late, again)| Step::Deliver(late, again)),
    ]
}

/// A resource is added and refused, then added again without its fault; an event of that is delivered once more.
fn refused_and_again() -> impl Strategy<Value = Vec<Step>> {
    let stack = prop_oneof![3 => Just(1_usize), 1 => Just(2), 1 => Just(3)];
    (
        stack,
        choice(),
        certificate(),
        0..2000_u16,
        0..8_usize,
        vec(step(), 0..=3),
    )
        .prop_map(|(at, choice, mut certificate, pause, back, more)| {
            let mut without = choice.broken(false);
            without.certificate = None;
            let mut with = without.clone();
            certificate.broken = true;
            with.certificate = Some(certificate);
            let operate = |operation| Step::Operate(vec![operation]);
            let steps = [
                operate(Operation::Deploy(at, without)),
                operate(Operation::Deploy(at, with)),
                operate(Operation::Follow(at, Twist::Sound)),
                Step::Sleep(pause),
                Step::Again(back),
            ];
            steps.into_iter().chain(more).collect()
        })
}

/// A history of 2 to 30 steps, most of them short, and the seed of everything else in it.
pub(crate) fn history() -> impl Strategy<Value = (u32, Vec<Step>)> {
    let steps = prop_oneof![
        1 => refused_and_again(),
        4 => vec(step(), 2..=6),
        3 => vec(step(), 2..=12),
        1 => vec(step(), 2..=30),
    ];
    (any::<u32>().no_shrink(), steps)
}
