//! Random numbers and elementary functions that give the same bits on every machine.
//!
//! Only IEEE 754 additions, multiplications, divisions and square roots on `f64`, each rounded on its
//! own: no system mathematics library, no contraction into fused operations, no dependence on vector
//! width. A number is addressed, not consumed: the key names the row, the counter names the draw, the
//! purpose and the step, so any draw can be made anywhere, in any order.

mod elementary;
mod gamma;
mod lanes;
mod lognormal;
mod normal;
mod normal_single;
mod philox;
mod poisson;
mod reduce;
mod stream;

pub use elementary::{exp, ln, ln_gamma};
pub(crate) use elementary::{exponent_field, ln_normal};
pub use gamma::{beta, gamma};
pub(crate) use lanes::{Block, LANES, Words, exp_lane, ln_lane, normals, words};
pub use lognormal::LognormalSum;
pub use normal::normal_quantile;
pub use normal_single::normal_single;
pub use philox::philox4x32_10;
pub use poisson::poisson_quantile;
pub use reduce::tree_sum;
pub(crate) use reduce::weighted_sum;
pub use stream::{RowKey, Stream, uniform};
