//! The known name that a mistyped one most likely meant.

/// Below this similarity a suggestion is a guess that misleads.
const SIMILAR_ENOUGH: f64 = 0.6;

/// The nearest of `known`; the alphabetically first of equally near ones, `None` when none is near.
pub(crate) fn nearest<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = wanted.to_lowercase();
    let mut best: Option<(f64, &str)> = None;
    for name in known {
        let similarity = strsim::normalized_damerau_levenshtein(&wanted, &name.to_lowercase());
        if similarity < SIMILAR_ENOUGH {
            continue;
        }
        let better = match best {
            None => true,
            Some((so_far, chosen)) => {
                similarity > so_far || (similarity.total_cmp(&so_far).is_eq() && name < chosen)
            }
        };
        if better {
            best = Some((similarity, name));
        }
    }
    best.map(|(_, name)| name)
}

/// `; did you mean x?`, or `otherwise` when nothing is near.
pub(crate) fn did_you_mean<'a>(
    wanted: &str,
    known: impl IntoIterator<Item = &'a str>,
    otherwise: &str,
) -> String {
    match nearest(wanted, known) {
        Some(name) => format!("; did you mean {name}?"),
        None => otherwise.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn nearest_names() {
        let check = |wanted: &str, expected: Option<&str>| {
            assert_eq!(
                nearest(wanted, ["invoice.header", "invoice.item", "ref.county"]),
                expected,
                "{wanted}"
            );
        };
        check("invoice.heder", Some("invoice.header"));
        check("INVOICE.ITEMS", Some("invoice.item"));
        check("ref.conuty", Some("ref.county"));
        check("payments", None);
        assert_eq!(nearest("ab", ["ac", "aa"]), None);
        assert_eq!(nearest("abcd", ["abcz", "abca"]), Some("abca"));
    }
}
