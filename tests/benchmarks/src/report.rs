//! What was measured, as the document has it.

use std::fmt::Write as _;
use std::time::Duration;

use crate::burst::{Burst, CreateAndDelete};
use crate::contestants::Who;
use crate::cost::{self, Life};
use crate::round_trips::Operation;
use crate::start::{ROUNDS, Starts};

/// Everything that was measured.
#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) starts: Vec<Starts>,
    /// By latency.
    pub(crate) operations: Vec<(Duration, Vec<Operation>)>,
    /// This project's functions and CDK's handler, by the number of stacks.
    pub(crate) bursts: Vec<(CreateAndDelete, CreateAndDelete)>,
    /// Calls in a small zone and account.
    pub(crate) small: Vec<(&'static str, usize)>,
    /// Calls in a large one.
    pub(crate) large: Vec<(&'static str, usize)>,
}

/// Rounds that correctness needs, each operation's calls in the order that one forces upon another.
const LEAST: [(&str, usize, &str); 10] = [
    (
        "PublishedZone create",
        3,
        "[zone ‖ parameters] → [three parameters] → answer",
    ),
    (
        "PublishedZone update",
        2,
        "[zone ‖ parameters ‖ their tags] → answer, as none of them differs",
    ),
    (
        "DelegatedSubdomain create",
        7,
        "role → parameters → [parent, torn or not ‖ zones of the name ‖ what stands around it] → zone → [NS record set ‖ tags] → INSYNC → answer",
    ),
    (
        "SubdomainCertificate create",
        7,
        "[zone ‖ own certificates] → no delegation that would hide the CNAME → request → which CNAME → CNAME → [issued ‖ the CNAME, which another certificate's delete may have taken] → answer",
    ),
    (
        "SubdomainCertificate update (tags)",
        3,
        "[zone ‖ certificate ‖ its tags ‖ others of its name, half made] → tags → answer",
    ),
    (
        "SubdomainCertificate delete",
        3,
        "[certificate ‖ its tags] → delete → answer",
    ),
    (
        "DelegatedSubdomain update (comment)",
        5,
        "[role ‖ own zone ‖ its tags] → parameters → [parent ‖ NS record set ‖ zones of the name] → [comment ‖ tags] → answer",
    ),
    (
        "DelegatedSubdomain update (TTL)",
        6,
        "the same with [NS record set ‖ tags] → INSYNC → answer",
    ),
    (
        "DelegatedSubdomain delete",
        8,
        "[own zone ‖ its tags ‖ its record sets ‖ DNSSEC ‖ protections ‖ role] → NS record set's delete, guarded by its values → INSYNC → no NS record set again by a Create that came twice → the zone's record sets, which may not vanish under a delegation (here a certificate's CNAME; none, and this round is spared) → zone → no NS record set now either → answer",
    ),
    (
        "PublishedZone delete",
        4,
        "[parameters ‖ their tags] → delegations in the zone → parameters' delete → answer",
    ),
];

/// The document.
pub(crate) fn write(measured: &Measured) -> String {
    let mut text = String::new();
    text.push_str(HEAD);
    starts(&mut text, &measured.starts);
    round_trips(&mut text, measured);
    bursts(&mut text, &measured.bursts);
    sizes(&mut text, measured);
    costs(&mut text, &measured.operations);
    text
}

const HEAD: &str = "\
# Benchmarks

Written by `cargo xtask bench`; everything here is of one run on one machine. Times are medians and depend on the machine
and on what else it does, so run it on yours; counts do not.

";

/// A line of the document; writing to text cannot fail.
macro_rules! line {
    ($text:expr, $($words:tt)*) => { let _ = writeln!($text, $($words)*); };
}

fn milliseconds(duration: Duration) -> String {
    let milliseconds = duration.as_secs_f64() * 1e3;
    if milliseconds < 100.0 {
        format!("{milliseconds:.1}")
    } else {
        format!("{milliseconds:.0}")
    }
}

fn seconds(duration: Duration) -> String {
    format!("{:.0} s", duration.as_secs_f64())
}

fn megabytes(bytes: u64) -> String {
    if bytes < 100_000 {
        format!("{:.3}", bytes as f64 / 1e6)
    } else {
        format!("{:.2}", bytes as f64 / 1e6)
    }
}

fn starts(text: &mut String, starts: &[Starts]) {
    line!(text, "## Cold start\n");
    line!(
        text,
        "![How long until the first question for an invocation, and until the answer](benchmarks.svg)\n"
    );
    line!(
        text,
        "{ROUNDS} starts of each, in turns, after one that is not counted. \"First `next`\" is from the start of the process to its
first `GET /runtime/invocation/next`; \"answer\" goes on to the PUT of a create's answer, over HTTPS to AWS calls that take
no time, without the pauses before a look at what AWS still works on (this function waits for INSYNC, CDK's handler
does not). In brackets where a quarter and three quarters of the starts lie. Peak memory is the resident set's through
the whole create. What Lambda itself does before it starts a process is in none of it, nor is what its managed Node and
Python runtimes do before the handler is loaded.\n"
    );
    line!(
        text,
        "| | first `next`, ms | times the limit | answer, ms | calls, one after another | peak memory, MB | zipped, MB |"
    );
    line!(text, "| --- | ---: | ---: | ---: | ---: | ---: | ---: |");
    let limit = starts
        .first()
        .map_or(1.0, |starts| starts.to_next.median.as_secs_f64());
    for start in starts {
        let spread = |spread: crate::statistics::Spread| {
            let [median, low, high] =
                [spread.median, spread.quarter, spread.three_quarters].map(milliseconds);
            format!("{median} ({low} to {high})")
        };
        let calls = match start.calls {
            0 => String::new(),
            calls => format!("{calls}, {}", start.rounds - 1),
        };
        let zipped = match start.zipped {
            (own, Some(with_sdk)) => {
                format!("{}; {} with its SDK", megabytes(own), megabytes(with_sdk))
            }
            (own, None) => megabytes(own),
        };
        line!(
            text,
            "| {} | {} | {:.1} | {} | {calls} | {} | {zipped} |",
            start.who.name(),
            spread(start.to_next),
            start.to_next.median.as_secs_f64() / limit,
            start.to_answer.map(spread).unwrap_or_default(),
            megabytes(start.peak_memory),
        );
    }
    goals(text, starts, limit);
}

fn goals(text: &mut String, starts: &[Starts], limit: f64) {
    let of = |who| starts.iter().find(|starts| starts.who == who);
    let (Some(ours), Some(node), Some(python)) =
        (of(Who::DelegateSubdomain), of(Who::Cdk), of(Who::Python))
    else {
        return;
    };
    let next = ours.to_next.median.as_secs_f64();
    let faster = |other: &Starts| other.to_next.median.as_secs_f64() / next;
    line!(
        text,
        "\nOf `delegate-subdomain`, the larger of the two functions:\n"
    );
    line!(text, "| goal | reached |");
    line!(text, "| --- | --- |");
    line!(
        text,
        "| first `next` within 3 times the limit | {:.1} times |",
        next / limit
    );
    line!(
        text,
        "| at least 20 times faster than Node and Python | {:.0} and {:.0} times |",
        faster(node),
        faster(python)
    );
    line!(
        text,
        "| at most 3.0 MB zipped | {} MB |",
        megabytes(ours.zipped.0)
    );
    line!(
        text,
        "| at most 16 MB of memory through a create | {} MB |",
        megabytes(ours.peak_memory)
    );
    text.push_str(DISTANCE);
}

const DISTANCE: &str = include_str!("distance.md");

fn round_trips(text: &mut String, measured: &Measured) {
    line!(text, "\n## Round trips\n");
    line!(
        text,
        "The functions' binaries over HTTPS, a new process for each operation, one host for each service. `→` is one call after
another, `‖` calls at once. A *round* is a call, or several at once, that begins when another has ended; the answer's PUT
is one. \"Needed\" is what correctness allows: which call needs which. Changes are INSYNC, and certificates issued, at once,
so that what is left of waiting are the pauses before a look, which are no round trips and are taken out: a GetChange comes
one round after the call that made its change, or after the last look at it, whatever else ran in the pause between them.
The walls are in milliseconds, of the longest chain of rounds without its pauses; \"pauses\" is what they leave out.\n"
    );
    line!(
        text,
        "| operation | AWS calls | TLS handshakes | rounds | needed | wall at 0 ms | at 20 ms | at 100 ms | pauses | wall at 100 ms, by rounds × 100 ms |"
    );
    line!(
        text,
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    );
    let Some((_, last)) = measured.operations.last() else {
        return;
    };
    for (index, operation) in last.iter().enumerate() {
        let walls: Vec<String> = measured
            .operations
            .iter()
            .filter_map(|(_, operations)| operations.get(index))
            .map(|operation| milliseconds(operation.wall_without_pauses))
            .collect();
        let needed = LEAST
            .iter()
            .find(|(name, ..)| *name == operation.name)
            .map_or(0, |(_, needed, _)| *needed);
        let expected = 0.1 * operation.rounds as f64;
        line!(
            text,
            "| {} | {} | {} | {} | {needed} | {} | {} | {:+.1} % |",
            operation.name,
            operation.calls,
            operation.handshakes.values().sum::<usize>(),
            operation.rounds,
            walls.join(" | "),
            milliseconds(operation.wall - operation.wall_without_pauses),
            (operation.wall_without_pauses.as_secs_f64() / expected - 1.0) * 100.0,
        );
    }
    line!(
        text,
        "\nWhat runs, and what the order that is needed is made of:\n"
    );
    for operation in last {
        line!(text, "- **{}**: {}.", operation.name, operation.order);
        if let Some((_, _, order)) = LEAST.iter().find(|(name, ..)| *name == operation.name) {
            line!(text, "  Needed: {order}.");
        }
    }
    line!(
        text,
        "\nAWS's endpoints are one host for each service, so each service costs one TLS handshake at least; two where calls"
    );
    line!(
        text,
        "to one service run at once. The answer goes to S3, one more."
    );
}

fn bursts(text: &mut String, bursts: &[(CreateAndDelete, CreateAndDelete)]) {
    line!(text, "\n## A burst\n");
    line!(
        text,
        "Stacks of as many accounts, all at once, below one parent zone: its account's bucket holds 50 calls and gains 10 a second
(<https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/throttling-api-requests.html>). Virtual time; a change takes 2
to 40 s to be INSYNC, evenly spread. \"Least\" is what the bucket makes the calls take that cannot be done without: for a create
GetHostedZone, ListResourceRecordSets, ChangeResourceRecordSets and one GetChange, for a delete ChangeResourceRecordSets, one
GetChange, and a ListResourceRecordSets before and after the zone goes (has a Create that was delivered twice delegated
again?), for CDK's handler its one ChangeResourceRecordSets. CDK's handler waits for nothing and so needs one call; its SDK makes 3
attempts, and nothing tries again after those.\n"
    );
    line!(
        text,
        "| stacks | what | who | succeeded | took | least | times the least | requests | a stack | throttled, a stack |"
    );
    line!(
        text,
        "| ---: | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    );
    for (functions, cdk) in bursts {
        for (who, of) in [("delegate-subdomain", functions), ("CDK's logic", cdk)] {
            for (what, burst) in [("create", &of.create), ("delete", &of.delete)] {
                burst_line(text, what, who, burst);
            }
        }
    }
    distance_of_bursts(text, bursts);
    let failures: Vec<&String> = bursts
        .iter()
        .flat_map(|(functions, _)| [&functions.create, &functions.delete])
        .flat_map(|burst| &burst.failures)
        .take(3)
        .collect();
    if !failures.is_empty() {
        line!(
            text,
            "\nFailures of this project's functions: {failures:?}."
        );
    }
}

fn distance_of_bursts(text: &mut String, bursts: &[(CreateAndDelete, CreateAndDelete)]) {
    let (Some((first, _)), Some((last, _))) = (bursts.first(), bursts.last()) else {
        return;
    };
    line!(
        text,
        "\nOf the requests of {} stacks, by action, a stack:\n",
        last.create.stacks
    );
    line!(text, "| what | action | let through | throttled |");
    line!(text, "| --- | --- | ---: | ---: |");
    for (what, burst) in [("create", &last.create), ("delete", &last.delete)] {
        let stacks = burst.stacks as f64;
        for (action, (requests, throttled)) in &burst.by_action {
            line!(
                text,
                "| {what} | {action} | {:.2} | {:.2} |",
                (requests - throttled) as f64 / stacks,
                *throttled as f64 / stacks,
            );
        }
    }
    let [few, many] =
        [&first.create, &last.create].map(|burst| burst.requests as f64 / burst.stacks as f64);
    line!(
        text,
        "\nWhat is let through is linear in stacks: about what cannot be done without. What grows is what is throttled, and the
bucket is not charged for it: from {few:.1} requests a stack at {} creates to {many:.1} at {}, {:.1} times for {:.0} times the stacks,
as many wait at once. A throttled call is sent again after pauses of up to 16 s; after two minutes the state machine goes on with
the request, so that it occupies no Lambda concurrency. What the stacks take beyond the least is their end: the last of them
sleep out a pause, and then wait for their change to be INSYNC.",
        first.create.stacks,
        last.create.stacks,
        many / few,
        last.create.stacks as f64 / first.create.stacks as f64,
    );
}

fn burst_line(text: &mut String, what: &str, who: &str, burst: &Burst) {
    let times = match burst.least {
        Duration::ZERO => String::new(),
        least => format!("{:.2}", burst.took.as_secs_f64() / least.as_secs_f64()),
    };
    line!(
        text,
        "| {} | {what} | {who} | {:.0} % | {} | {} | {times} | {} | {:.1} | {:.1} |",
        burst.stacks,
        100.0 * burst.succeeded as f64 / burst.stacks as f64,
        seconds(burst.took),
        seconds(burst.least),
        burst.requests,
        burst.requests as f64 / burst.stacks as f64,
        burst.throttled as f64 / burst.stacks as f64,
    );
}

fn sizes(text: &mut String, measured: &Measured) {
    line!(text, "\n## Size of the zone and of the account\n");
    line!(
        text,
        "AWS calls with {} record sets in the parent and {} zones in each account, and at the default quotas of 10,000 and 500. The
same is a test (`tests/world/tests/proof/zone_size.rs`).\n",
        crate::zone_size::SMALL.record_sets,
        crate::zone_size::SMALL.zones,
    );
    line!(text, "| operation | small | large |");
    line!(text, "| --- | ---: | ---: |");
    for ((name, small), (_, large)) in measured.small.iter().zip(&measured.large) {
        line!(text, "| {name} | {small} | {large} |");
    }
}

fn costs(text: &mut String, operations: &[(Duration, Vec<Operation>)]) {
    let Some((latency, at)) = operations.get(1) else {
        return;
    };
    let of = |name: &str| at.iter().find(|operation| operation.name == name);
    let (Some(create), Some(delete)) = (
        of("DelegatedSubdomain create"),
        of("DelegatedSubdomain delete"),
    ) else {
        return;
    };
    let life = Life {
        calls: create.calls + delete.calls + cost::CHANGES * cost::FURTHER_LOOKS,
        billed: create.wall + delete.wall + 2 * (cost::IN_SYNC + cost::COLD_START),
    };
    line!(text, "\n## Cost\n");
    line!(
        text,
        "A subdomain's whole life, one create and one delete, as measured at {} ms a call ({} calls, {:.1} s in the function),
with {} s and {} further looks besides for each wait for INSYNC and {} ms for each process to start. 256 MB. Standard state machines;
a wait reaches one only where it outlasts the function's 15 minutes (or its last sixth), so none as a rule; the last column has
it for every stack. Prices of us-east-1 in US dollars, without free tiers: {} a GB-second and {} a million requests
(<https://aws.amazon.com/lambda/pricing/>, x86), {} a thousand transitions (<https://aws.amazon.com/step-functions/pricing/>).
Route 53, STS, SSM (standard parameters) and ACM (public certificates) charge nothing for these calls; a hosted zone itself
is 0.50 a month (<https://aws.amazon.com/route53/pricing/>), which is what a subdomain costs.\n",
        latency.as_millis(),
        create.calls + delete.calls,
        (create.wall + delete.wall).as_secs_f64(),
        cost::IN_SYNC.as_secs(),
        cost::FURTHER_LOOKS,
        cost::COLD_START.as_millis(),
        cost::GB_SECOND,
        cost::MILLION_REQUESTS,
        cost::THOUSAND_TRANSITIONS,
    );
    line!(
        text,
        "| subdomains | invocations | Lambda, GB-seconds | transitions | AWS calls | dollars | dollars where every stack waits once in the state machine |"
    );
    line!(text, "| ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
    for count in [1, 100, 10_000] {
        let (plain, waiting) = (life.times(count, 0.0), life.times(count, 1.0));
        line!(
            text,
            "| {count} | {} | {:.1} | {} | {} | {:.5} | {:.5} |",
            plain.invocations,
            plain.gb_seconds,
            plain.transitions,
            plain.calls,
            plain.dollars,
            waiting.dollars,
        );
    }
}
