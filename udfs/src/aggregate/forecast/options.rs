//! The constant arguments of `forecast`.

use datafusion::common::Result;
use tithe_compute::forecast::Model;

use crate::aggregate::series::{Constants, Gaps, Parameter, Takes};

pub(super) const PARAMETERS: [Parameter; 4] = [
    Parameter { name: "horizon", takes: Takes::Count(1000) },
    Parameter { name: "model", takes: Takes::Text },
    Parameter { name: "season", takes: Takes::Count(1000) },
    Parameter { name: "gaps", takes: Takes::Text },
];

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Options {
    pub(super) horizon: usize,
    pub(super) model: Model,
    /// `None`: from the distance of the periods.
    pub(super) season: Option<usize>,
    pub(super) gaps: Gaps,
}

impl Options {
    /// # Errors
    /// When an argument is not what its parameter takes.
    pub(super) fn new(constants: &Constants) -> Result<Self> {
        let models = Model::ALL.map(|model| (model.name(), model));
        Ok(Self {
            horizon: constants.horizon()?,
            model: constants.one_of("model", &models)?.unwrap_or(Model::Auto),
            season: constants.count("season")?,
            gaps: constants.one_of("gaps", &Gaps::ALL)?.unwrap_or(Gaps::Interpolate),
        })
    }
}
