//! Names that look like the one that was meant.

/// `", did you mean a or b?"` for the nearest of `names`, or nothing.
pub(crate) fn nearest<'n>(wanted: &str, names: impl IntoIterator<Item = &'n str>) -> String {
    let mut scored: Vec<(f64, &str)> = names
        .into_iter()
        .map(|name| (strsim::jaro_winkler(wanted, name), name))
        .filter(|(score, _)| *score > 0.75)
        .collect();
    scored.sort_by(|left, right| right.0.total_cmp(&left.0).then(left.1.cmp(right.1)));
    let best: Vec<&str> = scored.into_iter().take(3).map(|(_, name)| name).collect();
    match best.as_slice() {
        [] => String::new(),
        [one] => format!(", did you mean {one}?"),
        [first @ .., last] => format!(", did you mean {} or {last}?", first.join(", ")),
    }
}
