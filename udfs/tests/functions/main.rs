//! The registry's functions, asked in SQL without the engine.

#![cfg(test)]

mod any_creators;
mod any_series;
mod documentation;
mod influencer_income;
mod series_functions;
mod session;
mod sqllogictest;
mod text_types;
