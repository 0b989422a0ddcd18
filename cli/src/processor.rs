//! Whether this processor is one that the program was compiled for.

use crate::failure::{Failure, Result};

/// Says what the processor lacks, where otherwise an illegal instruction would end the program.
///
/// # Errors
/// When it lacks something that the program was compiled to use.
#[inline(never)]
pub(crate) fn check() -> Result<()> {
    let lacking = lacking();
    if lacking.is_empty() {
        return Ok(());
    }
    Err(Failure::usage(format!(
        "this tithe was built for processors since 2013, and this one has no {}: build it again for older ones with \
         RUSTFLAGS=\"\" cargo build --release",
        lacking.join(", no ")
    )))
}

/// `is_x86_feature_detected!` answers yes to whatever was compiled for; so the processor itself is asked.
#[cfg(target_arch = "x86_64")]
fn lacking() -> Vec<&'static str> {
    use std::arch::x86_64::{__cpuid, __cpuid_count};

    let base = __cpuid(1).ecx;
    let extended = if __cpuid(0).eax >= 7 { __cpuid_count(7, 0).ebx } else { 0 };
    let uses = [
        (cfg!(target_feature = "fma"), "FMA", base >> 12),
        (cfg!(target_feature = "avx2"), "AVX2", extended >> 5),
        (cfg!(target_feature = "bmi2"), "BMI2", extended >> 8),
    ];
    uses.into_iter().filter(|(used, _, bits)| *used && bits & 1 == 0).map(|(_, name, _)| name).collect()
}

#[cfg(not(target_arch = "x86_64"))]
fn lacking() -> Vec<&'static str> {
    Vec::new()
}
