//! The registry is complete: every function says everything of itself, its examples are true, it has SQL tests, and
//! the function reference is the one rendered from the code.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use arrow::util::pretty::pretty_format_batches;
use tithe_udfs::documentation::{SECTIONS, render_markdown};
use tithe_udfs::{FunctionEntry, FunctionKind, Implementation, functions};

use crate::session::{ask, session};

fn in_crate(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn names() -> BTreeSet<String> {
    functions().iter().map(|entry| entry.doc.name.to_owned()).collect()
}

#[test]
fn every_function_says_everything() {
    let all = functions();
    assert!(!all.is_empty());
    assert_eq!(names().len(), all.len(), "two functions share a name");
    for FunctionEntry { doc, implementation } in &all {
        let name = doc.name;
        for (field, text) in [
            ("summary", doc.summary),
            ("description", doc.description),
            ("syntax", doc.syntax),
            ("returns", doc.returns),
            ("nulls", doc.nulls),
            ("errors", doc.errors),
            ("source", doc.source),
        ] {
            assert!(!text.trim().is_empty(), "{name}: {field} is empty");
        }
        assert!(SECTIONS.contains(&doc.section), "{name}: no section {}", doc.section);
        assert!(doc.syntax.contains(&format!("{name}(")), "{name}: the syntax does not call it");
        assert!(!doc.arguments.is_empty(), "{name}: no argument is described");
        for argument in doc.arguments {
            assert!(
                !argument.name.is_empty()
                    && !argument.sql_type.is_empty()
                    && !argument.description.is_empty(),
                "{name}: the argument `{}` is not described",
                argument.name
            );
            assert!(
                doc.syntax.contains(argument.name),
                "{name}: the syntax lacks the argument {}",
                argument.name
            );
        }
        assert!(!doc.examples.is_empty(), "{name}: no example");
        let (registered, kind) = match implementation {
            Implementation::Scalar(function) => (function.name(), FunctionKind::Scalar),
            Implementation::Aggregate(function) => (function.name(), FunctionKind::Aggregate),
            Implementation::Relation(_) => (name, FunctionKind::Table),
        };
        assert_eq!((registered, kind), (name, doc.kind));
        let plain =
            name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
        assert!(plain, "{name}: not lower snake case");
    }
}

#[tokio::test]
async fn every_example_prints_its_result() {
    let session = session();
    let mut wrong = Vec::new();
    for entry in functions() {
        for example in entry.doc.examples {
            let printed = match ask(&session, example.sql).await {
                Ok(query) => query.collect().await,
                Err(error) => Err(error),
            };
            let printed = match printed {
                Ok(batches) => pretty_format_batches(&batches).expect("a table").to_string(),
                Err(error) => format!("error: {error}"),
            };
            if printed.trim() != example.result.trim() {
                wrong.push(format!("{}: {}\n{printed}", entry.doc.name, example.sql));
            }
        }
    }
    assert!(wrong.is_empty(), "examples that print something else:\n{}", wrong.join("\n\n"));
}

#[test]
fn every_function_has_sql_tests() {
    let files: BTreeSet<String> = std::fs::read_dir(in_crate("tests/slt"))
        .expect("the folder tests/slt")
        .map(|file| file.expect("a file").path())
        .map(|path| {
            assert_eq!(
                path.extension().and_then(|extension| extension.to_str()),
                Some("slt"),
                "{}",
                path.display()
            );
            path.file_stem().expect("a name").to_string_lossy().into_owned()
        })
        .collect();
    // A function of DataFusion's that ours takes the place of is documented there.
    let mut with_replaced = names();
    with_replaced.extend(["avg", "spread"].map(str::to_owned));
    assert_eq!(files, with_replaced, "tests/slt has one file a function, named after it");
}

#[test]
fn the_function_reference_is_up_to_date() {
    let path = in_crate("../docs/functions.md");
    let rendered = render_markdown(&functions());
    if std::env::var_os("TITHE_UPDATE_DOCS").is_some() {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("the folder docs");
        std::fs::write(&path, &rendered).expect("docs/functions.md can be written");
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == rendered,
        "docs/functions.md differs from the code; to write it again: \
         TITHE_UPDATE_DOCS=1 cargo test --workspace --test functions documentation"
    );
}

#[test]
fn the_function_reference_shows_every_function_once() {
    let rendered = render_markdown(&functions());
    for name in names() {
        assert_eq!(rendered.matches(&format!("\n### {name}\n")).count(), 1, "{name}");
    }
    let headings: Vec<&str> = rendered.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    let mut in_order = SECTIONS.to_vec();
    in_order.retain(|section| headings.contains(section));
    assert_eq!(headings, in_order);
}
