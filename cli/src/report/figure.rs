//! Charts as SVG. Their colours are names that the page's style sheet gives a light and a dark value.

use plotters::coord::Shift;
use plotters::prelude::*;

use crate::failure::{Failure, Result};
use crate::report::number::whole;

/// Text, axes; in the style sheet by these attribute values.
const INK: RGBColor = RGBColor(0x11, 0x11, 0x11);
const GRID: RGBColor = RGBColor(0xDD, 0xDD, 0xDD);
const ACTUAL: RGBColor = RGBColor(0x22, 0x22, 0x22);
const ESTIMATE: RGBColor = RGBColor(0x20, 0x60, 0xC0);

/// A value on a month, which is counted from year 0.
pub(crate) type Point = (i32, f64);

/// What a line chart shows.
pub(crate) struct Series {
    pub(crate) actual: Vec<Point>,
    pub(crate) forecast: Vec<Point>,
    /// What would have been forecast earlier, of months that are known by now.
    pub(crate) earlier: Vec<Point>,
    /// Low and high ends, narrow and wide.
    pub(crate) bands: [Vec<(i32, f64, f64)>; 2],
}

/// Months before and forecast after, with interval bands; an earlier forecast as dashes.
pub(crate) fn forecast(series: &Series, size: (u32, u32)) -> Result<String> {
    let months = || series.actual.iter().chain(&series.forecast).map(|point| point.0);
    let (Some(first), Some(last)) = (months().min(), months().max()) else {
        return Err(Failure::failed("there is no month to draw"));
    };
    let ends = series.bands.iter().flatten().flat_map(|band| [band.1, band.2]);
    let lines = series.actual.iter().chain(&series.forecast).chain(&series.earlier);
    let values = lines.map(|point| point.1).chain(ends);
    let (low, high) = values.fold((0.0_f64, 0.0_f64), |(low, high), value| (low.min(value), high.max(value)));
    draw(size, |area| {
        let mut chart = ChartBuilder::on(&area)
            .margin(6)
            .x_label_area_size(26)
            .y_label_area_size(72)
            .build_cartesian_2d(first..last, low * 1.05..high * 1.05)?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .x_labels(7)
            .y_labels(5)
            .x_label_formatter(&|month| label(*month))
            .y_label_formatter(&|value| whole(*value))
            .label_style(("sans-serif", 15).into_font().color(&INK))
            .axis_style(GRID)
            .bold_line_style(GRID)
            .light_line_style(TRANSPARENT)
            .draw()?;
        for (band, opacity) in series.bands.iter().rev().zip([0.15, 0.25]) {
            let outline = band
                .iter()
                .map(|(month, low, _)| (*month, *low))
                .chain(band.iter().rev().map(|(month, _, high)| (*month, *high)));
            let outline: Vec<Point> = outline.collect();
            chart.draw_series([Polygon::new(outline, ESTIMATE.mix(opacity))])?;
        }
        chart.draw_series(LineSeries::new(series.actual.iter().copied(), ACTUAL.stroke_width(2)))?;
        if !series.earlier.is_empty() {
            let dashed = ESTIMATE.stroke_width(2);
            chart.draw_series(DashedLineSeries::new(series.earlier.iter().copied(), 5, 4, dashed))?;
        }
        let joined = series.actual.last().into_iter().chain(&series.forecast).copied();
        chart.draw_series(LineSeries::new(joined, ESTIMATE.stroke_width(2)))?;
        Ok(())
    })
}

/// Ranges with their middle, one a row, and a mark for the value they are compared with.
pub(crate) fn ranges(rows: &[Range], size: (u32, u32)) -> Result<String> {
    let count = i32::try_from(rows.len()).unwrap_or(i32::MAX);
    let high = rows.iter().map(|row| row.high.max(row.mark)).fold(1.0, f64::max);
    draw(size, |area| {
        let mut chart = ChartBuilder::on(&area)
            .margin(6)
            .x_label_area_size(26)
            .y_label_area_size(150)
            .build_cartesian_2d(0.0..high * 1.05, (0..count).into_segmented())?;
        chart
            .configure_mesh()
            .disable_y_mesh()
            .x_labels(5)
            .y_labels(rows.len())
            .x_label_formatter(&|value| whole(*value))
            .y_label_formatter(&|place| match place {
                SegmentValue::CenterOf(index) | SegmentValue::Exact(index) => name(rows, count, *index),
                SegmentValue::Last => String::new(),
            })
            .label_style(("sans-serif", 15).into_font().color(&INK))
            .axis_style(GRID)
            .bold_line_style(GRID)
            .light_line_style(TRANSPARENT)
            .draw()?;
        for (index, row) in rows.iter().enumerate() {
            // The first row stands on top.
            let place = SegmentValue::CenterOf(count - 1 - i32::try_from(index).unwrap_or(0));
            let line = [(row.low, place.clone()), (row.high, place.clone())];
            chart.draw_series([PathElement::new(line, ESTIMATE.mix(0.45).stroke_width(8))])?;
            chart.draw_series([Circle::new((row.middle, place.clone()), 6, ESTIMATE.filled())])?;
            chart.draw_series([Cross::new((row.mark, place), 5, ACTUAL.stroke_width(3))])?;
        }
        Ok(())
    })
}

/// A row of [`ranges`].
pub(crate) struct Range {
    pub(crate) name: String,
    pub(crate) low: f64,
    pub(crate) middle: f64,
    pub(crate) high: f64,
    pub(crate) mark: f64,
}

fn name(rows: &[Range], count: i32, index: i32) -> String {
    let row = usize::try_from(count - 1 - index).ok().and_then(|row| rows.get(row));
    row.map(|row| row.name.clone()).unwrap_or_default()
}

/// Bars from zero, one a row.
pub(crate) fn bars(rows: &[(String, f64)], size: (u32, u32)) -> Result<String> {
    let rows: Vec<Range> = rows
        .iter()
        .map(|(name, value)| Range { name: name.clone(), low: 0.0, middle: 0.0, high: *value, mark: 0.0 })
        .collect();
    let count = i32::try_from(rows.len()).unwrap_or(i32::MAX);
    let high = rows.iter().map(|row| row.high).fold(1.0, f64::max);
    draw(size, |area| {
        let mut chart = ChartBuilder::on(&area)
            .margin(6)
            .x_label_area_size(26)
            .y_label_area_size(150)
            .build_cartesian_2d(0.0..high * 1.05, (0..count).into_segmented())?;
        chart
            .configure_mesh()
            .disable_y_mesh()
            .x_labels(5)
            .y_labels(rows.len())
            .x_label_formatter(&|value| whole(*value))
            .y_label_formatter(&|place| match place {
                SegmentValue::CenterOf(index) | SegmentValue::Exact(index) => name(&rows, count, *index),
                SegmentValue::Last => String::new(),
            })
            .label_style(("sans-serif", 15).into_font().color(&INK))
            .axis_style(GRID)
            .bold_line_style(GRID)
            .light_line_style(TRANSPARENT)
            .draw()?;
        for (index, row) in rows.iter().enumerate() {
            let place = count - 1 - i32::try_from(index).unwrap_or(0);
            let corners = [(0.0, SegmentValue::Exact(place)), (row.high, SegmentValue::Exact(place + 1))];
            let mut bar = Rectangle::new(corners, ESTIMATE.filled());
            bar.set_margin(4, 4, 0, 0);
            chart.draw_series([bar])?;
        }
        Ok(())
    })
}

/// `2019-09` of a month counted from year 0.
pub(crate) fn label(month: i32) -> String {
    format!("{}-{:02}", month.div_euclid(12), month.rem_euclid(12) + 1)
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Drawn = Result<(), Box<dyn std::error::Error>>;

fn draw(size: (u32, u32), what: impl FnOnce(Area<'_>) -> Drawn) -> Result<String> {
    let mut svg = String::new();
    let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
    what(area).map_err(|error| Failure::failed(format!("cannot draw a chart: {error}")))?;
    Ok(svg)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_are_labelled() {
        assert_eq!(label(2019 * 12 + 8), "2019-09");
        assert_eq!(label(2020 * 12), "2020-01");
    }

    #[test]
    fn a_forecast_is_drawn_with_its_bands() {
        let series = Series {
            actual: vec![(1, 5.0), (2, -3.0)],
            forecast: vec![(3, 6.0), (4, 7.0)],
            earlier: Vec::new(),
            bands: [vec![(3, 5.0, 7.0), (4, 5.0, 9.0)], vec![(3, 4.0, 8.0), (4, 3.0, 11.0)]],
        };
        let svg = forecast(&series, (600, 300)).unwrap();
        assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"), "{svg}");
        assert_eq!(svg.matches("<polygon").count(), 2, "{svg}");
        assert!(svg.contains("stroke=\"#2060C0\""), "{svg}");
        let lines = |svg: &str| svg.matches("<polyline").count() + svg.matches("<line").count();
        let earlier = Series { earlier: vec![(1, 4.0), (2, 20.0)], ..series };
        let with_earlier = forecast(&earlier, (600, 300)).unwrap();
        assert!(lines(&with_earlier) > lines(&svg) + 10, "{with_earlier}");
    }

    #[test]
    fn the_first_row_stands_on_top() {
        let svg = bars(&[("餐飲業".to_owned(), 10.0), ("零售業".to_owned(), 5.0)], (600, 200)).unwrap();
        let height = |text: &str| {
            let at = svg.find(text).unwrap();
            let tag = svg[..at].rfind("<text").unwrap();
            let y = svg[tag..at].split("y=\"").nth(1).unwrap();
            y.split('"').next().unwrap().parse::<i32>().unwrap()
        };
        assert!(height("餐飲業") < height("零售業"), "{svg}");
    }
}
