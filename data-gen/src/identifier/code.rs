/// A short ASCII code of fixed length, copied by value.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Code<const LENGTH: usize>(pub(super) [u8; LENGTH]);

impl<const LENGTH: usize> Code<LENGTH> {
    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// Writes `value` as decimal digits into all of `to`, leading zeros included.
pub(super) fn write_digits(to: &mut [u8], mut value: u64) {
    for place in to.iter_mut().rev() {
        *place = b'0' + u8::try_from(value % 10).unwrap_or(0);
        value /= 10;
    }
}
