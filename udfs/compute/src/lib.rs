//! The mathematics of Tithe: no Arrow, no DataFusion, no I/O.

pub mod amount;
pub mod calendar;
pub mod forecast;
pub mod identifiers;
pub mod income;
pub mod promotion;
pub mod random;
pub mod text;
