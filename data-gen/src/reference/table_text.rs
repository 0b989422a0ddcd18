/// The rows of a tab-separated text; lines that start with `#` are its provenance.
pub(super) fn rows(text: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    text.lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .map(|line| line.split('\t').collect())
}

/// A field as a number; the lists are part of the program, and tests hold them to be well formed.
pub(super) fn number<T: std::str::FromStr + Default>(row: &[&str], index: usize) -> T {
    row.get(index).and_then(|field| field.parse().ok()).unwrap_or_default()
}

pub(super) fn field(row: &[&'static str], index: usize) -> &'static str {
    row.get(index).copied().unwrap_or_default()
}

/// A rising table for weighted draws.
pub(super) fn cumulative(weights: impl Iterator<Item = u32>) -> Vec<u32> {
    weights
        .scan(0, |sum, weight| {
            *sum += weight;
            Some(*sum)
        })
        .collect()
}
