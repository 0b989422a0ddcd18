//! What the programs here have in common: the allocator of `tithe`, so that they measure what users run.

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
