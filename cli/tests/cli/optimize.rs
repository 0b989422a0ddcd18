//! `tithe optimize`.

use std::process::Command;

use insta::assert_snapshot;
use tithe_testkit::python_or_skip;

use crate::optimize_kill::place_with_numbers;
use crate::support::{Place, Ran};

fn optimize(place: &Place, options: &[&str]) -> Ran {
    let usual = ["optimize", "--lake", "lake", "--grace", "0s", "--row-group-rows", "500"];
    place.run(usual.iter().chain(options))
}

fn stdout(ran: &Ran) -> &str {
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    ran.stdout()
}

#[test]
fn it_says_what_it_did_and_what_that_saves() {
    let place = place_with_numbers(1, 4000);
    place.write("asked.sql", "SELECT count(*) FROM s.t WHERE m = 17;\nSELECT sum(n) FROM s.t WHERE n < 10");
    let options = ["s.t", "--from-queries", "asked.sql", "--measure"];
    let tried = optimize(&place, &[&options[..], &["--dry-run"]].concat());
    let told = stdout(&tried);
    assert!(
        told.starts_with(
            "s.t: sorted by n, m; what conditions on them leave out, over all queries: n 1.00, m 0.99\n"
        ),
        "{told}"
    );
    assert!(told.contains("\n1 partition would be written, nothing was kept\n"), "{told}");
    let done = optimize(&place, &options);
    let told = stdout(&done);
    assert!(told.contains("\n1 partition written, 0 lay so before\n"), "{told}");
    let line = |begins: &str| {
        let found =
            told.lines().find(|line| line.starts_with(begins)).unwrap_or_else(|| panic!("{begins}: {told}"));
        found.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(line("| before ")[1..3], ["3", "3"]);
    assert_eq!(line("| after ")[1..3], ["1", "8"]);
    assert_eq!(line("| n ").len(), 6);
    let of_n = line("| SELECT sum(n) ");
    assert_eq!(of_n[2..4], ["3 of 3", "1 of 8"]);
    assert!(of_n[4].parse::<f64>().is_ok() && of_n[5].parse::<f64>().is_ok(), "{of_n:?}");
    let again = optimize(&place, &["s.t", "--from-queries", "asked.sql"]);
    assert!(stdout(&again).contains("\nnothing to do: its 1 partition lie so already"), "{}", again.stdout());
    assert!(again.stdout().contains(" 1 of 8 |"), "{}", again.stdout());
}

#[test]
fn what_it_cannot_do_is_said_in_one_sentence() {
    let place = place_with_numbers(1, 30);
    place.write("asked.sql", "SELECT 1");
    place.write("empty.sql", "-- nothing\n");
    place.write("raw.txt", "");
    let check = |options: &[&str], code: i32| optimize(&place, options).failure(code);
    assert_snapshot!(check(&["t"], 2), @r#"error: "t" is not a table: write SCHEMA.TABLE, such as tax.taxpayer"#);
    assert_snapshot!(check(&["s.tt"], 2), @"error: table s.tt does not exist; did you mean s.t?");
    assert_snapshot!(check(&["s.t", "--sort-by", "nn"], 2), @"error: column nn does not exist; s.t has n, m, text, rate, day");
    assert_snapshot!(check(&["s.t", "--from-queries", "asked.sql"], 2), @"error: the observed queries: none of them is a query on s.t: name those that are asked of it");
    assert_snapshot!(check(&["s.t", "--from-queries", "empty.sql"], 2), @"error: empty.sql: it holds no statement: write the queries that are asked of the table");
    assert_snapshot!(check(&["s.t", "--from-queries", "absent.sql"], 2), @"error: absent.sql: No such file or directory (os error 2)");
    assert_snapshot!(check(&["s.t", "--from-audit", "lake"], 2), @"error: the audit directory lake: it holds no records: name the directory that --audit wrote to");
    assert_snapshot!(check(&["s.t", "--measure"], 2), @"error: --measure needs queries to run: give them with --from-queries");
    assert_eq!(optimize(&place, &["s.t", "--sort-by", "n", "--z-order", "n,m"]).code, Some(2));
    place.write("policy.json", r#"{"tables": [{"user": "lin", "privileges": ["SELECT"]}]}"#);
    assert_snapshot!(check(&["s.t", "--policy", "policy.json"], 2), @"error: under a policy a table is laid out by somebody: say --as USER, who needs OWNERSHIP of it, or INSERT and DELETE on it");
    assert_snapshot!(check(&["s.t", "--policy", "policy.json", "--as", "lin"], 4), @"error: laying out s.t is not allowed: the policy does not grant you OWNERSHIP of it, or INSERT and DELETE on it");
}

#[test]
fn other_readers_of_parquet_read_what_was_laid_out() {
    let Some(python) = python_or_skip("other_readers_of_parquet_read_what_was_laid_out") else { return };
    let place = place_with_numbers(3, 2000);
    for options in [&["--sort-by", "text,n"][..], &["--z-order", "n,m", "--bloom-filter", "n,text"]] {
        stdout(&optimize(&place, &[&["s.t"], options].concat()));
        let script = "
import duckdb, pyarrow.dataset as ds, pyarrow.compute as pc
table = ds.dataset('lake/s/t', format='parquet', partitioning='hive').to_table()
assert [str(f.type) for f in table.schema][:5] == ['int64', 'int64', 'string', 'double', 'date32[day]'], table.schema
print(table.num_rows, pc.sum(table['n']), pc.count_distinct(table['text']), table['text'].null_count)
print(*duckdb.sql(\"select count(*), sum(n), count(distinct text), count(*) - count(text) from read_parquet('lake/s/t/*/*.parquet')\").fetchall()[0])
print(*duckdb.sql(\"select count(*) from read_parquet('lake/s/t/*/*.parquet') where n = 1234\").fetchall()[0])
";
        let output =
            Command::new(&python).args(["-c", script]).current_dir(place.folder()).output().expect("Python");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let told = String::from_utf8(output.stdout).expect("text");
        let lines: Vec<&str> = told.lines().collect();
        assert_eq!((lines[0], lines[2]), (lines[1], "1"), "{told}");
        assert!(lines[0].starts_with("6000 17997000 "), "{told}");
    }
}
