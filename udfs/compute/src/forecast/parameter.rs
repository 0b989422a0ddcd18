//! A fitted parameter, as a reader is told of it.

use std::borrow::Cow;

/// What a parameter is measured in, for its way back to the unit of the series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    /// A share, a weight or a count.
    None,
    /// The series' own.
    Amount,
}

/// A number that was fitted to a series.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// The part of the member that it belongs to, where a member is made of several.
    pub component: Option<&'static str>,
    /// The name in the literature.
    pub name: Cow<'static, str>,
    /// Its value; amounts are in the unit of the series.
    pub value: f64,
    unit: Unit,
}

impl Parameter {
    /// A share, a weight or a count.
    pub(crate) fn share(name: impl Into<Cow<'static, str>>, value: f64) -> Self {
        Self { component: None, name: name.into(), value, unit: Unit::None }
    }

    /// An amount, in the unit of the values that the member saw.
    pub(crate) fn amount(name: &'static str, value: f64) -> Self {
        Self { component: None, name: name.into(), value, unit: Unit::Amount }
    }

    /// The parameter of a component.
    pub(crate) fn of(self, component: &'static str) -> Self {
        Self { component: Some(component), ..self }
    }

    /// In the unit of a series that was divided by `scale`.
    pub(crate) fn rescaled(self, scale: f64) -> Self {
        let value = match self.unit {
            Unit::None => self.value,
            Unit::Amount => (self.value * scale).clamp(-f64::MAX, f64::MAX),
        };
        Self { value, ..self }
    }
}
