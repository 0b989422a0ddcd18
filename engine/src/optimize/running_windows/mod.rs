//! Windows from the first row of each partition to the row at hand: their answers are carried from row to row, a column at a
//! time.

mod calls;
mod exec;
mod held;
mod rule;
mod running;
mod steps;
mod stream;

pub(crate) use rule::{RunningWindows, carried_on};
