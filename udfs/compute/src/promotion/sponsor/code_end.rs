use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, Hir, HirKind};

use super::automaton::Bytes;

/// The bytes of the codes with which the matches of a pattern end, where these alone tell the code: it is all that stands at
/// the end of a match, and what stands before it ends with none of them.
pub(super) fn code_at_the_end(pattern: &str, name: &str) -> Option<Bytes> {
    let pattern = regex_syntax::parse(pattern).ok()?;
    let HirKind::Concat(parts) = pattern.kind() else { return None };
    let (HirKind::Capture(code), before) = parts.split_last().map(|(last, before)| (last.kind(), before))?
    else {
        return None;
    };
    let HirKind::Repetition(repeated) = code.sub.kind() else { return None };
    let (true, HirKind::Class(Class::Unicode(class))) =
        (code.name.as_deref() == Some(name) && repeated.min > 0 && repeated.greedy, repeated.sub.kind())
    else {
        return None;
    };
    let mut ends = ClassUnicode::empty();
    let may_be_empty = add_last_characters(before, &mut ends);
    ends.intersect(class);
    let bytes = class.to_byte_class().filter(|_| !may_be_empty && ends.ranges().is_empty())?;
    Some(bytes.iter().flat_map(|range| range.start()..=range.end()).collect())
}

/// Adds the characters with which a match of a sequence may end, and tells whether it may be empty.
fn add_last_characters(sequence: &[Hir], ends: &mut ClassUnicode) -> bool {
    sequence.iter().rev().all(|part| add_ends(part, ends))
}

fn add_ends(pattern: &Hir, ends: &mut ClassUnicode) -> bool {
    let anything = || ClassUnicode::new([ClassUnicodeRange::new('\0', char::MAX)]);
    match pattern.kind() {
        HirKind::Empty | HirKind::Look(_) => true,
        HirKind::Literal(literal) => {
            match std::str::from_utf8(&literal.0).ok().and_then(|text| text.chars().next_back()) {
                Some(last) => ends.push(ClassUnicodeRange::new(last, last)),
                None => ends.union(&anything()),
            }
            false
        }
        HirKind::Class(class) => {
            match class {
                Class::Unicode(class) => ends.union(class),
                Class::Bytes(_) => ends.union(&anything()),
            }
            false
        }
        HirKind::Repetition(repetition) => add_ends(&repetition.sub, ends) || repetition.min == 0,
        HirKind::Capture(capture) => add_ends(&capture.sub, ends),
        HirKind::Concat(parts) => add_last_characters(parts, ends),
        // Every way has ends.
        HirKind::Alternation(ways) => ways.iter().filter(|way| add_ends(way, ends)).count() > 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_told_by_their_bytes_where_nothing_like_them_stands_before() {
        let check = |pattern: &str, expected: Option<&str>| {
            let found = code_at_the_end(pattern, "code");
            assert_eq!(found, expected.map(|bytes| bytes.bytes().collect()), "{pattern}");
        };
        check("碼(?P<code>[a-c]{2,3})", Some("abc"));
        check(r"(碼|x:|序號)\s*[:「]?(?P<code>[a-c]+)", Some("abc"));
        check("a*碼(?P<code>[a-c]+)", Some("abc"));
        check("碼a*(?P<code>[a-c]+)", None);
        check("(碼|b)(?P<code>[a-c]+)", None);
        check("碼.?(?P<code>[a-c]+)", None);
        check("(碼|)(?P<code>[a-c]+)", None);
        check("(碼)+?(?P<code>[a-c]+?)", None);
        check("碼(?P<code>[a-c]+)?", None);
        check("碼(?P<code>[a-c]+)d", None);
        check(r"碼(?P<code>\w+)", None);
        check("碼(?P<other>[a-c]+)", None);
        check("碼", None);
    }
}
