//! The mathematics of Tithe: no Arrow, no DataFusion, no I/O.

pub mod forecast;
