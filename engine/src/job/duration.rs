//! Spans of time as people write them.

use std::time::Duration;

/// The span that a text such as `500ms`, `30s`, `10m`, `2h` or `1h 30m` names.
///
/// # Errors
/// When the text is no span, or none at all. The reason completes a sentence that begins with what was set.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, String> {
    let span = humantime::parse_duration(text)
        .map_err(|_error| format!("{text:?} is no span of time: write 500ms, 30s, 10m or 2h"))?;
    if span.is_zero() {
        return Err(format!("{text:?} is no time at all: take a longer one"));
    }
    Ok(span)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans() {
        let check = |text: &str, millis: Option<u64>| {
            assert_eq!(parse_duration(text).ok(), millis.map(Duration::from_millis), "{text}");
        };
        check("500ms", Some(500));
        check("30s", Some(30_000));
        check("1h 30m", Some(5_400_000));
        for wrong in ["", "30", "s", "-1s", "0s", "1 fortnight"] {
            check(wrong, None);
        }
    }
}
