/// Whether `text` is the number of a uniform invoice: a track of two upper-case letters (字軌) and eight digits,
/// with the hyphen that printed invoices put between them or without.
///
/// Such a number carries no check digit: this says that its form is right, not that it was issued.
///
/// Source: e-invoice message implementation guideline (MIG) 4.1, field `InvoiceNumber`.
#[must_use]
pub fn einvoice_number_is_valid(text: &str) -> bool {
    let Some((track, number)) = text.as_bytes().split_at_checked(2) else { return false };
    let number = number.strip_prefix(b"-").unwrap_or(number);
    track.iter().all(u8::is_ascii_uppercase) && number.len() == 8 && number.iter().all(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::einvoice_number_is_valid;

    #[test]
    fn judges_the_form() {
        let vectors = [
            ("AB12345678", true),
            ("AB-12345678", true),
            ("ZZ00000000", true),
            ("ab12345678", false),
            ("A112345678", false),
            ("AB1234567", false),
            ("AB123456789", false),
            ("AB--12345678", false),
            ("AB 12345678", false),
            ("ＡＢ12345678", false),
            ("甲12345678", false),
            ("AB", false),
            ("A", false),
            ("", false),
        ];
        for (text, valid) in vectors {
            assert_eq!(einvoice_number_is_valid(text), valid, "{text}");
        }
    }
}
