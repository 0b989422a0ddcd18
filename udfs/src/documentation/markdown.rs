use std::fmt::Write;

use super::{FunctionDoc, SECTIONS};
use crate::registry::FunctionEntry;

/// The function reference as Markdown, by section in the order of [`SECTIONS`].
#[must_use]
pub fn render_markdown(functions: &[FunctionEntry]) -> String {
    let mut page = String::from(
        "# SQL functions\n\n\
         Everything of DataFusion's SQL is there too; these are the functions Tithe adds. `tithe functions NAME` prints \
         one of them.\n\n\
         <!-- Written from the code: TITHE_UPDATE_DOCS=1 cargo test --workspace --test functions documentation -->\n",
    );
    for section in SECTIONS {
        let members: Vec<&FunctionDoc> =
            functions.iter().map(|entry| entry.doc).filter(|doc| doc.section == section).collect();
        if members.is_empty() {
            continue;
        }
        page.push_str(&format!("\n## {section}\n\n| function | |\n|---|---|\n"));
        for doc in &members {
            page.push_str(&format!("| [`{0}`](#{0}) | {1} |\n", doc.name, cell(doc.summary)));
        }
        for doc in members {
            page.push_str(&render_function(doc));
        }
    }
    page
}

fn render_function(doc: &FunctionDoc) -> String {
    let mut text = String::new();
    // Writing into a String cannot fail.
    let _ = write_function(&mut text, doc);
    text
}

fn write_function(text: &mut String, doc: &FunctionDoc) -> std::fmt::Result {
    writeln!(
        text,
        "\n### {}\n\n{}\n\n```sql\n{}\n```\n\n{}\n",
        doc.name, doc.summary, doc.syntax, doc.description
    )?;
    writeln!(text, "| argument | type | meaning |\n|---|---|---|")?;
    for argument in doc.arguments {
        writeln!(
            text,
            "| `{}` | {} | {} |",
            argument.name,
            cell(argument.sql_type),
            cell(argument.description)
        )?;
    }
    writeln!(text, "\n- **Returns**: {}", doc.returns)?;
    writeln!(text, "- **NULL**: {}", doc.nulls)?;
    writeln!(text, "- **Errors**: {}", doc.errors)?;
    writeln!(text, "- **Source**: {}", doc.source)?;
    for example in doc.examples {
        writeln!(text, "\n```sql\n{}\n```\n\n```text\n{}\n```", example.sql.trim(), example.result.trim())?;
    }
    Ok(())
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::cell;

    #[test]
    fn cells_stay_cells() {
        assert_eq!(cell("'old'|'new'\nrule"), "'old'\\|'new' rule");
    }
}
