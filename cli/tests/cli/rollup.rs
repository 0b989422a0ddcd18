//! `tithe rollup`.

use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use insta::assert_snapshot;
use tithe_testkit::python_or_skip;

use crate::optimize_kill::place_with_numbers;
use crate::support::{Place, Ran, wait_until};

const BY_M: &str = "SELECT m, date_trunc('month', day), count(*), sum(n), avg(n) FROM s.t GROUP BY 1, 2";
const ASKED: &str = "SELECT date_trunc('year', day) AS y, sum(n), count(*), avg(n) FROM s.t WHERE m < 50 GROUP BY 1 ORDER BY 1";

fn rollup(place: &Place, options: &[&str]) -> Ran {
    place.run(["rollup"].iter().chain(options).chain(&["--lake", "lake"]))
}

fn done(ran: &Ran) -> &str {
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    ran.stdout()
}

fn sql(place: &Place, statements: &[&str]) -> String {
    let mut line = vec!["sql", "--lake", "lake", "--format", "csv"];
    for statement in statements {
        line.extend(["-c", statement]);
    }
    place.run(line).result()
}

#[test]
fn a_rollup_is_created_used_refreshed_listed_and_dropped() {
    let place = place_with_numbers(2, 3000);
    let before = sql(&place, &[ASKED]);
    assert_eq!(
        done(&rollup(&place, &["list"])).trim(),
        "there are no rollups: create one with `tithe rollup create`"
    );
    let created = rollup(&place, &["create", "by_m", BY_M]);
    let cells = |text: &str| {
        let line = text.lines().find(|line| line.contains(" by_m ")).unwrap_or_else(|| panic!("{text}"));
        line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(cells(done(&created))[..4], ["s.t", "by_m", "6", "0"]);
    assert_eq!(sql(&place, &[ASKED]), before);
    assert!(sql(&place, &[&format!("EXPLAIN {ASKED}")]).contains("s.t (rollup by_m)"));
    fs::copy(place.path("lake/s/t/k=0/1.parquet"), place.path("lake/s/t/k=0/9.parquet")).expect("a copy");
    let with_more = sql(&place, &[ASKED]);
    assert_ne!(with_more, before);
    assert_eq!(with_more, sql(&place, &["SET tithe.query.rollups = false", ASKED]));
    let listed = rollup(&place, &["list", "s.t"]);
    assert_eq!(cells(done(&listed))[6..], ["6", "1"]);
    assert!(
        listed.stdout().contains("| m, date_trunc('month', \"day\") | count(*), sum(n), "),
        "{}",
        listed.stdout()
    );
    assert_eq!(cells(done(&rollup(&place, &["refresh"])))[2..4], ["1", "6"]);
    assert_eq!(cells(done(&rollup(&place, &["refresh", "s.t", "by_m"])))[2..4], ["0", "7"]);
    assert_eq!(sql(&place, &[ASKED]), with_more);
    let laid_out = place.run(["optimize", "s.t", "--lake", "lake", "--sort-by", "n", "--grace", "0s"]);
    done(&laid_out);
    assert!(laid_out.stderr.contains("tithe rollup refresh s.t"), "{}", laid_out.stderr);
    assert_eq!(sql(&place, &[ASKED]), with_more);
    assert_eq!(cells(done(&rollup(&place, &["refresh"])))[2..4], ["2", "0"]);
    assert_snapshot!(done(&rollup(&place, &["drop", "s.t", "by_m"])).trim(), @"s.t: the rollup by_m is gone");
    assert!(!place.path("lake/s/t/_rollups/by_m").exists());
    assert_eq!(sql(&place, &[ASKED]), with_more);
}

#[test]
fn a_server_keeps_rollups_up_to_date() {
    let place = place_with_numbers(2, 300);
    done(&rollup(&place, &["create", "by_m", BY_M]));
    let listed = || {
        let listed = rollup(&place, &["list", "s.t"]);
        let line = done(&listed).lines().find(|line| line.contains(" by_m ")).expect("the rollup").to_owned();
        line.trim_matches(['|', ' ']).rsplit(" | ").next().map(|left| left.trim().to_owned())
    };
    let serve = ["serve", "--lake", "lake", "--listen", "127.0.0.1:0", "--refresh-rollups", "1"];
    let mut server = place.command(serve).stderr(Stdio::null()).spawn().expect("a server");
    for name in ["8", "9"] {
        fs::copy(place.path("lake/s/t/k=0/1.parquet"), place.path(&format!("lake/s/t/k=1/{name}.parquet")))
            .expect("a copy");
        wait_until("the rollup to count for the file", || listed().as_deref() == Some("0"));
    }
    server.kill().expect("a process");
    server.wait().expect("its end");
    let with_more = sql(&place, &[ASKED]);
    assert_eq!(with_more, sql(&place, &["SET tithe.query.rollups = false", ASKED]));

    place.write("policy.json", r#"{"tables": [{"user": "lin", "privileges": ["SELECT"]}]}"#);
    let ran = place.run(serve.iter().chain(&["--policy", "policy.json"]));
    assert_snapshot!(ran.failure(2), @"error: under a policy rollups are kept by somebody: say --refresh-as USER, who needs OWNERSHIP of their tables, or INSERT and DELETE on them");
}

#[test]
fn what_it_cannot_do_is_said_in_one_sentence() {
    let place = place_with_numbers(1, 30);
    done(&rollup(&place, &["create", "by_m", BY_M]));
    let check = |options: &[&str], code: i32| rollup(&place, options).failure(code);
    assert_snapshot!(check(&["create", "x", "SELECT nn, count(*) FROM s.t GROUP BY 1"], 2), @"error: column nn does not exist; there are n, m, text, rate, day, k");
    let wrong = check(&["create", "x", "SELECT m FROM s.t WHERE"], 2);
    assert!(wrong.starts_with("error: syntax error at line 1, column 24"), "{wrong}");
    assert_snapshot!(check(&["create", "by_m", BY_M], 2), @"error: table s.t cannot be written: it has a rollup by_m already: refresh or drop that one, or take another name");
    assert_snapshot!(check(&["create", "..", BY_M], 2), @r#"error: table s.t cannot be written: ".." names no rollup: take letters, digits, _ and -, and begin with a letter or digit"#);
    assert_snapshot!(check(&["create", "x", "SELECT sum(rate) FROM s.t"], 4), @r#"error: "sum(rate)" in a rollup is not allowed: a sum of floating-point numbers depends on the order in which they are added: keep money as DECIMAL or as whole numbers"#);
    assert_snapshot!(check(&["refresh", "s.t", "by_mm"], 2), @"error: rollup by_mm does not exist; did you mean by_m?");
    assert_snapshot!(check(&["refresh", "s.u"], 2), @"error: table s.u does not exist; did you mean s.t?");
    assert_snapshot!(check(&["drop", "t", "by_m"], 2), @r#"error: "t" is not a table: write SCHEMA.TABLE, such as tax.taxpayer"#);
    place.write("policy.json", r#"{"tables": [{"user": "lin", "privileges": ["SELECT"]}]}"#);
    assert_snapshot!(check(&["refresh", "--policy", "policy.json"], 2), @"error: under a policy rollups are kept by somebody: say --as USER, who needs OWNERSHIP of the table, or INSERT and DELETE on it");
    assert_snapshot!(check(&["refresh", "s.t", "--policy", "policy.json", "--as", "lin"], 4), @"error: listing rollups of s.t is not allowed: the policy does not grant you OWNERSHIP of it, or INSERT and DELETE on it");
    place.write("lake/s/t/_rollups/by_m/rollup.json", "{}");
    assert_snapshot!(check(&["refresh"], 1), @"error: the file s/t/_rollups/by_m/rollup.json cannot be read: it is no description of a rollup (missing field `version` at line 1 column 2); drop the rollup and create it again");
}

#[test]
fn killed_at_any_moment_it_answers_what_the_table_does_and_goes_on() {
    const PARTITIONS: i64 = 12;
    let place = place_with_numbers(PARTITIONS, 900);
    let expected = sql(&place, &["SET tithe.query.rollups = false", ASKED]);
    let mut killed = 0;
    for kill in 0..12_u64 {
        if kill % 4 == 0 && place.path("lake/s/t/_rollups/by_m").exists() {
            done(&rollup(&place, &["drop", "s.t", "by_m"]));
        }
        let verb: &[&str] = match place.path("lake/s/t/_rollups/by_m/rollup.json").exists() {
            true => &["refresh"],
            false => &["create", "by_m", BY_M],
        };
        let line: Vec<&str> = ["rollup"].iter().chain(verb).chain(&["--lake", "lake"]).copied().collect();
        let mut child = place.start(line);
        std::thread::sleep(Duration::from_millis(40 + 37 * (kill % 11)));
        killed += usize::from(child.try_wait().expect("a process").is_none());
        child.kill().expect("a process");
        child.wait().expect("a process");
        assert_eq!(sql(&place, &[ASKED]), expected, "after kill {kill}");
    }
    assert!(killed > 0);
    if !place.path("lake/s/t/_rollups/by_m/rollup.json").exists() {
        done(&rollup(&place, &["create", "by_m", BY_M]));
    }
    done(&rollup(&place, &["refresh"]));
    assert_eq!(sql(&place, &[ASKED]), expected);
    assert!(sql(&place, &[&format!("EXPLAIN {ASKED}")]).contains("(rollup by_m)"));
    assert!(
        rollup(&place, &["list"]).stdout().contains(" 36 |            0 |"),
        "{}",
        rollup(&place, &["list"]).stdout()
    );
}

#[test]
fn other_readers_of_the_lake_do_not_see_it() {
    let Some(python) = python_or_skip("other_readers_of_the_lake_do_not_see_it") else { return };
    let place = place_with_numbers(2, 300);
    done(&rollup(&place, &["create", "by_m", BY_M]));
    let script = "
import duckdb, glob, polars, pyarrow.dataset as ds
print(ds.dataset('lake/s/t', format='parquet', partitioning='hive').count_rows())
print(duckdb.sql(\"select count(*) from read_parquet('lake/s/t/**/*.parquet')\").fetchall()[0][0])
print(polars.scan_parquet('lake/s/t/**/*.parquet').select(polars.len()).collect().item())
segment = glob.glob('lake/s/t/_rollups/by_m/*.segment')[0]
print(duckdb.sql(f\"select sum(\\\"count(*)\\\") from read_parquet('{segment}')\").fetchall()[0][0])
";
    let output =
        Command::new(&python).args(["-c", script]).current_dir(place.folder()).output().expect("Python");
    let told = String::from_utf8_lossy(&output.stdout);
    assert_eq!(
        told.split_whitespace().collect::<Vec<_>>(),
        ["600", "600", "600", "300"],
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
