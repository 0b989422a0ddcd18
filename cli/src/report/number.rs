//! Numbers as people read them.

use indicatif::HumanFloatCount;

/// Whole, with thousands parted.
pub(crate) fn whole(value: f64) -> String {
    let rounded = value.round();
    // A negative zero would be shown as -0.
    format!("{:.0}", HumanFloatCount(if rounded == 0.0 { 0.0 } else { rounded }))
}

/// Whole, or a dash where there is none.
pub(crate) fn whole_or_dash(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), whole)
}

/// One decimal and a sign.
pub(crate) fn change(percent: f64) -> String {
    format!("{percent:+.1} %")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_parted() {
        assert_eq!(whole(1_234_567.4), "1,234,567");
        assert_eq!(whole(-1_234.0), "-1,234");
        assert_eq!(whole(-0.2), "0");
        assert_eq!(whole_or_dash(None), "–");
        assert_eq!(change(3.06), "+3.1 %");
    }
}
