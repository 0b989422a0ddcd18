//! The same question gives the same answer, to the bit, in this process and on 1, 2 and 5 workers.

#![cfg(test)]

mod compound_queries;
mod library_queries;
mod random_queries;
mod shuffled;
mod support;
mod tpch_queries;
mod windows;
