//! What an operator or expression is put together again with.

use datafusion::common::{Result, internal_err};

/// The one of `inputs`, for what has one input and is called `name`.
///
/// # Errors
/// When there are none, or more.
pub(crate) fn one_input<T>(name: &str, inputs: Vec<T>) -> Result<T> {
    match <[T; 1]>::try_from(inputs) {
        Ok([input]) => Ok(input),
        Err(inputs) => internal_err!("{name} has one input, not {}", inputs.len()),
    }
}
