//! Writes the measurements as a document.

use std::fmt::Write as _;
use std::time::Duration;

use crate::burst::{Burst, CreateAndDelete};
use crate::contestants::Who;
use crate::cost::{self, Life};
use crate::round_trips::Operation;
use crate::start::{ROUNDS, Starts};

/// All measurements.
#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) starts: Vec<Starts>,
    /// The operations by latency.
    pub(crate) operations: Vec<(Duration, Vec<Operation>)>,
    /// This project's functions and CDK's handler, by the number of stacks.
    pub(crate) bursts: Vec<(CreateAndDelete, CreateAndDelete)>,
    /// The number of calls in a small zone and account.
    pub(crate) small: Vec<(&'static str, usize)>,
    /// The number of calls in a large zone and account.
    pub(crate) large: Vec<(&'static str, usize)>,
}

/// The rounds that correctness needs: the calls of each operation in the order that one of them forces upon
/// another.
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
        "role → parameters → [parent, if its parameters are consistent ‖ zones of the name ‖ record sets above and below the name] → zone → [NS record set ‖ tags] → INSYNC → answer",
    ),
    (
        "SubdomainCertificate create",
        7,
        "[zone ‖ own certificates] → no delegation that would occlude the CNAME → request → which CNAME → CNAME → [issued ‖ the CNAME, which another certificate's delete may have deleted] → answer",
    ),
    (
        "SubdomainCertificate update (tags)",
        3,
        "[zone ‖ certificate ‖ its tags ‖ leftovers of its name] → tags → answer",
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
        "[own zone ‖ its tags ‖ its record sets ‖ DNSSEC ‖ protections ‖ role] → NS record set's delete, guarded by its values → INSYNC → no new NS record set of a redelivered Create → the zone's record sets, which must exist as long as the delegation (here a certificate's CNAME; without any, this round is not needed) → zone → still no NS record set → answer",
    ),
    (
        "PublishedZone delete",
        4,
        "[parameters ‖ their tags] → delegations in the zone → parameters' delete → answer",
    ),
];

/// Returns the document.
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

Results of one run of `cargo xtask bench` on one machine. Times are medians. They depend on the machine and its other work, so
run the command on yours. Counts do not depend on the machine.

";

/// Writes a line of the document. Writing to text cannot fail.
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
        "![The time until the first request for an invocation, and until the answer](benchmarks.svg)\n"
    );
    line!(
        text,
        "Each contestant is started {ROUNDS} times, in turns, after one start that is not counted.

- \"First `next`\" is the time from the start of the process to its first `GET /runtime/invocation/next`.
- \"Answer\" is the time until the PUT of a create's answer. AWS calls use HTTPS and take no time. The pauses before polls are not
  counted: this function waits for INSYNC, CDK's handler does not.
- The figures in brackets are the quartiles.
- Peak memory is that of the resident set during the whole create.

None of this includes what Lambda itself does before it starts a process, or what its managed Node and Python runtimes do before
they load the handler.\n"
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
        "| first `next` within 2.5 times the limit | {:.1} times |",
        next / limit
    );
    line!(
        text,
        "| at least 40 times faster than Node and Python | {:.0} and {:.0} times |",
        faster(node),
        faster(python)
    );
    line!(
        text,
        "| at most 3.3 MB zipped | {} MB |",
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
        "The functions' binaries run over HTTPS, with a new process for each operation and one host for each service. `→` is one call
after another, `‖` are calls at the same time.

- A *round* is one call, or several at the same time, that begins when another has ended. The answer's PUT is one.
- \"Needed\" is the least number of rounds with which the operation is correct, because a call needs the result of another.
- Changes are INSYNC, and certificates are issued, at once. The only waits are the pauses before polls, which are not counted. A
  GetChange counts as one round after the call that made its change, or after the last poll of it, whatever ran during the pause.
- The wall times are in milliseconds, for the longest chain of rounds without its pauses. \"Pauses\" is the time that they omit.\n"
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
        "\nThe calls that run, and the order that is needed:\n"
    );
    for operation in last {
        line!(text, "- **{}**: {}.", operation.name, operation.order);
        if let Some((_, _, order)) = LEAST.iter().find(|(name, ..)| *name == operation.name) {
            line!(text, "  Needed: {order}.");
        }
    }
    line!(
        text,
        "\nEach AWS service has one host, so it needs at least one TLS handshake, and two if two calls to it run at the same time. The answer
needs one more, for S3."
    );
}

fn bursts(text: &mut String, bursts: &[(CreateAndDelete, CreateAndDelete)]) {
    line!(text, "\n## A burst\n");
    line!(
        text,
        "All stacks are deployed at the same time, each in an account of its own, with the same parent zone. The bucket of the parent's
account has 50 calls and gains 10 a second (<https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/throttling-api-requests.html>).
Time is virtual. A change needs 2 to 40 s to be INSYNC, evenly distributed.

\"Least\" is the time that the bucket needs for the necessary calls alone:

- for a create GetHostedZone, ListResourceRecordSets, ChangeResourceRecordSets and one GetChange;
- for a delete ChangeResourceRecordSets, one GetChange, and a ListResourceRecordSets before and after the delete of the zone, which
  finds a delegation that a redelivered Create has created meanwhile;
- for CDK's handler its one ChangeResourceRecordSets. It waits for nothing. Its SDK makes 3 attempts, and nothing retries after those.\n"
    );
    line!(
        text,
        "| stacks | operation | handler | succeeded | time | least | times the least | requests | per stack | throttled per stack |"
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
        "\nRequests per stack by action, with {} stacks:\n",
        last.create.stacks
    );
    line!(text, "| operation | action | accepted | throttled |");
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
        "\nThe accepted requests are proportional to the number of stacks, and about as many as the necessary ones. Only the throttled
requests grow faster, which use nothing of the bucket: there are {few:.1} requests per stack with {} creates and {many:.1} with {},
which is {:.1} times as many for {:.0} times the stacks. A throttled call is sent again after pauses of up to 16 s. After two minutes
the state machine continues the request, so that it occupies no Lambda concurrency. The time beyond the least is that of the last
stacks: they complete a pause, and then wait until their change is INSYNC.",
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
        "The number of AWS calls with {} record sets in the parent zone and {} zones in each account, and with the default quotas of 10,000
and 500. A test proves that the numbers are equal (`tests/world/tests/proof/zone_size.rs`).\n",
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
        "The whole life of a subdomain is one create and one delete, measured at {} ms a call ({} calls, {:.1} s in the function). Each
wait for INSYNC adds {} s and {} further polls, and each start of a process {} ms. A function has 256 MB.

A wait continues in the standard state machine only if it is longer than the function's 15 minutes (or the last sixth of them), which
is usually not the case. The last column assumes one such wait for every stack.

Prices are those of us-east-1 in US dollars, without free tiers: {} a GB-second and {} a million requests
(<https://aws.amazon.com/lambda/pricing/>, x86), and {} a thousand transitions (<https://aws.amazon.com/step-functions/pricing/>). The
calls to Route 53, STS, SSM (standard parameters) and ACM (public certificates) are free. The hosted zone itself costs 0.50 a month, or
0.10 from the 26th zone of an account on (<https://aws.amazon.com/route53/pricing/>).\n",
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
        "| subdomains | invocations | Lambda, GB-seconds | transitions | AWS calls | dollars | dollars if every stack waits once in the state machine |"
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
