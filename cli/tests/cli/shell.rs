//! The shell, typed into on a terminal.

use std::process::Stdio;

use rexpect::reader::Options;
use rexpect::session::{PtySession, spawn_with_options};

use crate::support::Place;

/// The line editor turns this on when it begins to read a statement, and off when it has one.
const READING: &str = "\u{1b}[?2004h";
const ENTERED: &str = "\u{1b}[?2004l";

/// A shell on a terminal.
struct Shell {
    session: PtySession,
    place: Place,
}

impl Shell {
    #[track_caller]
    fn start(place: Place) -> Self {
        let mut command = place.command(["sql"]);
        command.stdin(Stdio::inherit());
        let options = Options::default().timeout_ms(Some(60_000));
        let session = spawn_with_options(command, options).expect("a terminal");
        let mut shell = Self { session, place };
        let greeting = shell.until(READING);
        assert!(greeting.contains("Help: \\?  Leave: \\q"), "{greeting}");
        shell
    }

    /// What is shown before `text` is.
    #[track_caller]
    fn until(&mut self, text: &str) -> String {
        // The terminal's bytes come as one character each.
        let bytes: String = text.bytes().map(char::from).collect();
        match self.session.exp_string(&bytes) {
            Ok(before) => {
                let bytes: Vec<u8> =
                    before.chars().filter_map(|byte| u8::try_from(u32::from(byte)).ok()).collect();
                String::from_utf8_lossy(&bytes).into_owned()
            }
            Err(error) => panic!("{text:?} was not shown: {error}"),
        }
    }

    fn keys(&mut self, keys: &str) {
        self.session.send(keys).expect("keys");
        self.session.flush().expect("keys");
    }

    /// What is shown after `line` is entered, until the shell reads again.
    #[track_caller]
    fn enter(&mut self, line: &str) -> String {
        self.keys(line);
        self.keys("\r");
        self.until(ENTERED);
        self.until(READING)
    }

    /// Drops what is typed, by Ctrl-C.
    #[track_caller]
    fn drop_line(&mut self) {
        self.keys("\u{3}");
        self.until(ENTERED);
        self.until(READING);
    }

    /// Leaves, and gives the folder back.
    #[track_caller]
    fn leave(mut self, keys: &str) -> Place {
        self.keys(keys);
        let status = self.session.process().wait().expect("the end of the shell");
        // The crate hands out this type, and not its name.
        let status = format!("{status:?}");
        assert!(status.starts_with("Exited(") && status.ends_with(", 0)"), "{status}");
        self.place
    }
}

#[test]
fn statements_commands_and_errors() {
    let mut shell = Shell::start(Place::with_sample());
    let shown = shell.enter("SELECT count(*) AS 筆數 FROM ref.county;");
    assert!(shown.contains("| 筆數 |") && shown.contains("|   22 |") && shown.contains("1 row"), "{shown}");
    // A failure does not end the shell.
    let shown = shell.enter("SELECT * FROM ref.conty;");
    assert!(shown.contains("error: table ref.conty does not exist; did you mean ref.county?"), "{shown}");
    let shown = shell.enter("SELEC 1;");
    assert!(shown.contains("error: syntax error at line 1, column 1"), "{shown}");
    let shown = shell.enter("\\d");
    assert!(
        shown.contains("| tax ") && shown.contains("| payment ") && shown.contains("| Parquet"),
        "{shown}"
    );
    let shown = shell.enter("\\d ref.county");
    assert!(shown.contains("| county_code ") && shown.contains("may be NULL"), "{shown}");
    assert!(shell.enter("\\dn").contains("| third_party |"));
    assert!(shell.enter("\\df forecast").contains("forecast (aggregate function"));
    assert!(shell.enter("\\?").contains("Tab completes"));
    assert!(shell.enter("\\timin").contains("error: there is no command \\timin, did you mean \\timing"));
    assert!(shell.enter("\\timing").contains("timing is on"));
    assert!(shell.enter("\\format csv").contains("format is csv"));
    let shown = shell.enter("SELECT 1 AS a, 2 AS b;");
    assert!(shown.contains("a,b\r\n1,2\r\n1 row in "), "{shown}");
    assert!(shell.enter("\\format parquet").contains("format is parquet"));
    assert!(
        shell.enter("SELECT 1;").contains("error: parquet is not for reading on a terminal: \\format table")
    );
    assert!(shell.enter("\\format table").contains("format is table"));
    assert!(shell.enter("\\rows 2").contains("tables show 2 rows"));
    let shown = shell.enter("SELECT value FROM generate_series(1, 50);");
    assert!(shown.contains("50 rows, the last 48 of them not shown"), "{shown}");
    let script = shell.place.write("腳本.sql", "SELECT 40 + 2 AS answer;");
    let shown = shell.enter(&format!("\\i {}", script.display()));
    assert!(shown.contains("| answer |") && shown.contains("42"), "{shown}");
    shell.leave("\\q\r");
}

#[test]
fn a_statement_may_go_over_lines() {
    let mut shell = Shell::start(Place::new());
    shell.keys("SELECT 6\r");
    shell.keys("  * 7 AS\r");
    let shown = shell.enter("answer;");
    assert!(shown.contains("| answer |") && shown.contains("42"), "{shown}");
    // Ctrl-C drops what is half typed, Ctrl-D leaves.
    shell.keys("SELECT nonsense");
    shell.drop_line();
    assert!(shell.enter("SELECT 1 AS kept;").contains("kept"));
    shell.leave("\u{4}");
}

#[test]
fn full_width_punctuation_is_pointed_at() {
    let mut shell = Shell::start(Place::new());
    let shown = shell.enter("SELECT 1；");
    assert!(shown.contains("syntax error at line 1, column 9") && shown.contains('；'), "{shown}");
    let shown = shell.enter("SELECT '全形；' AS 文字;");
    assert!(shown.contains("| 全形； |"), "{shown}");
    shell.leave("\u{4}");
}

#[test]
fn ctrl_c_cancels_the_query_and_not_the_shell() {
    let mut shell = Shell::start(Place::new());
    shell.keys("SELECT count(*) FROM generate_series(1, 1000000000000);\r");
    shell.until("Ctrl-C cancels");
    shell.keys("\u{3}");
    shell.until("cancelled");
    shell.until(READING);
    assert!(shell.enter("SELECT 1 AS alive;").contains("alive"));
    shell.leave("\\q\r");
}

#[test]
fn tab_completes_keywords_tables_columns_and_functions() {
    let mut shell = Shell::start(Place::with_sample());
    let shown = shell.enter("SEL\t count(*) AS n FROM ref.coun\t AS t WHERE t.county_c\t IS NOT NULL;");
    assert!(shown.contains("| n  |") && shown.contains("| 22 |"), "{shown}");
    let shown = shell.enter("select approx_med\t(value) AS n FROM generate_series(1, 3);");
    assert!(!shown.contains("does not exist"), "{shown}");
    let shown = shell.enter("\\d real.tw\t");
    assert!(shown.contains("net_collections_million"), "{shown}");
    shell.leave("\\q\r");
}

#[test]
fn the_history_is_kept_for_the_next_time() {
    let mut shell = Shell::start(Place::new());
    assert!(shell.enter("SELECT 12321 AS 記得;").contains("記得"));
    let place = shell.leave("\\q\r");
    let history = place.read(".local/state/tithe/history");
    assert!(history.contains("SELECT 12321 AS 記得;"), "{history}");
    let mut shell = Shell::start(place);
    // Upwards past the \q.
    let shown = shell.enter("\u{1b}[A\u{1b}[A");
    assert!(shown.contains("12321") && shown.contains("1 row"), "{shown}");
    shell.leave("\\q\r");
}
