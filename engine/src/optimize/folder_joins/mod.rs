//! Physical rule: tables whose files lie in folders of the columns that they are joined by (`period=2024-01/`) are joined
//! folder by folder.
//!
//! Rows of different folders never meet. So neither side is divided by hash, a hash table holds one folder's rows and
//! goes before the next one comes, and each thread has folders of its own.

mod exec;
mod parts;
mod rule;
mod side;

pub(crate) use rule::FolderJoins;
