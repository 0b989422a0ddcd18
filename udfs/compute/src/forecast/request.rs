//! Forecasts asked for one by one, and answered from those that were made together before.

use super::adjustments::{Adjustments, forecast_adjusted};
use super::model::Model;
use super::series::{Forecast, SeriesError, SeriesRef};

/// A forecast to make.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Request<'a> {
    /// The series.
    pub series: SeriesRef<'a>,
    /// What to take out of it and put back.
    pub adjustments: Adjustments<'a>,
    /// Which model.
    pub model: Model,
}

impl Request<'_> {
    /// Makes it.
    ///
    /// # Errors
    /// When there are no values or one is not finite.
    pub fn forecast(&self) -> Result<Forecast, SeriesError> {
        let SeriesRef { values, season, horizon } = self.series;
        forecast_adjusted(values, season, horizon, self.model, &self.adjustments)
    }

    /// # Errors
    /// When there are no values or one is not finite.
    pub(crate) fn check(&self) -> Result<(), SeriesError> {
        let values = self.series.values;
        if values.is_empty() {
            return Err(SeriesError::Empty);
        }
        match values.iter().position(|value| !value.is_finite()) {
            Some(index) => Err(SeriesError::NotFinite { index }),
            None => Ok(()),
        }
    }

    /// The same of the first `length` values alone.
    pub(crate) fn until(&self, length: usize) -> Self {
        Self { series: SeriesRef { values: &self.series.values[..length], ..self.series }, ..*self }
    }

    /// Whether it is of the same values (the same memory), horizon and model.
    fn is(&self, other: &Request<'_>) -> bool {
        std::ptr::eq(self.series.values, other.series.values)
            && self.series.horizon == other.series.horizon
            && self.model == other.model
    }
}

/// Who answers requests.
pub trait Forecaster {
    /// What [`Request::forecast`] gives, to the bit.
    ///
    /// # Errors
    /// When there are no values or one is not finite.
    fn forecast(&mut self, request: &Request<'_>) -> Result<Forecast, SeriesError>;
}

/// Makes every forecast when it is asked for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Here;

impl Forecaster for Here {
    fn forecast(&mut self, request: &Request<'_>) -> Result<Forecast, SeriesError> {
        request.forecast()
    }
}

/// Forecasts that were made before, in the order in which they are asked for; any other is made when it is asked for.
#[derive(Debug)]
pub struct Made<'a, I> {
    requests: &'a [Request<'a>],
    forecasts: I,
}

impl<'a, I: Iterator<Item = Result<Forecast, SeriesError>>> Made<'a, I> {
    /// `forecasts` are those of `requests`.
    pub fn new(requests: &'a [Request<'a>], forecasts: I) -> Self {
        Self { requests, forecasts }
    }

    /// How many have not been asked for.
    #[must_use]
    pub fn left(&self) -> usize {
        self.requests.len()
    }
}

impl<I: Iterator<Item = Result<Forecast, SeriesError>>> Forecaster for Made<'_, I> {
    fn forecast(&mut self, request: &Request<'_>) -> Result<Forecast, SeriesError> {
        match self.requests.split_first() {
            Some((next, rest)) if next.is(request) => {
                self.requests = rest;
                self.forecasts.next().unwrap_or_else(|| request.forecast())
            }
            _ => request.forecast(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::series_strategy::values;
    use super::super::{
        Receipts, backtest, backtest_by, backtest_requests, explain, explain_by, held_out, held_out_by,
        held_out_requests, nowcast, nowcast_by, nowcast_requests,
    };
    use super::*;

    /// What `ask` makes of forecasts that were made before, and how many of them it did not ask for: none, unless it
    /// ended at one that could not be made.
    fn with_made<T>(requests: &[Request<'_>], ask: impl FnOnce(&mut dyn Forecaster) -> T) -> (T, usize) {
        let forecasts: Vec<_> = requests.iter().map(Request::forecast).collect();
        let complete = forecasts.iter().all(Result::is_ok);
        let mut made = Made::new(requests, forecasts.into_iter());
        let answer = ask(&mut made);
        (answer, if complete { made.left() } else { 0 })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_is_made_before_is_what_is_asked_for(
            values in values(60),
            season in prop::sample::select(vec![1, 4, 12]),
            drift in prop::sample::select(vec![0.0, 0.5]),
            model in prop::sample::select(Model::ALL.to_vec()),
        ) {
            let adjustments = Adjustments { drift, holiday: None };
            let series = SeriesRef { values: &values, season, horizon: 3 };
            let whole = Request { series, adjustments, model };

            let requests = backtest_requests(&whole, 3);
            let (by, left) = with_made(&requests, |made| backtest_by(&whole, 3, made));
            let here = backtest(&values, season, 3, 3, model, &adjustments);
            prop_assert_eq!((format!("{by:?}"), left), (format!("{here:?}"), 0));

            let requests = held_out_requests(&whole, 2);
            let (by, left) = with_made(&requests, |made| held_out_by(&whole, 2, made));
            let here = held_out(&values, season, 3, 2, model, &adjustments);
            prop_assert_eq!((format!("{by:?}"), left), (format!("{here:?}"), 0));

            let (by, left) = with_made(&[whole], |made| explain_by(&whole, made));
            let here = explain(&values, season, 3, model, &adjustments);
            prop_assert_eq!((format!("{by:?}"), left), (format!("{here:?}"), 0));

            let received: Vec<_> = (0..=values.len()).map(|place| Some(1.0 + (place % 3) as f64)).collect();
            let receipts = Receipts { totals: &values, received: &received, season };
            let requests = nowcast_requests(receipts, model, &adjustments);
            let (by, left) = with_made(&requests, |made| nowcast_by(receipts, model, &adjustments, made));
            let here = nowcast(receipts, model, &adjustments);
            prop_assert_eq!((format!("{by:?}"), left), (format!("{here:?}"), 0));
        }
    }

    #[test]
    fn another_request_is_answered_by_itself() {
        let values: Vec<f64> = (0..20_u32).map(|t| f64::from(t * 7 % 5)).collect();
        let series = SeriesRef { values: &values, season: 1, horizon: 2 };
        let request = Request { series, adjustments: Adjustments::none(), model: Model::Snaive };
        let ((other, same), left) =
            with_made(&[request], |made| (made.forecast(&request.until(10)), made.forecast(&request)));
        assert_eq!((other, same, left), (request.until(10).forecast(), request.forecast(), 0));
    }

    #[test]
    fn bad_values_ask_for_nothing() {
        for values in [vec![], vec![1.0, f64::NAN, 2.0]] {
            let series = SeriesRef { values: &values, season: 1, horizon: 1 };
            let whole = Request { series, adjustments: Adjustments::none(), model: Model::Auto };
            assert!(backtest_requests(&whole, 2).is_empty() && held_out_requests(&whole, 2).is_empty());
        }
    }
}
