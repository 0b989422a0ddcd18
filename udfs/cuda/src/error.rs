/// Why a driver that is present could not be asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CudaError {
    /// The driver answered with an error.
    #[error("the NVIDIA driver failed to {action} (CUDA error {code}); check it with `nvidia-smi`")]
    Driver {
        /// What was asked of it.
        action: &'static str,
        /// The number of the error, `CUresult` in the driver's documentation.
        code: u32,
    },
    /// The library is not a whole driver: a stub, or one too old.
    #[error("the NVIDIA driver library lacks functions of CUDA 12.0; install a driver of version 525 or later")]
    Incomplete,
}
