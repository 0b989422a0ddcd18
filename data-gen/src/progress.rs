/// Told how far the work is. A unit is one invoice or one taxpayer.
pub trait Progress: Sync {
    /// Work begins; `total_units` will be reported in all.
    fn start(&self, total_units: u64);
    /// `units` more are done; `table` is the one most of them went to.
    fn advance(&self, units: u64, table: &str);
    /// All is in place.
    fn finish(&self);
}

/// Progress that nobody watches.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {
    fn start(&self, _total_units: u64) {}
    fn advance(&self, _units: u64, _table: &str) {}
    fn finish(&self) {}
}
