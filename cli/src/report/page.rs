//! The report as one HTML page that needs nothing else.

use std::fmt::Write;

use crate::report::rows::Rows;
use crate::report::section::Section;

const STYLE: &str = include_str!("page.css");

/// The page. `made_from` says which data it shows.
pub(crate) fn page(sections: &[Section], made_from: &str) -> String {
    let mut body = String::new();
    let mut contents = String::new();
    for (index, section) in sections.iter().enumerate() {
        let title = escape(section.title);
        // Writing to a String cannot fail.
        let _infallible = writeln!(contents, "<li><a href=\"#s{index}\">{title}</a></li>");
        let _infallible = writeln!(
            body,
            "<section id=\"s{index}\">\n<h2>{title}</h2>\n<p class=\"question\">{}</p>\n<p class=\"lead\">{}</p>",
            escape(&section.question),
            escape(&section.lead)
        );
        if !section.figures.is_empty() {
            body.push_str("<div class=\"figures\">\n");
        }
        for figure in &section.figures {
            let caption = escape(&figure.caption);
            let _infallible = writeln!(
                body,
                "<figure>\n<figcaption>{caption}</figcaption>\n<div role=\"img\" aria-label=\"{caption}\">\n{}</div>\n\
                 <details><summary>The figures as a table</summary>\n{}</details>\n</figure>",
                figure.svg,
                table(&figure.rows, &caption)
            );
        }
        if !section.figures.is_empty() {
            body.push_str("</div>\n");
        }
        if !section.rows.rows.is_empty() {
            body.push_str(&table(&section.rows, &title));
        }
        if !section.caution.is_empty() {
            let _infallible = writeln!(body, "<p class=\"caution\">{}</p>", escape(&section.caution));
        }
        let _infallible =
            writeln!(body, "<p>All rows: <code>{}</code></p>\n</section>", escape(&section.command));
    }
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>Tithe: report</title>\n\
         <style>\n{STYLE}</style>\n</head>\n<body>\n<header>\n<h1>Revenue ahead, and cases to look at</h1>\n\
         <p>{}</p>\n</header>\n<nav aria-label=\"Contents\"><ol>\n{contents}</ol></nav>\n<main>\n{body}</main>\n\
         <footer><p>Made by <code>tithe demo</code>. This page needs no network.</p></footer>\n</body>\n</html>\n",
        escape(made_from)
    )
}

fn table(rows: &Rows, caption: &str) -> String {
    let class = |right: bool| if right { " class=\"number\"" } else { "" };
    let mut html = format!(
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{caption}\">\n<table>\n\
         <caption>{caption}</caption>\n<thead><tr>"
    );
    for header in &rows.headers {
        let _infallible =
            write!(html, "<th scope=\"col\"{}>{}</th>", class(header.right), escape(&header.text));
    }
    html.push_str("</tr></thead>\n<tbody>\n");
    for row in &rows.rows {
        html.push_str("<tr>");
        for (cell, header) in row.iter().zip(&rows.headers) {
            let _infallible = write!(html, "<td{}>{}</td>", class(header.right), escape(cell));
        }
        html.push_str("</tr>\n");
    }
    html.push_str("</tbody>\n</table>\n</div>\n");
    html
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::section::Figure;

    #[test]
    fn the_page_stands_alone_and_trusts_no_text() {
        let hostile = "<script>alert('合作')</script>";
        let rows = Rows::new(["creator", ">NT$"], [vec![hostile.to_owned(), "1,000".to_owned()]]);
        let section = Section {
            title: "Creators",
            question: hostile.to_owned(),
            lead: hostile.to_owned(),
            caution: hostile.to_owned(),
            figures: vec![Figure {
                caption: "\" onload=\"x".to_owned(),
                svg: "<svg></svg>".to_owned(),
                rows: rows.clone(),
            }],
            terminal_chart: None,
            rows,
            command: "tithe query run a/b".to_owned(),
        };
        let page = page(&[section], hostile);
        assert!(!page.contains("<script") && !page.contains("\" onload"), "{page}");
        assert_eq!(page.matches("合作").count(), 6, "{page}");
        assert!(!page.contains("http://") && !page.contains("https://"), "{page}");
    }
}
