//! Which encoding a page is in, and its text.

use std::sync::LazyLock;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};
use regex::bytes::Regex;

/// Where browsers look for `<meta charset>`.
const DECLARATION: usize = 1024;

/// A file's text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Decoded {
    pub(super) text: String,
    /// As the WHATWG names it: `UTF-8`, `Big5`, …
    pub(super) encoding: &'static str,
    /// Whether bytes had no meaning in that encoding; each is U+FFFD in the text.
    pub(super) errors: bool,
}

/// Decodes `bytes` by byte order mark, else by what the page declares, else as UTF-8 if that fits, else by its
/// statistics, with a leaning to Big5.
///
/// A declared encoding that does not fit gives way to UTF-8 if that does.
pub(super) fn decode(bytes: &[u8]) -> Decoded {
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        return with(encoding, bytes.get(mark..).unwrap_or_default());
    }
    let utf8 = std::str::from_utf8(bytes).is_ok();
    if let Some(encoding) = declared(bytes) {
        let decoded = with(encoding, bytes);
        return if decoded.errors && utf8 { with(UTF_8, bytes) } else { decoded };
    }
    if utf8 {
        return with(UTF_8, bytes);
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    detector.feed(bytes, true);
    with(detector.guess(Some(b"tw"), Utf8Detection::Allow), bytes)
}

fn with(encoding: &'static Encoding, bytes: &[u8]) -> Decoded {
    let (text, errors) = encoding.decode_without_bom_handling(bytes);
    Decoded { text: text.into_owned(), encoding: encoding.name(), errors }
}

#[expect(clippy::expect_used, reason = "the pattern is a constant, and a test compiles it")]
static CHARSET: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"(?i)<meta[^>]{0,200}?charset\s*=\s*["']?\s*([a-z0-9_:.\-]+)"#).expect("a constant pattern")
});

/// The encoding in `<meta charset>`. A declaration that can be read byte by byte is not in UTF-16, whatever it says.
fn declared(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = bytes.get(..DECLARATION).unwrap_or(bytes);
    let label = CHARSET.captures(head)?.get(1)?;
    let encoding = Encoding::for_label(label.as_bytes())?;
    Some(if encoding == UTF_16LE || encoding == UTF_16BE { UTF_8 } else { encoding })
}

#[cfg(test)]
mod tests {
    use encoding_rs::{BIG5, SHIFT_JIS};

    use super::*;

    fn check(bytes: &[u8], text: &str, encoding: &str, errors: bool) {
        let decoded = decode(bytes);
        assert_eq!((decoded.text.as_str(), decoded.encoding, decoded.errors), (text, encoding, errors));
    }

    fn big5(text: &str) -> Vec<u8> {
        BIG5.encode(text).0.into_owned()
    }

    #[test]
    fn encodings() {
        let page = "<html><head><meta charset=\"big5\"></head>統一編號：１２３４５６７５</html>";
        check(&big5(page), page, "Big5", false);
        let old = "<meta http-equiv='Content-Type' content='text/html; charset=big5'>商品體驗";
        check(&big5(old), old, "Big5", false);
        check(page.as_bytes(), page, "UTF-8", false);
        let plain = "本文由某某提供商品體驗，合作邀約請來信，折扣碼在下面，謝謝大家的支持";
        check(&big5(plain), plain, "Big5", false);
        check(plain.as_bytes(), plain, "UTF-8", false);
        check("\u{feff}開箱".as_bytes(), "開箱", "UTF-8", false);
        check(&[0xFF, 0xFE, 0x8B, 0x95], "開", "UTF-16LE", false);
        check(b"<meta charset=utf-8>\xFFa", "<meta charset=utf-8>\u{fffd}a", "UTF-8", true);
        check(b"<meta charset=utf-16>a", "<meta charset=utf-16>a", "UTF-8", false);
        check(b"<meta charset=klingon>a", "<meta charset=klingon>a", "UTF-8", false);
        let japanese = "<meta charset=Shift_JIS>日本語";
        check(&SHIFT_JIS.encode(japanese).0, japanese, "Shift_JIS", false);
        check(b"", "", "UTF-8", false);
    }
}
