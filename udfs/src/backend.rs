//! Where the parameters of forecasts are searched, and incomes drawn.

use std::fmt;
use std::str::FromStr;

use datafusion::common::exec_datafusion_err;
use datafusion::error::DataFusionError;
use tithe_cuda::{Availability, CudaError};

use crate::device::{ComputeDevice, device};

/// The session option that names the backend.
pub const BACKEND_OPTION: &str = "tithe.compute.backend";
/// The environment variable that names it where the session does not.
pub const BACKEND_VARIABLE: &str = "TITHE_COMPUTE_BACKEND";

/// Where the parameters of forecasts are searched, and incomes drawn. Results are the same bits everywhere; no GPU has shown it yet, an
/// interpreter of the kernels has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Backend {
    /// A GPU where there is one and enough to do, and it does not fail; else the processor.
    #[default]
    Auto,
    /// The processor.
    Cpu,
    /// An NVIDIA GPU.
    Cuda,
}

/// Why a backend cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BackendError {
    /// No backend of this name.
    #[error("unknown compute backend '{0}'; choose auto, cpu or cuda")]
    Unknown(String),
    /// CUDA was asked for and cannot be had.
    #[error("the compute backend cuda was asked for, but {found}; choose auto or cpu")]
    Unavailable {
        /// What the machine has.
        found: String,
    },
}

impl fmt::Display for Backend {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Auto => "auto",
            Self::Cpu => "cpu",
            Self::Cuda => "cuda",
        })
    }
}

impl FromStr for Backend {
    type Err = BackendError;

    fn from_str(name: &str) -> Result<Self, BackendError> {
        match name.trim().to_ascii_lowercase().as_str() {
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Cpu),
            "cuda" => Ok(Self::Cuda),
            _ => Err(BackendError::Unknown(name.to_owned())),
        }
    }
}

/// The backend a session asks for: its option, else the environment's, else [`Backend::Auto`].
///
/// # Errors
/// When the name is not one of a backend.
pub fn requested_backend(option: Option<&str>) -> Result<Backend, BackendError> {
    let variable = std::env::var(BACKEND_VARIABLE).ok().filter(|name| !name.is_empty());
    option.or(variable.as_deref()).map_or(Ok(Backend::Auto), str::parse)
}

/// That `requested` can be had here. `auto` always can, and asks for no driver.
///
/// # Errors
/// When CUDA is asked for and cannot be had, saying what the machine has.
pub fn check_backend(requested: Backend) -> Result<(), BackendError> {
    match requested {
        Backend::Auto | Backend::Cpu => Ok(()),
        Backend::Cuda => match device() {
            Ok(Some(_)) => Ok(()),
            Ok(None) => Err(BackendError::Unavailable { found: describe(&tithe_cuda::probe()) }),
            Err(error) => Err(BackendError::Unavailable { found: error.to_string() }),
        },
    }
}

/// The device that `function` may use under `auto`: one that cannot be used is as none, and is told of when it is asked
/// for.
pub(crate) fn device_if_usable(function: &str) -> Option<&'static dyn ComputeDevice> {
    device().unwrap_or_else(|error| {
        tracing::debug!("{function}: computed on the CPU: {error}");
        None
    })
}

/// The device that a session asked for.
///
/// # Errors
/// When it is not there any more, or cannot be used.
pub(crate) fn device_asked_for(function: &str) -> Result<&'static dyn ComputeDevice, DataFusionError> {
    match device() {
        Ok(Some(device)) => Ok(device),
        Ok(None) => Err(gave_out(function, "there is no GPU any more")),
        Err(error) => Err(gave_out(function, &error)),
    }
}

/// One sentence for a device that was asked for and fails, which ends the query.
pub(crate) fn gave_out(function: &str, error: &(impl fmt::Display + ?Sized)) -> DataFusionError {
    exec_datafusion_err!(
        "{function}: the compute backend cuda failed ({error}); `SET {BACKEND_OPTION} = cpu` computes without a GPU"
    )
}

fn describe(found: &Result<Availability, CudaError>) -> String {
    match found {
        Ok(Availability::NoDriver) => "this machine has no NVIDIA driver".to_owned(),
        Ok(Availability::NoDevice) => "this machine has an NVIDIA driver but no GPU".to_owned(),
        Ok(Availability::Devices(devices)) => {
            let names: Vec<String> = devices.iter().map(ToString::to_string).collect();
            format!("this machine has {}", names.join(", "))
        }
        Err(error) => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use tithe_cuda::Device;

    use super::*;

    #[test]
    fn names_are_read_in_any_case() {
        for backend in [Backend::Auto, Backend::Cpu, Backend::Cuda] {
            assert_eq!(backend.to_string().to_uppercase().parse(), Ok(backend));
        }
        assert_eq!(requested_backend(Some("cpu")), Ok(Backend::Cpu));
        let unknown = "gpu".parse::<Backend>().map_err(|error| error.to_string());
        assert_eq!(unknown, Err("unknown compute backend 'gpu'; choose auto, cpu or cuda".to_owned()));
    }

    #[test]
    fn cuda_is_refused_where_there_is_no_gpu() {
        assert_eq!(check_backend(Backend::Auto), Ok(()));
        assert_eq!(check_backend(Backend::Cpu), Ok(()));
        if let Ok(Some(_)) = device() {
            assert_eq!(check_backend(Backend::Cuda), Ok(()));
            return;
        }
        let refused = check_backend(Backend::Cuda).map_err(|error| error.to_string());
        assert!(refused.is_err_and(|text| {
            text.starts_with("the compute backend cuda was asked for, but ")
                && text.ends_with("; choose auto or cpu")
        }));
    }

    #[test]
    fn the_refusal_says_what_the_machine_has() {
        let check = |found, expected: &str| assert_eq!(describe(&found), expected);
        check(Ok(Availability::NoDriver), "this machine has no NVIDIA driver");
        check(Ok(Availability::NoDevice), "this machine has an NVIDIA driver but no GPU");
        let device = Device {
            ordinal: 0,
            name: "NVIDIA H200".to_owned(),
            compute_capability: (9, 0),
            total_memory: 139 << 30,
        };
        check(
            Ok(Availability::Devices(vec![device])),
            "this machine has NVIDIA H200 (device 0, compute capability 9.0, 139 GiB)",
        );
    }
}
