//! `tithe.toml`.

use insta::assert_snapshot;
use tempfile::TempDir;
use tithe_engine::{Configuration, ErrorKind};

#[test]
fn found_upwards_and_read() {
    let directory = TempDir::new().unwrap();
    let deep = directory.path().join("a/b");
    std::fs::create_dir_all(&deep).unwrap();
    assert_eq!(Configuration::discover(&deep).unwrap(), Configuration::default());
    std::fs::write(
        directory.path().join("tithe.toml"),
        "lake = \"lake\"\n[limits]\nmemory = \"1.GiB\"\n".replace("1.GiB", "2 GiB")
            + "target_partitions = 3\n[json]\nskip_bad_lines = true\n",
    )
    .unwrap();
    let found = Configuration::discover(&deep).unwrap();
    let expected = format!("{}/lake/", directory.path().display());
    assert_eq!(found.lake.as_ref().unwrap().to_string(), expected);
    let options = found.engine_options();
    assert_eq!(
        (options.memory_limit, options.target_partitions, options.skip_bad_lines),
        (Some(2 << 30), Some(3), true)
    );
    assert_eq!(options.lake, found.lake);
}

#[test]
fn mistakes_name_the_key() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("tithe.toml");
    let check = |text: &str| {
        std::fs::write(&path, text).unwrap();
        let error = Configuration::load(&path).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage);
        error.to_string().replace(&path.display().to_string(), "tithe.toml")
    };
    assert_snapshot!(check("lak = 'x'"), @"tithe.toml: unknown key lak; did you mean lake?");
    assert_snapshot!(check("[limits]\nmemroy = 1"), @"tithe.toml: unknown key limits.memroy; did you mean memory?");
    assert_snapshot!(check("[json]\nx = 1"), @"tithe.toml: unknown key json.x; known keys are skip_bad_lines");
    assert_snapshot!(check("[limits]\nmemory = '8 gigs'"), @r#"tithe.toml: limits.memory: "8 gigs" is no size: write bytes, or a number with a unit as in 8 GiB, 512 MB or 4G"#);
    assert_snapshot!(check("[limits]\nmemory = 1"), @r#"tithe.toml: limits.memory: "1" is less than 16 MiB, in which no query runs"#);
    assert_snapshot!(check("[limits]\ntarget_partitions = 0"), @"tithe.toml: limits.target_partitions is 0, take at least 1");
    assert_snapshot!(check("lake = 'hdfs://a/b'"), @r#"tithe.toml: lake: cannot use "hdfs://a/b" as a lake: hdfs:// cannot be read yet, copy the lake to a directory or an S3-compatible store"#);
    assert!(check("lake = ").contains("line 1"), "{}", check("lake = "));
    let missing = Configuration::load(&directory.path().join("none.toml")).unwrap_err().to_string();
    assert!(missing.contains("none.toml"), "{missing}");
}
