use std::fmt;

/// One GPU.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// The number the driver counts it by, from 0.
    pub ordinal: i32,
    /// The name the driver gives it.
    pub name: String,
    /// Major and minor compute capability.
    pub compute_capability: (i32, i32),
    /// Memory in bytes.
    pub total_memory: usize,
}

impl fmt::Display for Device {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (major, minor) = self.compute_capability;
        let gibibytes = self.total_memory >> 30;
        write!(
            formatter,
            "{} (device {}, compute capability {major}.{minor}, {gibibytes} GiB)",
            self.name, self.ordinal
        )
    }
}
