//! SQL to a logical plan; one rule per file.

mod depth;
mod open_parameters;
mod parameters;
mod parse;
mod plan_depth;
mod read_only;
mod split;
pub(crate) mod sql_literal;
mod sql_types;
mod unknown_names;
mod with_names;

pub(crate) use open_parameters::{GUESSES, check_values, parameter_count, with_types};
pub(crate) use parameters::{bind, number_parameters, replace_named};
pub(crate) use parse::{parse, parse_one};
pub(crate) use plan_depth::check_plan;
pub(crate) use read_only::{check_read_only, kind};
pub(crate) use split::split;
pub(crate) use sql_types::{TimesOfDay, spell_out_types};
pub(crate) use unknown_names::{explain, function_names};
pub(crate) use with_names::check_with_names;
