//! Which searches a model needs for a series, and the forecast once they have run.

use super::adjustments::{put_back, quotient, to_take_out};
use super::analysis::{Analysis, Known};
use super::auto::BEYOND;
use super::batch::Places;
use super::dot::{self, DynamicTheta, Lined};
use super::ets;
use super::exponential_smoothing::{Kept, Ring, Shape};
use super::hw;
use super::model::Model;
use super::request::Request;
use super::running_line::RunningLine;
use super::search::{Found, Searches, SmoothingSearch, ThetaSearch};
use super::seasonal_adjustment::SeasonalAdjustment;
use super::series::{Forecast, Opened, Scaled, SeriesError, SeriesRef, close, open};
use super::theta_pass::Theta;

/// A request between its two halves: all that its forecast needs but what the searches find.
pub(crate) struct Prepared {
    outcome: Outcome,
    model: Model,
    /// What was taken out of the steps ahead.
    ahead: Option<Vec<f64>>,
}

enum Outcome {
    Done(Result<Forecast, SeriesError>),
    Waiting(Box<Waiting>),
}

struct Waiting {
    scaled: Scaled,
    /// [`BEYOND`] more than were asked for.
    steps: usize,
    adjustment: Option<SeasonalAdjustment>,
    /// The line after the last value and the scale of the adjusted series.
    lined: Option<(RunningLine, f64)>,
    /// Those with a search, in the order of the searches.
    shapes: Vec<Shape>,
}

impl Prepared {
    /// The first half, and the searches to run.
    pub(crate) fn new(request: &Request<'_>) -> (Self, Searches) {
        let model = request.model;
        let SeriesRef { values, season, horizon } = request.series;
        let factors = to_take_out(values, season, horizon, &request.adjustments);
        let taken = factors.as_ref().map(|factors| quotient(values, factors));
        let series = SeriesRef { values: taken.as_deref().unwrap_or(values), season, horizon };
        let ahead = factors.map(|mut factors| factors.split_off(values.len()));
        let done =
            |result| (Self { outcome: Outcome::Done(result), model, ahead: None }, Searches::default());
        match open(series, model) {
            Err(error) => done(Err(error)),
            Ok(Opened::Repeated(forecast)) => {
                let (mut prepared, searches) = done(Ok(forecast));
                prepared.ahead = ahead;
                (prepared, searches)
            }
            Ok(Opened::Scaled(scaled)) => {
                let (waiting, searches) = Waiting::new(scaled, horizon.saturating_add(BEYOND), model);
                (Self { outcome: Outcome::Waiting(Box::new(waiting)), model, ahead }, searches)
            }
        }
    }

    /// The second half. `smoothing` and `theta` are the places of what the request's searches found.
    pub(crate) fn forecast(
        self,
        (searches, found): (&Searches, &Found),
        (smoothing, theta): Places,
        ring: &mut Ring,
    ) -> Result<Forecast, SeriesError> {
        let mut forecast = match self.outcome {
            Outcome::Done(result) => result?,
            Outcome::Waiting(waiting) => {
                let of_shape = |(shape, place): (Shape, usize)| {
                    let factors = searches.smoothing[place].factors.clone();
                    (shape, found.smoothing[place].map(|one| one.kept(&found.factors[factors])))
                };
                let kept = waiting.shapes.iter().copied().zip(smoothing).map(of_shape).collect();
                waiting.forecast(self.model, kept, theta.start, &found.theta, ring)
            }
        };
        if let Some(ahead) = &self.ahead {
            put_back(&mut forecast, ahead);
        }
        Ok(forecast)
    }
}

impl Waiting {
    fn new(scaled: Scaled, steps: usize, model: Model) -> (Self, Searches) {
        let mut ring = Ring::new();
        let mut searches = Searches::default();
        let mut analysis = Analysis::new(&scaled.values, scaled.season, steps, &mut ring, pulp::Arch::new());
        let shapes = shapes(&analysis, model);
        for shape in &shapes {
            searches.push_smoothing(*shape, &mut analysis);
        }
        if !shapes.is_empty() {
            searches.values.extend_from_slice(&scaled.values);
        }
        let mut lined = None;
        if matches!(model, Model::Auto | Model::Dot)
            && let Some(ready) = Lined::new(&analysis.adjustment().adjusted)
        {
            lined = Some((ready.line, ready.scale));
            searches.push_theta(ready);
        }
        let adjustment = analysis.into_adjustment();
        (Self { scaled, steps, adjustment, lined, shapes }, searches)
    }

    fn forecast(
        self,
        model: Model,
        kept: Vec<(Shape, Option<Kept>)>,
        place: usize,
        states: &[Theta<f64>],
        ring: &mut Ring,
    ) -> Forecast {
        let theta = self.lined.map(|(line, scale)| DynamicTheta { state: states[place], line, scale });
        let known = Known { adjustment: self.adjustment, kept, theta };
        let Scaled { values, season, scale } = &self.scaled;
        let analysis = Analysis::new(values, *season, self.steps, ring, pulp::Arch::new());
        close(&mut analysis.with(known), *scale, model)
    }
}

/// The shapes that the model and its intervals fit to a series, each once.
fn shapes(analysis: &Analysis<'_>, model: Model) -> Vec<Shape> {
    let mut shapes = match model {
        Model::Auto | Model::Ets => ets::shapes(analysis.values, analysis.season),
        _ => Vec::with_capacity(1),
    };
    let holt_winters = hw::shape(analysis);
    if !shapes.contains(&holt_winters) {
        shapes.push(holt_winters);
    }
    shapes.retain(|shape| shape.fits(analysis.values.len(), analysis.season));
    shapes
}

impl Searches {
    /// For the series whose values come first.
    fn push_smoothing(&mut self, shape: Shape, analysis: &mut Analysis<'_>) {
        let (length, (coordinates, _)) = (analysis.values.len(), shape.coordinates(analysis.season));
        let initial = analysis.initial(shape.form);
        let (level, slope) = initial.level_and_slope(shape.has_trend());
        let first = self.factors.len();
        self.factors.extend_from_slice(&initial.factors);
        let factors = first..self.factors.len();
        self.smoothing.push(SmoothingSearch { shape, values: 0..length, factors, level, slope, coordinates });
    }

    fn push_theta(&mut self, ready: Lined) {
        let coordinates = dot::coordinates(ready.values[0]);
        let (first_value, first_line) = (self.values.len(), self.lines.len());
        self.values.extend(ready.values);
        self.lines.extend(ready.lines);
        let (values, lines) = (first_value..self.values.len(), first_line..self.lines.len());
        self.theta.push(ThetaSearch { values, lines, coordinates });
    }
}
