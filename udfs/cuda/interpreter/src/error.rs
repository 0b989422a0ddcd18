/// Why PTX cannot be run. Lines count from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PtxError {
    /// The text is not of the known subset.
    #[error("line {line} of the PTX is not understood: '{text}'; teach it to the interpreter")]
    Unknown {
        /// Where.
        line: usize,
        /// What stands there.
        text: String,
    },
    /// A branch to nowhere.
    #[error("line {line} of the PTX branches to '{label}', which its kernel does not have")]
    Label {
        /// Where.
        line: usize,
        /// To what.
        label: String,
    },
    /// No kernel of this name.
    #[error("the PTX has no kernel '{0}'; its kernels are the names after '.entry'")]
    Kernel(String),
    /// Another number of arguments than parameters.
    #[error("the kernel takes {expected} arguments, but {given} were given")]
    Arguments {
        /// As many as it has parameters.
        expected: usize,
        /// As many as there are.
        given: usize,
    },
    /// An access outside of all buffers, or across the end of one, or not at a multiple of its size.
    #[error("line {line} of the PTX accesses {width} bytes at {address:#x}, where there are none to access")]
    Access {
        /// Where.
        line: usize,
        /// Bytes.
        width: usize,
        /// The address.
        address: u64,
    },
    /// Lanes of a warp wait for lanes that never come, or disagree on whom they wait for.
    #[error("the lanes of a warp that wait at line {line} of the PTX wait forever")]
    Deadlock {
        /// Where.
        line: usize,
    },
    /// A warp that executes more instructions than any kernel that ends.
    #[error("a warp does not come to an end, and is at line {line} of the PTX")]
    Endless {
        /// Where.
        line: usize,
    },
    /// The end of a kernel without `ret`.
    #[error("the kernel runs past its end; it must end with 'ret'")]
    End,
}
