//! Thirty-two candidates side by side: what a search evaluates in one pass over a series.

/// Candidates in a pass: a warp, four AVX-512 registers, eight of AVX2.
pub const LANES: usize = 32;

/// A number for each candidate.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(align(64))]
pub(crate) struct Lanes(pub(crate) [f64; LANES]);

impl Lanes {
    pub(crate) const ZERO: Self = Self([0.0; LANES]);

    pub(crate) const fn splat(value: f64) -> Self {
        Self([value; LANES])
    }
}

/// The instruction sets that this machine can run, the portable one first. They differ in speed only: every
/// lane is worked out with the same IEEE operations in the same order, never fused.
#[cfg(test)]
pub(crate) fn instruction_sets() -> Vec<pulp::Arch> {
    let mut sets = vec![pulp::Arch::Scalar];
    #[cfg(target_arch = "x86_64")]
    {
        sets.extend(pulp::x86::V3::try_new().map(pulp::Arch::V3));
        sets.extend(pulp::x86::V4::try_new().map(pulp::Arch::V4));
    }
    #[cfg(target_arch = "aarch64")]
    sets.push(pulp::Arch::default());
    sets
}
