//! The searches of forecasts on a device, without a device: everything here is plain arithmetic and locks, and runs in
//! the tests as it does beside a GPU.

mod arbiter;
mod cut;
mod device;
mod kernel;
mod plan;
mod words;

pub use arbiter::{Arbiter, Reservation};
pub use device::{DeviceSearches, Machine, MachineResult};
pub use kernel::{Kernel, PTX, Parameter};
pub(crate) use plan::Layout;
pub use plan::{Argument, Geometry, LONGEST_SEASON, Launch, Plan, Region, Work};
pub use words::{SEARCH, SMOOTHING_FOUND, THETA_FOUND};
