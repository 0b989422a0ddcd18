//! Sizes of memory as people write them.

/// Less is of no use: no query runs in it.
const SMALLEST: usize = 16 * 1024 * 1024;

/// The bytes that a memory limit such as `8 GiB`, `4G`, `512 MB` or `1073741824` names.
///
/// `K`, `M`, `G`, `T` alone and with `iB` are powers of 1024, as memory is counted; `kB`, `MB`, `GB`, `TB` are powers
/// of 1000. Case and blanks between do not matter; halves and the like may be written with a point.
///
/// # Errors
/// When the text is no size, or less than 16 MiB. The reason completes a sentence that begins with what was set.
pub fn parse_memory_size(text: &str) -> Result<usize, String> {
    let bytes = parse_size(text)?;
    match bytes < SMALLEST {
        true => Err(format!("{text:?} is less than 16 MiB, in which no query runs")),
        false => Ok(bytes),
    }
}

/// The bytes that a size names, written as for [`parse_memory_size`].
///
/// # Errors
/// When the text is no size. The reason completes a sentence that begins with what was set.
pub fn parse_size(text: &str) -> Result<usize, String> {
    bytes(text).ok_or_else(|| {
        format!("{text:?} is no size: write bytes, or a number with a unit as in 8 GiB, 512 MB or 4G")
    })
}

fn bytes(text: &str) -> Option<usize> {
    let text = text.trim();
    let digits = text.find(|character: char| !character.is_ascii_digit() && character != '.');
    let (number, unit) = text.split_at_checked(digits.unwrap_or(text.len()))?;
    let factor: u64 = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kb" => 1000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "tb" => 1_000_000_000_000,
        "k" | "kib" => 1 << 10,
        "m" | "mib" => 1 << 20,
        "g" | "gib" => 1 << 30,
        "t" | "tib" => 1 << 40,
        _ => return None,
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    // Nobody means a part of a byte; nine digits after the point are more than anyone needs.
    if fraction.len() > 9 || (number.contains('.') && fraction.is_empty()) {
        return None;
    }
    let parts = match fraction {
        "" => 0,
        digits => {
            let scale = 10_u128.pow(u32::try_from(digits.len()).ok()?);
            u128::from(factor) * digits.parse::<u128>().ok()? / scale
        }
    };
    let all = u128::from(whole.parse::<u64>().ok()?) * u128::from(factor) + parts;
    usize::try_from(all).ok()
}

/// Bytes in a configuration: a number, or a text such as `8 GiB`.
#[derive(serde::Deserialize)]
#[serde(untagged)]
pub(crate) enum Size {
    Bytes(usize),
    Text(String),
}

impl Size {
    /// Of memory, in which a query must run.
    pub(crate) fn memory(self) -> Result<usize, String> {
        parse_memory_size(&self.text())
    }

    /// Of anything else.
    pub(crate) fn bytes(self) -> Result<usize, String> {
        parse_size(&self.text())
    }

    fn text(self) -> String {
        match self {
            Self::Bytes(bytes) => bytes.to_string(),
            Self::Text(text) => text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<usize>) {
        assert_eq!(parse_memory_size(text).ok(), expected, "{text}");
    }

    #[test]
    fn sizes_take_the_usual_units() {
        check("512M", Some(512 << 20));
        check("4G", Some(4 << 30));
        check("8 GiB", Some(8 << 30));
        check("4gib", Some(4 << 30));
        check("512 MB", Some(512_000_000));
        check("20000kB", Some(20_000_000));
        check("1.5g", Some(3 << 29));
        check(" 0.25 TB ", Some(250_000_000_000));
        check("16777216", Some(16 << 20));
    }

    #[test]
    fn what_is_no_size_is_refused() {
        for text in ["", "much", "-1G", "1.G", ".5G", "1.2.3G", "8 gigs", "４G", "1e9", "99999999999T", "G"]
        {
            check(text, None);
        }
        assert_eq!(
            parse_memory_size("1.5M"),
            Err("\"1.5M\" is less than 16 MiB, in which no query runs".to_owned())
        );
        assert_eq!(
            parse_memory_size("8 gigs"),
            Err("\"8 gigs\" is no size: write bytes, or a number with a unit as in 8 GiB, 512 MB or 4G"
                .to_owned())
        );
    }
}
