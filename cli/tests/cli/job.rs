//! Batch jobs: what they refuse, what they leave, and how they end.

use std::fs;

use crate::job_support::{WORK, job, noted, output, place_with_entries};
use crate::support::Place;

const RUN: [&str; 5] = ["job", "run", "job.toml", "--lake", "lake"];

fn sql(place: &Place, sql: &str) -> String {
    place.run(["sql", "--lake", "lake", "--format", "csv", "-c", sql]).result()
}

#[test]
fn bad_job_files_are_told_in_one_sentence() {
    let place = place_with_entries(3);
    let good = job(WORK, "append", "");
    let check = |text: &str, expected: &str| {
        place.write("job.toml", text);
        let message = place.run(RUN).failure(2);
        assert!(message.contains(expected), "{text}\n{message}");
        assert_eq!(message.lines().count(), 1, "{message}");
    };
    check("sql = ", "job.toml: line 1: ");
    check(&format!("outptu = 1\n{good}"), "job.toml: unknown key outptu; did you mean output?");
    check(&good.replace("mode =", "moode ="), "unknown key output.moode; did you mean mode?");
    check(&good.replace("column =", "colunm ="), "unknown key partition.colunm; did you mean column?");
    check(&format!("{good}[limits]\nmemroy = \"1G\""), "unknown key limits.memroy; did you mean memory?");
    check(
        &good.replace("\"append\"", "\"apend\""),
        "output.mode: \"apend\" is no mode; did you mean append?",
    );
    check(&good.replace("out.result", "result"), "output.table: \"result\" is no table: write schema.table");
    check(&good.replace("out.result", "out._result"), "\"_result\" names no folder of a lake");
    check(&good.replace("out.result", "sales.entry"), "it reads the table sales.entry that it writes");
    check(
        &good.replace("10ms", "soon"),
        "run.backoff: \"soon\" is no span of time: write 500ms, 30s, 10m or 2h",
    );
    check(&format!("library = \"x\"\n{good}"), "give exactly one of sql, file and library");
    check(
        &good.replace("= $k", "= $group"),
        "its query asks for $group, which has no value; give it under [parameters]",
    );
    check(&format!("{good}[parameters]\nyear = 1"), "its query has no place $year for parameters.year");
    check(&good.replace("\"k\"", "\"kk\""), "column kk does not exist");
    check(
        &good.replace("sales.entry\"\ncol", "sales.entri\"\ncol"),
        "table sales.entri does not exist; did you mean sales.entry?",
    );
    check(&format!("name = \"a/b\"\n{good}"), "\"a/b\" cannot be a job's name");
    check(
        &good.replace(
            "table = \"sales.entry\"\ncolumn = \"k\"",
            "query = \"SELECT n % 3 AS k FROM sales.entry\"",
        ),
        "the partition k=0 comes twice: take DISTINCT values",
    );
    check(
        &good.replace(
            "table = \"sales.entry\"\ncolumn = \"k\"",
            "query = \"SELECT nullif(n, 1) AS k FROM sales.entry\"",
        ),
        "a partition's value of k is NULL, and no condition finds NULL",
    );
    check(
        "library = \"vat/circular_tradng\"\n[output]\ntable = \"a.b\"\nmode = \"append\"",
        "(nearest: vat/circular_trading",
    );
    assert!(!place.path("lake/out").exists(), "nothing was begun");
    let missing = place.run(["job", "run", "absent.toml", "--lake", "lake"]).failure(2);
    assert!(missing.contains("absent.toml: No such file"), "{missing}");
}

#[test]
fn the_output_is_a_table_like_any_other() {
    let place = place_with_entries(4);
    place.write("job.toml", job(WORK, "append", ""));
    let ran = place.run(RUN);
    assert_eq!((ran.code, ran.stdout()), (Some(0), ""), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("4 of 4 partitions are there: 4 written now with 12 rows, 0 before"),
        "{}",
        ran.stderr
    );
    assert_eq!(
        sql(&place, "SELECT count(*) AS n, sum(n) AS s, min(k) AS k FROM out.result"),
        "n,s,k\n12,66,0\n"
    );
    assert_eq!(output(&place).into_keys().next().as_deref(), Some("/k=0/job.parquet"));
    let text = place.read("lake/out/result/_jobs/job/manifest.json");
    let manifest: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(manifest["outcome"], "done");
    let plan = &manifest["plan"];
    assert_eq!(plan["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(plan["inputs"]["sales.entry"][0]["path"], "sales/entry/a.parquet");
    assert!(plan["inputs"]["sales.entry"][0]["size"].as_u64().is_some_and(|size| size > 0));
    assert!(plan["sql"].as_str().is_some_and(|sql| sql.contains("WHERE k = $1")));
    assert_eq!(manifest["done"][0]["file"]["rows"], 3);
    assert_eq!(manifest["done"][0]["file"]["sha256"].as_str().map(str::len), Some(64));
    let list = place.run(["job", "list", "--lake", "lake"]).result();
    assert!(list.contains("| job | out.result | done  |    4 |  4 |"), "{list}");
    // A job beside it puts its files beside those that are there; one that would replace them is refused.
    place.write("more.toml", job(WORK, "append", ""));
    assert_eq!(place.run(["job", "run", "more.toml", "--lake", "lake"]).code, Some(0));
    assert_eq!(sql(&place, "SELECT count(*) AS n FROM out.result"), "n\n24\n");
    place.write("third.toml", job(WORK, "overwrite-partition", ""));
    let refused = place.run(["job", "run", "third.toml", "--lake", "lake"]).failure(2);
    assert!(
        refused.contains("the partition k=0 has 2 files, and only one can be replaced in one step"),
        "{refused}"
    );
}

#[test]
fn what_is_in_the_way_is_told_before_anything_is_written() {
    let place = place_with_entries(2);
    place.write("job.toml", job(WORK, "append", ""));
    let run = |expected: &str| {
        let message = place.run(RUN).failure(2);
        assert!(message.contains(expected), "{message}");
    };
    fs::create_dir_all(place.path("lake/out/result/k=1")).expect("a folder");
    fs::copy(place.path("lake/sales/entry/a.parquet"), place.path("lake/out/result/k=1/job.parquet"))
        .expect("a copy");
    run("the file ");
    fs::rename(place.path("lake/out/result/k=1"), place.path("lake/out/result/year=1")).expect("a move");
    run("its files are partitioned by year, and the job's would be by k: partition alike");
    fs::remove_dir_all(place.path("lake/out")).expect("removed");
    place.write("lake/out/result/a.jsonl", "{\"n\": 1}\n");
    run("it holds files of another format than Parquet: name another table");
    fs::remove_dir_all(place.path("lake/out")).expect("removed");
    place.run(["sql", "-o", "text.parquet", "-c", "SELECT 'x' AS n"]).result();
    fs::create_dir_all(place.path("lake/out/result/k=1")).expect("a folder");
    fs::copy(place.path("text.parquet"), place.path("lake/out/result/k=1/x.parquet")).expect("a copy");
    run("column n is Utf8View in the files that are there and Int64 in the job's answer");
    // Under this mode the one file of a partition is replaced under its own name.
    place.write(
        "job.toml",
        job(&WORK.replace("SELECT n,", "SELECT CAST(n AS VARCHAR) AS n,"), "overwrite-partition", ""),
    );
    assert_eq!(place.run(RUN).code, Some(0));
    assert_eq!(output(&place).into_keys().collect::<Vec<_>>(), ["/k=0/job.parquet", "/k=1/x.parquet"]);
    assert_eq!(sql(&place, "SELECT count(*) AS n FROM out.result"), "n\n6\n");
}

#[test]
fn a_partition_that_fails_is_tried_again_and_the_others_are_done() {
    let place = place_with_entries(6);
    let text = job(
        "SELECT n, CAST(v AS BIGINT) AS v, arrow_cast(v, 'Utf8') AS t FROM sales.entry WHERE k = $k",
        "append",
        "attempts = 3",
    );
    place.write("job.toml", &text);
    for (tried, before) in [(5, 0), (0, 5)] {
        let ran = place.run(RUN);
        assert_eq!((ran.code, ran.stdout()), (Some(1), ""));
        let lines: Vec<&str> = ran.stderr.lines().collect();
        assert_eq!(
            lines.iter().filter(|line| line.ends_with("; it is tried again")).count(),
            2,
            "{}",
            ran.stderr
        );
        assert!(lines.iter().all(|line| !line.contains("k=0") && !line.contains("k=5")), "{}", ran.stderr);
        assert!(
            ran.stderr.contains(&format!("5 of 6 partitions are there: {tried} written now with ")),
            "{}",
            ran.stderr
        );
        assert!(
            ran.stderr.contains(&format!(
                "rows, {before} before\nerror: 1 of 6 partitions failed; run the job again"
            ))
        );
        assert!(ran.stderr.contains("\nk=3: "), "{}", ran.stderr);
    }
    let status = place.run(["job", "status", "job.toml", "--lake", "lake"]).result();
    assert!(status.contains("| state         | failed") && status.contains("failed k=3"), "{status}");
    assert_eq!(noted(&place, "job").len(), 5);
}

#[test]
fn limits_end_an_attempt_and_are_no_part_of_what_the_job_is() {
    let place = place_with_entries(3);
    place.write("job.toml", job(WORK, "append", "attempts = 2\n[limits]\ntime = \"1ms\""));
    let message = place.run(RUN);
    assert_eq!(message.code, Some(5), "{}", message.stderr);
    assert!(
        message.stderr.contains("an attempt took longer than limits.time, 1ms: raise it"),
        "{}",
        message.stderr
    );
    place.write("job.toml", job(WORK, "append", "[limits]\ntime = \"10m\"\nmemory = \"1G\""));
    assert_eq!(place.run(RUN).code, Some(0));
    assert_eq!(output(&place).len(), 3);
}

#[test]
fn a_changed_input_is_noticed() {
    let place = place_with_entries(2);
    place.write("job.toml", job(WORK, "append", ""));
    assert_eq!(place.run(RUN).code, Some(0));
    fs::copy(place.path("lake/sales/entry/a.parquet"), place.path("lake/sales/entry/b.parquet"))
        .expect("a copy");
    let refused = place.run(RUN).failure(2);
    assert!(
        refused.contains(
            "the files of sales.entry have changed (1 added, 0 removed, 0 rewritten) since it was begun"
        ),
        "{refused}"
    );
    let verify = place.run(["job", "verify", "job.toml", "--lake", "lake"]);
    assert_eq!(verify.code, Some(1));
    assert!(
        verify.stderr.contains("2 of 2 partitions differ: the files of sales.entry have changed")
            && verify.stderr.contains("k=1: 0 of its 3 rows do not come out now, and 3 others do"),
        "{}",
        verify.stderr
    );
    assert_eq!(place.run(RUN.iter().copied().chain(["--restart"])).code, Some(0));
    assert_eq!(sql(&place, "SELECT count(*) AS n FROM out.result"), "n\n12\n");
}

#[test]
fn verify_compares_every_bit() {
    let place = place_with_entries(9);
    place.write("job.toml", job(WORK, "append", ""));
    let verify =
        |further: &[&str]| place.run(["job", "verify", "job.toml", "--lake", "lake"].iter().chain(further));
    assert_eq!(verify(&[]).failure(2), "error: job job: nothing of it is there to verify: run it first");
    assert_eq!(place.run(RUN).code, Some(0));
    let all = verify(&[]);
    assert_eq!(all.code, Some(0), "{}", all.stderr);
    assert!(
        all.stderr.ends_with("9 partitions with 27 rows come out as they are stored, bit for bit\n"),
        "{}",
        all.stderr
    );
    let some = verify(&["--sample", "4", "--seed", "3"]);
    assert!(
        some.stderr.ends_with("4 partitions with 12 rows come out as they are stored, bit for bit\n"),
        "{}",
        some.stderr
    );
    let (one, other) =
        (place.path("lake/out/result/k=1/job.parquet"), place.path("lake/out/result/k=2/job.parquet"));
    fs::copy(other, one).expect("a copy");
    let changed = verify(&[]);
    assert_eq!(changed.code, Some(1));
    assert!(
        changed.stderr.contains(
            "1 of 9 partitions differ: its input and version are the same, so the files were changed"
        ) && changed
            .stderr
            .contains("k=1: the file out/result/k=1/job.parquet is not the one that the job wrote"),
        "{}",
        changed.stderr
    );
    // A file that is gone is written again.
    fs::remove_file(place.path("lake/out/result/k=4/job.parquet")).expect("removed");
    let again = place.run(RUN);
    assert!(again.stderr.contains("1 written now with 3 rows, 8 before"), "{}", again.stderr);
}

#[test]
fn groups_of_files_and_values_of_any_kind() {
    let place = place_with_entries(4);
    for name in ["b", "c"] {
        let to = place.path(&format!("lake/sales/entry/{name}.parquet"));
        fs::copy(place.path("lake/sales/entry/a.parquet"), to).expect("a copy");
    }
    place.write(
        "job.toml",
        "sql = \"SELECT k, count(*) AS n FROM sales.entry GROUP BY k\"\n[partition]\ntable = \"sales.entry\"\nfiles = 2\n\
         [output]\ntable = \"out.result\"\nmode = \"append\"",
    );
    let ran = place.run(RUN);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(
        sql(&place, "SELECT file_group, sum(n) AS n FROM out.result GROUP BY 1 ORDER BY 1"),
        "file_group,n\n0,12\n1,24\n"
    );
    fs::remove_dir_all(place.path("lake/out")).expect("removed");
    // The query does not ask for the values: it is narrowed to them from outside.
    place.write(
        "job.toml",
        "sql = \"SELECT * FROM (VALUES ('a/b', DATE '2025-01-02', 1), ('臺''北 %', DATE '2025-01-03', 2)) AS t (place, day, n)\"\n\
         [partition]\nquery = \"SELECT * FROM (VALUES ('a/b', DATE '2025-01-02'), ('臺''北 %', DATE '2025-01-03')) AS t (place, day)\"\n\
         [output]\ntable = \"out.result\"\nmode = \"append\"",
    );
    let ran = place.run(RUN);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(
        sql(&place, "SELECT place, day, n FROM out.result ORDER BY n"),
        "place,day,n\na/b,2025-01-02,1\n臺'北 %,2025-01-03,2\n"
    );
    // Values are values: what looks like SQL stays text.
    fs::remove_dir_all(place.path("lake/out")).expect("removed");
    place.write(
        "job.toml",
        "sql = \"SELECT $x AS kept, count(*) AS n FROM sales.entry\"\n[partition]\nquery = \"SELECT $$x' OR 1=1 --$$ AS x\"\n\
         [output]\ntable = \"out.result\"\nmode = \"append\"",
    );
    let ran = place.run(RUN);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(sql(&place, "SELECT kept = x AS same, n FROM out.result"), "same,n\ntrue,36\n");
}

#[test]
fn under_a_policy_a_job_is_somebodys() {
    let place = place_with_entries(4);
    place.write("job.toml", job("SELECT n FROM sales.entry WHERE k = $k", "append", ""));
    place.write(
        "policy.json",
        r#"{"tables": [
            {"schema": "sales", "privileges": ["SELECT"], "filter": "n >= 4"},
            {"user": "lin", "schema": "out", "privileges": ["SELECT", "INSERT"]},
            {"schema": "out", "privileges": ["SELECT"]}
        ]}"#,
    );
    let run =
        |further: &[&str]| place.run(RUN.iter().chain(["--policy", "policy.json"].iter()).chain(further));
    let nobody = run(&[]).failure(2);
    assert!(nobody.contains("under a policy a job runs as somebody: say --as USER"), "{nobody}");
    let chen = run(&["--as", "chen"]).failure(4);
    assert!(
        chen.contains("writing out.result") && chen.contains("does not grant INSERT on it to chen"),
        "{chen}"
    );
    let lin = run(&["--as", "lin"]);
    assert_eq!(lin.code, Some(0), "{}", lin.stderr);
    assert_eq!(sql(&place, "SELECT count(*) AS n, min(n) AS least FROM out.result"), "n,least\n8,4\n");
    let text = place.read("lake/out/result/_jobs/job/manifest.json");
    assert!(text.contains("\"principal\": \"lin\""), "{text}");
}

#[test]
fn the_examples_run_on_the_sample() {
    let place = Place::new();
    let lake = place.path("lake");
    // Tests must not write into the shared sample: a lake of links to its tables has a schema of its own.
    fs::create_dir_all(&lake).expect("a folder");
    for entry in fs::read_dir(tithe_testkit::sample_lake()).expect("the sample") {
        let entry = entry.expect("a schema");
        std::os::unix::fs::symlink(entry.path(), lake.join(entry.file_name())).expect("a link");
    }
    let jobs = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/jobs");
    for (file, table) in [("forecast.toml", "revenue_forecast"), ("creators.toml", "creator_income")] {
        let file = jobs.join(file).display().to_string();
        let text = fs::read_to_string(&file).expect("an example");
        // A part of it is enough here: docs/jobs.md runs all of it.
        let text = text
            .replace("FROM tax.revenue_monthly\"", "FROM tax.revenue_monthly ORDER BY 1, 2 LIMIT 4\"")
            .replace("FROM third_party.channel_raw\"", "FROM third_party.channel_raw ORDER BY 1 LIMIT 2\"");
        place.write("example.toml", &text);
        let ran = place.run(["job", "run", "example.toml", "--lake", "lake"]);
        assert_eq!(ran.code, Some(0), "{file}: {}", ran.stderr);
        let rows = sql(&place, &format!("SELECT count(*) > 0 AS some FROM analysis.{table}"));
        assert_eq!(rows, "some\ntrue\n", "{file}");
    }
}
