//! Answers as text for snapshots.

use arrow::array::RecordBatch;
use arrow::util::pretty::pretty_format_batches;

/// A table, its first `most` rows, with the number of all rows and a hash of them when there are more.
///
/// # Panics
/// When a value cannot be shown as text.
#[must_use]
pub fn answer(batches: &[RecordBatch], most: usize) -> String {
    let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
    let Some(first) = batches.first() else { return "no rows\n".to_owned() };
    let shown = |batches: &[RecordBatch]| pretty_format_batches(batches).expect("values as text").to_string();
    if rows <= most {
        return format!("{}\n{rows} rows\n", shown(batches));
    }
    let whole = arrow::compute::concat_batches(&first.schema(), batches).expect("batches of one schema");
    let all = hash(shown(std::slice::from_ref(&whole)).as_bytes());
    format!("{}\n{rows} rows in all, hash {all}\n", shown(&[whole.slice(0, most)]))
}

/// FNV-1a of 64 bits: the same on every machine and in every release of the compiler.
#[must_use]
pub fn hash(bytes: &[u8]) -> String {
    let mut state: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in bytes {
        state = (state ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    }
    format!("{state:016x}")
}

#[cfg(test)]
mod tests {
    use super::hash;

    #[test]
    fn the_hash_is_fnv_1a() {
        assert_eq!(hash(b""), "cbf29ce484222325");
        assert_eq!(hash(b"foobar"), "85944171f73967e8");
    }
}
