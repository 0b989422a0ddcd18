//! The options that every aggregate with a model has, and what they say of a series.

use datafusion::common::Result;
use tithe_compute::forecast::{Adjustments, Basis, Model, Request, SeriesRef};

use super::calendar::Calendar;
use super::constants::Constants;
use super::equally_spaced::{Gaps, Series, Unusable, equally_spaced};
use super::observations::Observations;
use super::parameter::{Parameter, Takes};
use super::period::PeriodType;

pub(crate) const HORIZON: Parameter = Parameter { name: "horizon", takes: Takes::Count(1000) };
pub(crate) const RECEIVED: Parameter = Parameter { name: "received", takes: Takes::Number };
pub(crate) const MODEL: Parameter = Parameter { name: "model", takes: Takes::Text };
pub(crate) const SEASON: Parameter = Parameter { name: "season", takes: Takes::Count(1000) };
pub(crate) const GAPS: Parameter = Parameter { name: "gaps", takes: Takes::Text };
pub(crate) const CALENDAR: Parameter = Parameter { name: "calendar", takes: Takes::Text };
pub(crate) const DRIFT: Parameter = Parameter { name: "drift", takes: Takes::Share };

/// How a series is made of rows and forecast.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Modelling {
    pub(crate) horizon: usize,
    pub(crate) model: Model,
    /// `None`: from the distance of the periods.
    season: Option<usize>,
    gaps: Gaps,
    calendar: Calendar,
    drift: f64,
}

/// A series with what is known of it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct KnownSeries {
    pub(crate) series: Series,
    holiday: Option<Vec<f64>>,
    drift: f64,
    /// Words for `status`.
    pub(crate) remarks: Vec<String>,
}

impl Modelling {
    /// # Errors
    /// When an argument is not what its parameter takes.
    pub(crate) fn new(constants: &Constants) -> Result<Self> {
        let models = Model::ALL.map(|model| (model.name(), model));
        Ok(Self {
            horizon: constants.horizon()?,
            model: constants.one_of("model", &models)?.unwrap_or(Model::Auto),
            season: constants.count("season")?,
            gaps: constants.one_of("gaps", &Gaps::ALL)?.unwrap_or(Gaps::Interpolate),
            calendar: constants.one_of("calendar", &Calendar::ALL)?.unwrap_or(Calendar::Fixed),
            drift: constants.share("drift")?.unwrap_or(0.0),
        })
    }

    /// The series of a group, and what the options say of it.
    ///
    /// # Errors
    /// When periods are missing and the caller asked `function` for an error.
    pub(crate) fn series(
        &self,
        function: &str,
        group: &Observations,
        period: &PeriodType,
    ) -> Result<Result<KnownSeries, Unusable>> {
        let series = match equally_spaced(function, group, self.season, self.gaps, period)? {
            Ok(series) => series,
            Err(unusable) => return Ok(Err(unusable)),
        };
        let mut remarks = Vec::new();
        if series.filled > 0 {
            remarks.push(format!("gaps_filled:{}", series.filled));
        }
        let holiday = self.calendar.shares(&series, self.horizon, period);
        if self.calendar != Calendar::Fixed && holiday.is_none() {
            remarks.push("calendar_unused".to_owned());
        }
        Ok(Ok(KnownSeries { series, holiday, drift: self.drift, remarks }))
    }
}

impl KnownSeries {
    /// The forecast of the series that `modelling` asks for.
    pub(crate) fn request(&self, modelling: &Modelling) -> Request<'_> {
        let Series { values, season, .. } = &self.series;
        let series = SeriesRef { values, season: *season, horizon: modelling.horizon };
        Request { series, adjustments: self.adjustments(), model: modelling.model }
    }

    /// What to take out of the values before they are forecast.
    pub(crate) fn adjustments(&self) -> Adjustments<'_> {
        Adjustments { drift: self.drift, holiday: self.holiday.as_deref() }
    }
}

/// What a reader must know of a forecast: the remarks on its series, and its own.
pub(crate) fn forecast_status(mut remarks: Vec<String>, basis: Basis, clamped: bool) -> String {
    match basis {
        Basis::Full => {}
        Basis::ShortHistory => remarks.push("short_history".to_owned()),
        Basis::Constant => remarks.push("constant".to_owned()),
        Basis::SingleValue => remarks.push("too_short".to_owned()),
    }
    if clamped {
        remarks.push("overflow".to_owned());
    }
    status(&remarks)
}

/// The remarks as one text; `ok` for none.
pub(crate) fn status(remarks: &[String]) -> String {
    if remarks.is_empty() { "ok".to_owned() } else { remarks.join(";") }
}
