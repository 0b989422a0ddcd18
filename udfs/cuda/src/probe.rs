use std::panic::catch_unwind;

use cudarc::driver::result::{self, DriverError};
use cudarc::driver::sys::{CUdevice_attribute, CUresult, is_culib_present};

use crate::{CudaError, Device};

/// What this machine has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Availability {
    /// No NVIDIA driver.
    NoDriver,
    /// A driver without a GPU.
    NoDevice,
    /// One GPU at least.
    Devices(Vec<Device>),
}

/// Asks the driver what GPUs there are. Makes no context and takes no GPU memory.
///
/// # Errors
/// When a driver is present but fails, or is not a whole driver.
pub fn probe() -> Result<Availability, CudaError> {
    // SAFETY: this loads the shared library `libcuda` if there is one, whose initialisers are NVIDIA's; the
    // function takes no argument and has no other precondition.
    let present = unsafe { is_culib_present() };
    if !present {
        return Ok(Availability::NoDriver);
    }
    // Functions are looked up at their first call, and a missing one panics.
    catch_unwind(devices).unwrap_or(Err(CudaError::Incomplete))
}

fn devices() -> Result<Availability, CudaError> {
    match result::init() {
        Err(DriverError(CUresult::CUDA_ERROR_NO_DEVICE)) => return Ok(Availability::NoDevice),
        other => other.map_err(failed_to("start"))?,
    }
    let count = result::device::get_count().map_err(failed_to("count the GPUs"))?;
    if count == 0 {
        return Ok(Availability::NoDevice);
    }
    (0..count).map(device).collect::<Result<_, _>>().map(Availability::Devices)
}

fn device(ordinal: i32) -> Result<Device, CudaError> {
    let handle = result::device::get(ordinal).map_err(failed_to("open a GPU"))?;
    let attribute = |attribute| {
        // SAFETY: `handle` is a device that the driver has just given.
        unsafe { result::device::get_attribute(handle, attribute) }.map_err(failed_to("describe a GPU"))
    };
    // SAFETY: `handle` is a device that the driver has just given.
    let total_memory =
        unsafe { result::device::total_mem(handle) }.map_err(failed_to("measure a GPU's memory"))?;
    Ok(Device {
        ordinal,
        name: result::device::get_name(handle).map_err(failed_to("name a GPU"))?,
        compute_capability: (
            attribute(CUdevice_attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)?,
            attribute(CUdevice_attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR)?,
        ),
        total_memory,
    })
}

/// Keeps the number alone: even printing a driver's error calls the driver.
pub(crate) fn failed_to(action: &'static str) -> impl Fn(DriverError) -> CudaError {
    move |error| CudaError::Driver { action, code: error.0 as u32 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_on_any_machine_and_twice_the_same() {
        let first = probe();
        assert_eq!(first, probe());
        match first {
            Ok(Availability::Devices(devices)) => {
                assert!(devices.iter().all(|device| device.total_memory > 0 && !device.name.is_empty()));
            }
            Ok(Availability::NoDriver | Availability::NoDevice) => {
                let driver = std::path::Path::new("/proc/driver/nvidia/version");
                let devices = std::path::Path::new("/dev/nvidia0");
                assert!(!(driver.exists() && devices.exists()), "a driver with a GPU was not found");
            }
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }

    #[test]
    fn errors_are_one_clear_sentence() {
        let error = failed_to("start")(DriverError(CUresult::CUDA_ERROR_UNKNOWN));
        assert_eq!(
            error.to_string(),
            "the NVIDIA driver failed to start (CUDA error 999); check it with `nvidia-smi`"
        );
    }
}
