//! Whether this processor is one that the program was compiled for.

/// Says what the processor lacks, where otherwise an illegal instruction would end the program.
///
/// Nothing in here may be compiled to what is asked for: constant texts alone, and no loop, list or formatting. Tried with
/// `qemu-x86_64 -cpu Nehalem tithe`.
#[cfg(target_arch = "x86_64")]
#[inline(never)]
pub(crate) fn lack() -> Option<&'static str> {
    use std::arch::x86_64::{__cpuid, __cpuid_count};

    // `is_x86_feature_detected!` answers yes to whatever was compiled for; so the processor itself is asked.
    let base = __cpuid(1).ecx;
    let extended = if __cpuid(0).eax >= 7 { __cpuid_count(7, 0).ebx } else { 0 };
    if cfg!(target_feature = "fma") && (base >> 12) & 1 == 0 {
        return Some("FMA");
    }
    if cfg!(target_feature = "avx2") && (extended >> 5) & 1 == 0 {
        return Some("AVX2");
    }
    if cfg!(target_feature = "bmi2") && (extended >> 8) & 1 == 0 {
        return Some("BMI2");
    }
    None
}

#[cfg(not(target_arch = "x86_64"))]
pub(crate) fn lack() -> Option<&'static str> {
    None
}
