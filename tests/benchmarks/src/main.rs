//! Measures the functions and the alternatives in one run on one machine, and writes `docs/benchmarks.md` and
//! its chart. `cargo xtask bench` builds and installs what this needs.
//!
//! 1. Times are measured with release binaries, over HTTPS, in real time ([`contestants`], [`round_trips`]).
//! 2. Behavior is counted in the world's virtual time, in which a run is the same on every machine
//!    ([`burst`], [`zone_size`]).
//! 3. A figure that misses its goal is still reported ([`report`]). Only the tests of [`burst`] fail: they
//!    limit the time of throttled stacks.

mod binaries;
mod burst;
mod cdk_handler;
mod chart;
mod contestants;
mod cost;
mod places;
mod report;
mod round_trips;
mod scene;
mod start;
mod statistics;
mod timeline;
mod wire;
mod zone_size;

use std::process::ExitCode;

use burst::CreateAndDelete;
use places::Places;

/// The numbers of stacks in a burst.
const BURSTS: [usize; 5] = [50, 125, 250, 500, 1000];

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    let places = Places::find().map_err(|error| error.to_string())?;
    std::fs::create_dir_all(&places.scratch).map_err(|error| error.to_string())?;
    let runtime = |paused| {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(paused)
            .build()
            .map_err(|error| error.to_string())
    };
    let live = runtime(false)?;
    println!("starts");
    let starts = live.block_on(start::measure(&places))?;
    println!("round trips");
    let mut operations = Vec::new();
    for latency in round_trips::LATENCIES {
        let measured = live.block_on(round_trips::measure(
            &places.binaries,
            &places.scratch,
            latency,
        ))?;
        operations.push((latency, measured));
    }
    println!("bursts");
    let mut bursts: Vec<(CreateAndDelete, CreateAndDelete)> = Vec::new();
    for stacks in BURSTS {
        // Each in a runtime of its own, with a new clock.
        let functions = runtime(true)?.block_on(burst::functions(stacks));
        bursts.push((functions, runtime(true)?.block_on(burst::cdk(stacks))));
    }
    println!("sizes of zones and accounts");
    let small = runtime(true)?.block_on(zone_size::calls(zone_size::SMALL));
    let large = runtime(true)?.block_on(zone_size::calls(zone_size::LARGE));
    let measured = report::Measured {
        starts,
        operations,
        bursts,
        small,
        large,
    };
    let picture = places.docs.join("benchmarks.svg");
    chart::draw(&picture, &measured).map_err(|error| error.to_string())?;
    let text = report::write(&measured);
    std::fs::write(places.docs.join("benchmarks.md"), text).map_err(|error| error.to_string())
}
