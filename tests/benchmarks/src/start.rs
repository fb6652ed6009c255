//! Starts every contestant again and again, in turns, so that other work of the machine affects all of them.

use std::time::Duration;

use world::World;

use crate::contestants::{self, Who};
use crate::places::Places;
use crate::scene::{self, Scene};
use crate::statistics::Spread;
use crate::wire::Wire;

/// The number of starts of each contestant.
pub(crate) const ROUNDS: usize = 31;

/// The measurements of a contestant's starts.
#[derive(Clone, Debug)]
pub(crate) struct Starts {
    pub(crate) who: Who,
    pub(crate) to_next: Spread,
    pub(crate) to_answer: Option<Spread>,
    /// The highest peak, in bytes.
    pub(crate) peak_memory: u64,
    pub(crate) calls: usize,
    pub(crate) rounds: usize,
    /// The size of the zip in bytes, and the size including an SDK that is not part of it.
    pub(crate) zipped: (u64, Option<u64>),
}

/// Measures all contestants.
///
/// # Errors
/// A contestant cannot be run.
pub(crate) async fn measure(places: &Places) -> Result<Vec<Starts>, String> {
    let scene = Scene::new(World::scaled(scene::settings(), 1), 1);
    scene.publish_by_hand();
    let wire = Wire::open(scene.world.clone(), Duration::ZERO, &places.scratch).await;
    let wire = wire.map_err(|error| error.to_string())?;
    let mut all: Vec<Vec<contestants::Start>> = vec![Vec::new(); contestants::ALL.len()];
    // The first start of each is not counted, because it fills the caches of the disk.
    for round in 0..=ROUNDS {
        for (who, starts) in contestants::ALL.iter().zip(&mut all) {
            let start = who.start(places, &scene, &wire, round).await?;
            if round > 0 {
                starts.push(start);
            }
        }
    }
    let sum_up = |(who, starts): (&Who, Vec<contestants::Start>)| {
        let answers: Option<Vec<Duration>> = starts.iter().map(|start| start.to_answer).collect();
        Ok(Starts {
            who: *who,
            to_next: Spread::of(starts.iter().map(|start| start.to_next).collect()),
            to_answer: answers.map(Spread::of),
            peak_memory: starts
                .iter()
                .map(|start| start.peak_memory)
                .max()
                .unwrap_or(0),
            calls: starts.iter().map(|start| start.calls).max().unwrap_or(0),
            rounds: starts.iter().map(|start| start.rounds).min().unwrap_or(0),
            zipped: who.zipped(places).map_err(|error| error.to_string())?,
        })
    };
    contestants::ALL.iter().zip(all).map(sum_up).collect()
}
