//! From groups to answers: on the processor, or with the searches of many groups together on a device.

use std::error::Error;
use std::ops::Range;

use datafusion::common::Result;
use rayon::prelude::*;
use tithe_compute::forecast::{Here, Made, Request, SearchDevice, forecast_batch};

use super::function::SeriesFunction;
use super::observations::Observations;
use super::period::PeriodType;
use crate::backend::{Backend, device_asked_for, device_if_usable, gave_out};
use crate::device::{Counted, count_on_device, count_on_processor};

/// Fewest groups for which `auto` uses a device: derived from instruction counts as what a GPU needs to be faster than
/// 16 cores, and not measured.
pub(super) const FEWEST_SERIES: usize = 200;
/// Groups whose searches are on their way to a device at once, at most.
const MOST_SERIES: usize = 4096;
/// Rows that these have, at most, unless it is a single group.
const MOST_ROWS: usize = 1 << 20;
/// Bytes for each of these rows: the value in its series, in the searches and on its way to the device, and its line.
const ROW_BYTES: usize = 64;
/// Bytes for each of these groups: a dozen searches, what they find, and both once more on their way.
const SERIES_BYTES: usize = 8 << 10;

/// How groups are evaluated.
#[derive(Debug)]
pub(super) struct Evaluation<F: SeriesFunction> {
    options: F::Options,
    pub(super) period: PeriodType,
    backend: Backend,
    /// Whether the device has failed and the processor goes on without it.
    failed: bool,
}

/// A group on its way to its answer; `None` without rows.
type Stage<F> = Option<Result<<F as SeriesFunction>::Known, <F as SeriesFunction>::Answer>>;
type Answers<F> = Vec<Option<<F as SeriesFunction>::Answer>>;

impl<F: SeriesFunction> Evaluation<F> {
    pub(super) fn new(options: F::Options, period: PeriodType, backend: Backend) -> Self {
        Self { options, period, backend, failed: false }
    }

    /// The answers of `groups`, in their order.
    ///
    /// # Errors
    /// When the caller asked for an error on bad data, or for a device that fails or is not there.
    pub(super) fn answers(&mut self, groups: &[Observations]) -> Result<Answers<F>> {
        let Some(device) = self.device(groups.len())? else { return self.on_processor(groups) };
        let mut answers = Vec::with_capacity(groups.len());
        for batch in batches(groups) {
            let part = &groups[batch];
            answers.extend(if self.failed {
                self.on_processor(part)?
            } else {
                self.on_device(part, device)?
            });
        }
        Ok(answers)
    }

    /// Bytes that [`Self::answers`] takes beside `groups` groups of `rows` rows, and their answers.
    pub(super) fn working_bytes(&self, groups: usize, rows: usize) -> usize {
        match self.device(groups) {
            Ok(Some(_)) => rows.min(MOST_ROWS) * ROW_BYTES + groups.min(MOST_SERIES) * SERIES_BYTES,
            _ => 0,
        }
    }

    /// Where so many groups are searched; `None` for the processor.
    fn device(&self, groups: usize) -> Result<Option<&'static dyn SearchDevice>> {
        match self.backend {
            Backend::Cpu => Ok(None),
            Backend::Auto if groups < FEWEST_SERIES || self.failed => Ok(None),
            // A GPU that is there and cannot be used is told of when it is asked for.
            Backend::Auto => Ok(device_if_usable(F::NAME).map(|device| device as &dyn SearchDevice)),
            Backend::Cuda => Ok(Some(device_asked_for(F::NAME)?)),
        }
    }

    fn on_processor(&self, groups: &[Observations]) -> Result<Answers<F>> {
        count_on_processor(groups.len());
        tracing::debug!(function = F::NAME, backend = "cpu", series = groups.len());
        let answer = |group: &Observations| Ok(self.stage(group)?.map(|stage| self.here(stage)));
        // The first error in the order of the groups, whichever thread is first.
        let answers: Vec<Result<_>> = groups.par_iter().map(answer).collect();
        answers.into_iter().collect()
    }

    fn on_device(&mut self, groups: &[Observations], device: &dyn SearchDevice) -> Result<Answers<F>> {
        let stages: Vec<Result<Stage<F>>> = groups.par_iter().map(|group| self.stage(group)).collect();
        let stages = stages.into_iter().collect::<Result<Vec<_>>>()?;
        let device = Counted::new(device);
        match self.together(&stages, &device) {
            Ok(made) => {
                count_on_device(groups.len());
                tracing::debug!(
                    function = F::NAME,
                    backend = "cuda",
                    series = groups.len(),
                    searches = device.searches()
                );
                let whole = |(stage, made): (Stage<F>, Option<F::Answer>)| match stage {
                    Some(Err(answer)) => Some(answer),
                    _ => made,
                };
                Ok(stages.into_iter().zip(made).map(whole).collect())
            }
            Err(error) if self.backend == Backend::Cuda => Err(gave_out(F::NAME, &error)),
            Err(error) => {
                self.failed = true;
                tracing::warn!("{}: the GPU failed, and the CPU goes on without it: {error}", F::NAME);
                count_on_processor(groups.len());
                Ok(stages.into_par_iter().map(|stage| stage.map(|stage| self.here(stage))).collect())
            }
        }
    }

    /// The answers of the groups that need forecasts, which are made together.
    fn together(
        &self,
        stages: &[Stage<F>],
        device: &dyn SearchDevice,
    ) -> std::result::Result<Answers<F>, Box<dyn Error + Send + Sync>> {
        let requests: Vec<Vec<Request<'_>>> = stages.par_iter().map(|stage| self.requests(stage)).collect();
        let mut forecasts = forecast_batch(&requests.concat(), device)?.into_iter();
        let of_group = |requests: &Vec<Request<'_>>| forecasts.by_ref().take(requests.len()).collect();
        let forecasts: Vec<Vec<_>> = requests.iter().map(of_group).collect();
        let answer = |((stage, requests), forecasts): ((&Stage<F>, &Vec<Request<'_>>), Vec<_>)| {
            let Some(Ok(known)) = stage else { return None };
            let mut made = Made::new(requests, forecasts.into_iter());
            Some(F::answer(known, &self.options, &self.period, &mut made))
        };
        Ok(stages.par_iter().zip(&requests).zip(forecasts).map(answer).collect())
    }

    fn stage(&self, group: &Observations) -> Result<Stage<F>> {
        if group.seen { F::known(group, &self.options, &self.period).map(Some) } else { Ok(None) }
    }

    fn requests<'a>(&self, stage: &'a Stage<F>) -> Vec<Request<'a>> {
        match stage {
            Some(Ok(known)) => F::requests(known, &self.options),
            _ => Vec::new(),
        }
    }

    fn here(&self, stage: Result<F::Known, F::Answer>) -> F::Answer {
        stage.map_or_else(|answer| answer, |known| F::answer(&known, &self.options, &self.period, &mut Here))
    }
}

/// Successive groups, as many as are on their way at once.
fn batches(groups: &[Observations]) -> Vec<Range<usize>> {
    let mut batches = Vec::new();
    let (mut first, mut rows) = (0, 0);
    for (place, group) in groups.iter().enumerate() {
        let full = place - first == MOST_SERIES || rows + group.rows.len() > MOST_ROWS;
        if full && place > first {
            batches.push(first..place);
            (first, rows) = (place, 0);
        }
        rows += group.rows.len();
    }
    if first < groups.len() {
        batches.push(first..groups.len());
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::super::observations::Observation;
    use super::*;

    #[test]
    fn batches_are_bounded_and_lose_no_group() {
        let of = |rows: usize| Observations {
            rows: vec![Observation { time: 0, value: 0.0 }; rows],
            ..Observations::default()
        };
        let check = |groups: Vec<Observations>, expected: &[Range<usize>]| {
            assert_eq!(batches(&groups), expected);
        };
        check(vec![], &[]);
        check(vec![of(1); 4097], &[0..4096, 4096..4097]);
        check(vec![of(MOST_ROWS - 1), of(1), of(1)], &[0..2, 2..3]);
        check(vec![of(MOST_ROWS + 1), of(1)], &[0..1, 1..2]);
    }
}
