use std::sync::Arc;

use arrow::array::{ArrayRef, StringViewBuilder};
use arrow::datatypes::DataType;
use datafusion::common::Result;
use html5gum::emitters::callback::{Callback, CallbackEmitter, CallbackEvent};
use html5gum::{Span, Tokenizer};

use super::row_function::{RowFunction, Totality, only};
use super::text_rows::text_rows;
use crate::documentation::{ArgumentDoc, Example, FunctionDoc, FunctionKind};
use crate::registry::FunctionEntry;

/// Largest page read, in bytes.
const LARGEST_PAGE: usize = 8 * 1024 * 1024;

static DOC: FunctionDoc = FunctionDoc {
    name: "html_text",
    kind: FunctionKind::Scalar,
    section: "Unstructured text",
    summary: "Gives the text of an HTML page, without markup.",
    description: "Reads HTML as the standard tokenises it, however broken. Character references are resolved. The \
                  content of script, style, noscript, iframe, noembed and template is left out, as are comments and \
                  attributes; the title is kept. Runs of white space become one space; block elements, br and table rows \
                  start a new line, table cells are parted by a space; empty lines are left out. What a style sheet \
                  hides is not known to be hidden. Time and memory grow with the size of the page alone, however deep \
                  its elements are nested.",
    syntax: "html_text(html)",
    arguments: &[ArgumentDoc {
        name: "html",
        sql_type: "VARCHAR",
        description: "A page or a piece of one, at most 8 MiB.",
    }],
    returns: "VARCHAR",
    nulls: "NULL for NULL.",
    errors: "None. A page of more than 8 MiB gives NULL, and nothing else does: `html_text(page) IS NULL AND page IS NOT NULL` finds such pages.",
    source: "WHATWG HTML standard §13.2.5, tokenization.",
    examples: &[Example {
        sql: "SELECT html_text('<title>開箱</title><style>p{}</style><p>特價 <b>NT$1,280</b>&nbsp;元<p>統一編號：12345675') AS text",
        result: "
+--------------------+
| text               |
+--------------------+
| 開箱               |
| 特價 NT$1,280 元   |
| 統一編號：12345675 |
+--------------------+
",
    }],
};

pub(super) fn entry() -> FunctionEntry {
    RowFunction::of_text(&DOC, Totality::Partial, |_| DataType::Utf8View, evaluate).into_entry()
}

fn evaluate(arguments: &[ArrayRef]) -> Result<ArrayRef> {
    let pages = only(arguments)?;
    let mut texts = StringViewBuilder::with_capacity(pages.len());
    for page in text_rows(pages)? {
        texts.append_option(page.and_then(text_of));
    }
    Ok(Arc::new(texts.finish()))
}

fn text_of(page: &str) -> Option<String> {
    if page.len() > LARGEST_PAGE {
        return None;
    }
    let mut text = String::new();
    let mut emitter =
        CallbackEmitter::new(PageText { text: &mut text, gap: Gap::None, raw: false, templates: 0 });
    emitter.naively_switch_states(true);
    let Ok(()) = Tokenizer::new_with_emitter(page, emitter).finish();
    Some(text)
}

/// What has to stand between the text so far and the next word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Gap {
    None,
    Space,
    Line,
}

#[derive(Debug)]
struct PageText<'a> {
    text: &'a mut String,
    gap: Gap,
    /// Inside an element whose content is text that no reader sees; only its own end tag ends it.
    raw: bool,
    templates: u64,
}

impl PageText<'_> {
    fn widen(&mut self, gap: Gap) {
        self.gap = self.gap.max(gap);
    }

    fn push(&mut self, words: &str) {
        for c in words.chars() {
            if c.is_whitespace() {
                self.widen(Gap::Space);
            } else if c != '\0' {
                match self.gap {
                    _ if self.text.is_empty() => {}
                    Gap::None => {}
                    Gap::Space => self.text.push(' '),
                    Gap::Line => self.text.push('\n'),
                }
                self.gap = Gap::None;
                self.text.push(c);
            }
        }
    }

    fn tag(&mut self, name: &[u8]) {
        match name {
            b"td" | b"th" => self.widen(Gap::Space),
            name if starts_line(name) => self.widen(Gap::Line),
            _ => {}
        }
    }
}

impl Callback<std::convert::Infallible, ()> for PageText<'_> {
    fn handle_event(&mut self, event: CallbackEvent<'_>, _: Span<()>) -> Option<std::convert::Infallible> {
        match event {
            CallbackEvent::OpenStartTag { name } => {
                self.raw = matches!(name, b"script" | b"style" | b"noscript" | b"iframe" | b"noembed");
                self.templates = self.templates.saturating_add(u64::from(name == b"template"));
                self.tag(name);
            }
            CallbackEvent::EndTag { name } => {
                self.raw = false;
                self.templates = self.templates.saturating_sub(u64::from(name == b"template"));
                self.tag(name);
            }
            CallbackEvent::String { value } if !self.raw && self.templates == 0 => {
                self.push(&String::from_utf8_lossy(value));
            }
            _ => {}
        }
        None
    }
}

fn starts_line(name: &[u8]) -> bool {
    matches!(
        name,
        b"address"
            | b"article"
            | b"aside"
            | b"blockquote"
            | b"body"
            | b"br"
            | b"caption"
            | b"center"
            | b"dd"
            | b"details"
            | b"dialog"
            | b"dir"
            | b"div"
            | b"dl"
            | b"dt"
            | b"fieldset"
            | b"figcaption"
            | b"figure"
            | b"footer"
            | b"form"
            | b"h1"
            | b"h2"
            | b"h3"
            | b"h4"
            | b"h5"
            | b"h6"
            | b"head"
            | b"header"
            | b"hgroup"
            | b"hr"
            | b"html"
            | b"legend"
            | b"li"
            | b"main"
            | b"menu"
            | b"nav"
            | b"ol"
            | b"optgroup"
            | b"option"
            | b"p"
            | b"pre"
            | b"search"
            | b"section"
            | b"select"
            | b"summary"
            | b"table"
            | b"tbody"
            | b"textarea"
            | b"tfoot"
            | b"thead"
            | b"title"
            | b"tr"
            | b"ul"
    )
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use proptest::prelude::{any, proptest};

    use super::{LARGEST_PAGE, text_of};

    #[test]
    fn keeps_what_a_reader_sees() {
        for (page, text) in [
            ("", ""),
            ("plain  text\n\n there", "plain text there"),
            ("<p>一</p><p>二</p>", "一\n二"),
            ("a<br>b<br/>c", "a\nb\nc"),
            ("<b>粗</b>體<i>斜</i>", "粗體斜"),
            ("<script>var a = '<p>x</p>';</script>看", "看"),
            ("<SCRIPT>x</SCRIPT>看", "看"),
            ("<script>x</script >看", "看"),
            ("<script/>x</script>看", "看"),
            ("<style>p{}</style>看<noscript><p>無</p></noscript>", "看"),
            ("<template><p>a<template>b</template>c</p></template>看", "看"),
            ("<!-- <p>藏</p> -->看", "看"),
            ("<script>never closed <p>x", ""),
            ("<title>標題</title><body>內文", "標題\n內文"),
            ("<title><b>不是標籤</b></title>", "<b>不是標籤</b>"),
            ("1&nbsp;280&#20803;&lt;b&gt;&amp;&unknown;", "1 280元<b>&&unknown;"),
            ("<table><tr><td>甲<td>1<tr><td>乙<td>2</table>", "甲 1\n乙 2"),
            ("<ul><li>a<li>b</ul>", "a\nb"),
            ("<a href='x>y'>連結</a>", "連結"),
            ("<p", ""),
            ("a < b", "a < b"),
            ("<del>原價2,560</del>", "原價2,560"),
            ("\u{3000}全形\u{3000}空格\u{3000}", "全形 空格"),
            ("a\0b", "ab"),
            ("<![CDATA[x]]>看", "看"),
        ] {
            assert_eq!(text_of(page).as_deref(), Some(text), "{page}");
        }
    }

    #[test]
    fn pages_past_the_limit_are_not_read() {
        assert_eq!(text_of(&"x".repeat(LARGEST_PAGE)).map(|text| text.len()), Some(LARGEST_PAGE));
        assert_eq!(text_of(&"x".repeat(LARGEST_PAGE + 1)), None);
    }

    #[test]
    fn hostile_pages_take_linear_time() {
        let attributes: String = (0..200_000).map(|number| format!(" a{number}")).collect();
        let started = Instant::now();
        for (page, text) in [
            ("<div>".repeat(400_000) + "深", "深"),
            ("<div><p>".repeat(200_000) + "深", "深"),
            (format!("<a{attributes}>長"), "長"),
            ("<template>".repeat(200_000), ""),
            ("</".repeat(1_000_000), ""),
            ("<!--".repeat(500_000), ""),
        ] {
            assert_eq!(text_of(&page).as_deref(), Some(text), "{}", &page[..20]);
        }
        assert!(started.elapsed() < Duration::from_secs(60), "{:?}", started.elapsed());
    }

    proptest! {
        #[test]
        fn never_panics(page in "[<>/!a-z&;#0-9\"'= \\-一]{0,200}", any_text in any::<String>()) {
            assert!(text_of(&page).is_some());
            assert!(text_of(&any_text).is_some());
        }
    }
}
