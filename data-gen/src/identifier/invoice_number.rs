use super::code::{Code, write_digits};

/// Two track letters and eight digits.
pub(crate) type InvoiceNumber = Code<10>;

/// Numbers are handed to sellers in blocks of fifty.
pub(crate) const NUMBERS_PER_BLOCK: u64 = 50;
/// The room of one community within a track.
const NUMBERS_PER_COMMUNITY: u64 = 100_000;

const TRACKS_PER_PERIOD: u64 = 56;

/// The `offset`-th number of a community in the `period`-th period. No two periods share a track.
pub(crate) fn invoice_number(period: u32, community: u64, offset: u64) -> InvoiceNumber {
    let track = u64::from(period) * TRACKS_PER_PERIOD + community % TRACKS_PER_PERIOD;
    let mut number = [b'0'; 10];
    number[0] = b'A' + u8::try_from(track / 26 % 26).unwrap_or(0);
    number[1] = b'A' + u8::try_from(track % 26).unwrap_or(0);
    write_digits(
        &mut number[2..],
        10_000_000 + community / TRACKS_PER_PERIOD * NUMBERS_PER_COMMUNITY + offset % NUMBERS_PER_COMMUNITY,
    );
    Code(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tracks_belong_to_one_period() {
        assert_eq!(invoice_number(0, 0, 0).as_str(), "AA10000000");
        assert_eq!(invoice_number(0, 55, 49).as_str(), "CD10000049");
        assert_eq!(invoice_number(1, 0, 0).as_str(), "CE10000000");
        assert_eq!(invoice_number(0, 56, 7).as_str(), "AA10100007");
        assert_eq!(invoice_number(11, 9_999, 99_999).as_str(), "YX27899999");
    }
}
