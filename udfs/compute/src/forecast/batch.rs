//! Forecasts of many series whose parameter searches run on a device.

use std::error::Error;
use std::ops::Range;

use rayon::prelude::*;

use super::exponential_smoothing::Ring;
use super::request::Request;
use super::search::{SearchDevice, Searches};
use super::searches::Prepared;
use super::series::{Forecast, SeriesError};

/// Series that are prepared together before it is known how many bytes they come to.
const BLOCK: usize = 1024;

/// [`forecast_adjusted`](super::forecast_adjusted) of many series, in the order given and to the bit, with the searches
/// on `device` and the rest on all threads of the current rayon pool. The device is handed as many searches at once as
/// it takes.
///
/// # Errors
/// When the device fails. A series that cannot be forecast is an error of its own.
pub fn forecast_batch(
    requests: &[Request<'_>],
    device: &dyn SearchDevice,
) -> Result<Vec<Result<Forecast, SeriesError>>, Box<dyn Error + Send + Sync>> {
    let mut forecasts = Vec::with_capacity(requests.len());
    let mut waiting = Batch::default();
    for block in requests.chunks(BLOCK) {
        let prepared: Vec<(Prepared, Searches)> = block.par_iter().map(Prepared::new).collect();
        for (prepared, searches) in prepared {
            if waiting.searches.bytes() + searches.bytes() > device.most_bytes() {
                forecasts.extend(std::mem::take(&mut waiting).run(device)?);
            }
            let places = waiting.searches.append(searches);
            waiting.prepared.push((prepared, places));
        }
    }
    forecasts.extend(waiting.run(device)?);
    Ok(forecasts)
}

/// The places of a request's smoothing searches and of its theta search.
pub(crate) type Places = (Range<usize>, Range<usize>);

/// What goes to the device at once.
#[derive(Default)]
struct Batch {
    searches: Searches,
    prepared: Vec<(Prepared, Places)>,
}

impl Batch {
    fn run(
        self,
        device: &dyn SearchDevice,
    ) -> Result<Vec<Result<Forecast, SeriesError>>, Box<dyn Error + Send + Sync>> {
        let Self { searches, prepared } = self;
        let none = searches.smoothing.is_empty() && searches.theta.is_empty();
        let found = if none { searches.run() } else { device.search(&searches)? };
        let finish = |ring: &mut Ring, (prepared, places): (Prepared, _)| {
            prepared.forecast((&searches, &found), places, ring)
        };
        Ok(prepared.into_par_iter().map_init(Ring::new, finish).collect())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use proptest::prelude::*;

    use super::super::adjustments::Adjustments;
    use super::super::model::Model;
    use super::super::search::Found;
    use super::super::series::SeriesRef;
    use super::super::series_strategy::values;
    use super::*;

    /// The processor as a device.
    struct Processor {
        most_bytes: usize,
        calls: AtomicUsize,
    }

    impl SearchDevice for Processor {
        fn search(&self, searches: &Searches) -> Result<Found, Box<dyn Error + Send + Sync>> {
            self.calls.fetch_add(1, Ordering::Relaxed);
            Ok(searches.run())
        }

        fn most_bytes(&self) -> usize {
            self.most_bytes
        }
    }

    struct Broken;

    impl SearchDevice for Broken {
        fn search(&self, _: &Searches) -> Result<Found, Box<dyn Error + Send + Sync>> {
            Err("broken".into())
        }

        fn most_bytes(&self) -> usize {
            usize::MAX
        }
    }

    fn requests(series: &[Vec<f64>], season: usize, drift: f64, model: Model) -> Vec<Request<'_>> {
        let adjustments = Adjustments { drift, holiday: None };
        let series = series.iter().map(|values| SeriesRef { values, season, horizon: 7 });
        series.map(|series| Request { series, adjustments, model }).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_batch_gives_the_bits_of_each_series_alone(
            mut series in prop::collection::vec(values(80), 0..6),
            season in prop::sample::select(vec![0, 1, 2, 4, 5, 12, 24, usize::MAX]),
            drift in prop::sample::select(vec![0.0, 0.5]),
            most_bytes in prop::sample::select(vec![0, 40_000, usize::MAX]),
            model in prop::sample::select(Model::ALL.to_vec()),
        ) {
            series.push(vec![]);
            series.push(vec![1.0, f64::NAN]);
            let requests = requests(&series, season, drift, model);
            let device = Processor { most_bytes, calls: AtomicUsize::new(0) };
            let batch = forecast_batch(&requests, &device).expect("the processor does not fail");
            let each: Vec<_> = requests.iter().map(Request::forecast).collect();
            prop_assert_eq!(format!("{batch:?}"), format!("{each:?}"));
        }
    }

    #[test]
    fn a_device_is_handed_what_it_takes_at_once() {
        let series: Vec<Vec<f64>> =
            (0..40_u32).map(|s| (0..40_u32).map(|t| f64::from(t + t * (31 + s) % 17)).collect()).collect();
        let requests = requests(&series, 12, 0.0, Model::Auto);
        let calls = |most_bytes| {
            let device = Processor { most_bytes, calls: AtomicUsize::new(0) };
            assert!(forecast_batch(&requests, &device).is_ok());
            device.calls.into_inner()
        };
        assert_eq!(calls(usize::MAX), 1);
        assert_eq!(calls(0), 40);
        assert!((2..40).contains(&calls(20_000)));
    }

    #[test]
    fn a_broken_device_is_an_error_unless_it_is_not_needed() {
        let (some, flat) = ([vec![1.0, 2.0, 4.0, 3.0, 5.0, 6.0, 5.0, 7.0]], [vec![1.0; 8]]);
        let run = |series| forecast_batch(&requests(series, 1, 0.0, Model::Auto), &Broken);
        assert!(run(&some).is_err_and(|error| error.to_string() == "broken"));
        assert!(run(&flat).is_ok_and(|forecasts| forecasts.len() == 1));
    }
}
