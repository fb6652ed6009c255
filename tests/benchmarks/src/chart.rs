//! Draws the chart: the time until the first request for an invocation, and until the answer, on a
//! logarithmic scale.

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use plotters::prelude::*;

use crate::report::Measured;

const WIDTH: u32 = 860;
const ROW: u32 = 54;
const LEFT: u32 = 250;
const TOP: u32 = 60;
/// The scale is from 1 ms to 10 s.
const DECADES: u32 = 4;

/// Draws the chart.
///
/// # Errors
/// The file cannot be written.
pub(crate) fn draw(path: &Path, measured: &Measured) -> Result<(), Box<dyn Error>> {
    let rows = u32::try_from(measured.starts.len())?;
    let height = TOP + rows * ROW + 50;
    let area = SVGBackend::new(path, (WIDTH, height)).into_drawing_area();
    area.fill(&WHITE)?;
    let font = |size: u32| ("sans-serif", f64::from(size)).into_font();
    let text = |text: &str, x: u32, y: u32, size: u32| {
        area.draw(&Text::new(
            text.to_owned(),
            (signed(x), signed(y)),
            font(size),
        ))
    };
    text(
        "From the start of the process, milliseconds (medians, each step is ten times as long)",
        12,
        14,
        17,
    )?;
    let bottom = TOP + rows * ROW;
    for decade in 0..=DECADES {
        let x = signed(LEFT + decade * (WIDTH - LEFT - 60) / DECADES);
        let line = [(x, signed(TOP - 8)), (x, signed(bottom))];
        area.draw(&PathElement::new(line, BLACK.mix(0.2)))?;
        text(
            &10_u32.pow(decade).to_string(),
            u32::try_from(x)? - 6,
            bottom + 6,
            13,
        )?;
    }
    for (row, starts) in (0_u32..).zip(&measured.starts) {
        let y = TOP + row * ROW;
        text(starts.who.name(), 12, y + 10, 14)?;
        let bars = [
            (
                Some(starts.to_next.median),
                RGBColor(31, 119, 180),
                "first next",
            ),
            (
                starts.to_answer.map(|spread| spread.median),
                RGBColor(255, 127, 14),
                "answer",
            ),
        ];
        for (offset, (duration, colour, name)) in (0_u32..).zip(bars) {
            let Some(duration) = duration else { continue };
            let top = y + offset * 21;
            let right = signed(x_of(duration));
            let bar = Rectangle::new(
                [(signed(LEFT), signed(top)), (right, signed(top + 18))],
                colour.filled(),
            );
            area.draw(&bar)?;
            let label = format!("{:.1}  {name}", duration.as_secs_f64() * 1e3);
            text(&label, u32::try_from(right)? + 5, top + 3, 12)?;
        }
    }
    area.present()?;
    Ok(())
}

fn signed(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

fn x_of(duration: Duration) -> u32 {
    let decades = (duration.as_secs_f64() * 1e3)
        .max(1.0)
        .log10()
        .min(f64::from(DECADES));
    let width = f64::from(WIDTH - LEFT - 60) / f64::from(DECADES);
    // Within the picture, and therefore within u32.
    LEFT + (decades * width).round() as u32
}
