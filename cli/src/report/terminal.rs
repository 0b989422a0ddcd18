//! The report on a terminal.

use std::io::Write;

use textplots::{Chart, LabelBuilder, LabelFormat, Plot, Shape};

use crate::failure::Result;
use crate::output::Destination;
use crate::report::figure::{Point, label};
use crate::report::section::Section;

const ROWS_SHOWN: usize = 14;

/// Prints the sections.
pub(crate) fn print(sections: &[Section], destination: &mut Destination) -> Result<()> {
    for section in sections {
        write(section, destination).map_err(|error| destination.io_failure(&error))?;
    }
    Ok(())
}

fn write(section: &Section, destination: &mut Destination) -> std::io::Result<()> {
    writeln!(destination, "== {}", section.title)?;
    writeln!(destination, "{}\n", section.question)?;
    writeln!(destination, "{}", section.lead)?;
    if let Some(chart) = &section.terminal_chart {
        writeln!(destination, "\n{}", chart.trim_end())?;
    }
    if !section.rows.rows.is_empty() {
        let mut rows = section.rows.clone();
        rows.rows.truncate(ROWS_SHOWN);
        writeln!(destination, "\n{}", rows.text())?;
    }
    if !section.caution.is_empty() {
        writeln!(destination, "{}", section.caution)?;
    }
    writeln!(destination, "  {}\n", section.command)
}

/// Lines in characters: what was, and what is forecast.
#[expect(clippy::cast_possible_truncation, reason = "characters on a screen need no more than f32")]
pub(crate) fn chart(actual: &[Point], forecast: &[Point]) -> String {
    let (Some(first), Some(last)) = (actual.first(), forecast.last().or(actual.last())) else {
        return String::new();
    };
    let (start, end) = (first.0, last.0);
    let place = |points: &[Point]| -> Vec<(f32, f32)> {
        points.iter().map(|(month, value)| ((month - start) as f32, *value as f32)).collect()
    };
    let joined: Vec<Point> = actual.last().into_iter().chain(forecast).copied().collect();
    let (before, after) = (place(actual), place(&joined));
    let label = move |x: f32| label(start + x as i32);
    let (lines, bars) = (Shape::Lines(&before), Shape::Bars(&after));
    let mut chart = Chart::new(150, 48, 0.0, (end - start) as f32);
    let drawn = chart
        .lineplot(&lines)
        .lineplot(&bars)
        .x_label_format(LabelFormat::Custom(Box::new(label)))
        .y_label_format(LabelFormat::Custom(Box::new(|y| crate::report::number::whole(f64::from(y)))));
    // Nothing is on the canvas before these two.
    drawn.axis();
    drawn.figures();
    drawn.to_string()
}
