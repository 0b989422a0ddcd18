/// Why a GPU cannot be asked or used.
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
    #[error(
        "the NVIDIA driver library lacks functions of CUDA 12.0; install a driver of version 525 or later"
    )]
    Incomplete,
    /// The driver does not know the kernels' version of PTX.
    #[error("the NVIDIA driver is too old for the GPU kernels; install a driver of version 550 or later")]
    OldDriver,
    /// The GPU is older than the kernels.
    #[error(
        "{0} is too old for the GPU kernels, which need compute capability 7.5 or later; compute on the CPU"
    )]
    OldDevice(crate::Device),
    /// More memory than may be taken.
    #[error(
        "a batch of searches needs {wanted} bytes of the GPU's memory, more than the {budget} that may be used; \
         compute on the CPU"
    )]
    Budget {
        /// Bytes of the batch.
        wanted: usize,
        /// Bytes that may be used.
        budget: usize,
    },
    /// A search with too long a season, or too many searches.
    #[error("a batch of searches is of a shape that the GPU kernels do not take; compute on the CPU")]
    Unfit,
    /// What came back is not what the kernels write.
    #[error(
        "the GPU gave back what none of its kernels writes; check its memory with `nvidia-smi -q -d ECC`"
    )]
    Corrupt,
}
