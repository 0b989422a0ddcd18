//! Every function of a text gives the same answers for every text type, whole and sliced, constant and column.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray};
use arrow::compute::{cast, concat_batches};
use arrow::datatypes::{DataType, Field, Schema};
use datafusion::prelude::SessionContext;
use rstest::rstest;

use crate::session::{ask, session};

const ROWS: [Option<&str>; 13] = [
    Some("sliced off"),
    Some("12345675"),
    None,
    Some(""),
    Some("Ａ１２３４５６７８９"),
    Some("AB-12345678"),
    Some("民國114年9月1日"),
    Some("11210"),
    Some("NT$1,280元"),
    Some("<p>#業配</p><p>無業配 折扣碼：XIAO88 統編１２３４５６７５ 電話0912345678</p>"),
    Some("團購 114/9/1~114/9/7"),
    Some("😀\u{200b}\u{0}\u{ffff}"),
    Some("sliced off"),
];

fn columns() -> RecordBatch {
    let plain: ArrayRef = Arc::new(StringArray::from(ROWS.to_vec()));
    let dictionary = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    let types = [DataType::Utf8, DataType::LargeUtf8, DataType::Utf8View, dictionary];
    let columns: Vec<(String, ArrayRef)> = types
        .iter()
        .enumerate()
        .map(|(place, data_type)| {
            (format!("c{place}"), cast(&plain, data_type).expect("a text type").slice(1, ROWS.len() - 2))
        })
        .collect();
    RecordBatch::try_from_iter(columns).expect("columns of one length")
}

async fn evaluate(session: &SessionContext, sql: &str) -> RecordBatch {
    let query = ask(session, sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    let schema = Arc::new(query.schema().as_arrow().clone());
    let batches = query.collect().await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    concat_batches(&schema, &batches).expect("batches of one schema")
}

#[rstest]
#[tokio::test]
async fn all_text_types_agree(
    #[values(
        "ban_valid",
        "tw_id_valid",
        "einvoice_number_valid",
        "roc_date",
        "vat_period_start",
        "parse_twd",
        "html_text",
        "sponsor_signals",
        "pii_find",
        "extract_amounts",
        "discount_codes",
        "group_buy_window"
    )]
    function: &str,
) {
    let session = session();
    session.register_batch("texts", columns()).expect("a table");
    let sql =
        format!("SELECT {function}(c0) a, {function}(c1) b, {function}(c2) c, {function}(c3) d FROM texts");
    let found = evaluate(&session, &sql).await;
    let first = found.column(0);
    assert_eq!(first.len(), ROWS.len() - 2);
    assert!(first.is_null(1) && first.null_count() < first.len(), "{function}");
    for other in 1..4 {
        assert_eq!(first, found.column(other), "{function}: column {other}");
    }
    for (row, text) in ROWS.iter().enumerate().skip(1).take(ROWS.len() - 2) {
        let literal = text.map_or("NULL".to_owned(), |text| format!("'{text}'"));
        let constant = evaluate(&session, &format!("SELECT {function}({literal}) a")).await;
        assert_eq!(constant.column(0).as_ref(), first.slice(row - 1, 1).as_ref(), "{function}({literal})");
    }
}

#[rstest]
#[case("ban_valid", false)]
#[case("tw_id_valid", false)]
#[case("einvoice_number_valid", false)]
#[case("sponsor_signals", false)]
#[case("pii_find", false)]
#[case("extract_amounts", false)]
#[case("discount_codes", false)]
#[case("group_buy_window", true)]
#[case("html_text", true)]
#[case("parse_twd", true)]
#[case("roc_date", true)]
#[case("vat_period_start", true)]
#[tokio::test]
async fn results_are_nullable_where_they_may_be_null(#[case] function: &str, #[case] nullable: bool) {
    let session = session();
    let schema = Arc::new(Schema::new(vec![Field::new("c", DataType::Utf8, false)]));
    let text: ArrayRef = Arc::new(StringArray::from(vec!["x"]));
    session
        .register_batch("texts", RecordBatch::try_new(schema, vec![text]).expect("a batch"))
        .expect("a table");
    let found = evaluate(&session, &format!("SELECT {function}(c) a FROM texts")).await;
    assert_eq!(found.schema().field(0).is_nullable(), nullable, "{function}");
}

#[tokio::test]
async fn fields_of_a_null_struct_are_null() {
    let session = session();
    session.register_batch("texts", columns()).expect("a table");
    let sql = "SELECT sponsor_signals(c0)['score'] a, sponsor_signals(c0)['sponsored'] b, \
               sponsor_signals(c0)['classes'] c, sponsor_signals(c0)['evidence'] d FROM texts WHERE c0 IS NULL";
    let found = evaluate(&session, sql).await;
    assert_eq!(found.num_rows(), 1);
    for column in found.columns() {
        assert!(column.is_null(0), "{column:?}");
    }
}

#[rstest]
#[tokio::test]
async fn texts_of_a_megabyte_are_read(
    #[values(
        "ban_valid",
        "tw_id_valid",
        "einvoice_number_valid",
        "roc_date",
        "vat_period_start",
        "parse_twd",
        "html_text",
        "sponsor_signals",
        "pii_find",
        "extract_amounts",
        "discount_codes",
        "group_buy_window"
    )]
    function: &str,
    #[values("1", "業", "<b>", "＃業配 ", "團9/1 5元")] unit: &str,
) {
    let session = session();
    let long: ArrayRef = Arc::new(StringArray::from(vec![unit.repeat(1_000_000 / unit.len())]));
    session
        .register_batch("texts", RecordBatch::try_from_iter([("c", long)]).expect("a batch"))
        .expect("a table");
    assert_eq!(evaluate(&session, &format!("SELECT {function}(c) a FROM texts")).await.num_rows(), 1);
}

/// Far more than any page or post, with what texts may hold at its end.
#[tokio::test]
async fn texts_of_fifty_megabytes_fail_nothing() {
    let session = session();
    let mut long = "今天帶大家去看看\u{202e}قناة🎉[[{\"a\":".repeat(1_300_000);
    assert!(long.len() > 50_000_000);
    long.push_str("#業配 折扣碼：LAST88 統編１２３４５６７５ NT$1,280 團購 114/9/1~114/9/7");
    let long: ArrayRef = Arc::new(StringArray::from(vec![long]));
    session
        .register_batch("texts", RecordBatch::try_from_iter([("c", long)]).expect("a batch"))
        .expect("a table");
    let sql = "SELECT html_text(c) IS NULL AND octet_length(c) > 8388608 AS too_long, sponsor_signals(c)['sponsored'], \
               sponsor_signals(c)['discount_codes'] = ['LAST88'], sponsor_signals(c)['ban_hints'] = ['12345675'], \
               array_length(extract_amounts(c)) > 0, discount_codes(c)[1]['code'] = 'LAST88', \
               group_buy_window(c)['first_day'] = DATE '2025-09-01', parse_twd(c) IS NULL, NOT ban_valid(c) FROM texts";
    let found = evaluate(&session, sql).await;
    for (column, field) in found.columns().iter().zip(found.schema().fields()) {
        assert!(column.is_valid(0) && column.as_boolean().value(0), "{field}");
    }
}

#[rstest]
#[case("ban_valid(12345675)", "ban_valid")]
#[case("ban_valid()", "ban_valid")]
#[case("ban_valid('12345675', 'newest')", "ban_valid: the argument rule takes the literal 'old' or 'new'")]
#[case("ban_valid('12345675', NULL)", "ban_valid: the argument rule takes the literal 'old' or 'new'")]
#[case("ban_valid('12345675', c)", "ban_valid: the argument rule takes the literal 'old' or 'new'")]
#[case("vat_period('2023-09-01')", "vat_period")]
#[case("vat_period(now())", "vat_period")]
#[case("roc_date(114)", "roc_date")]
#[case("parse_twd(1.5)", "parse_twd")]
#[tokio::test]
async fn bad_arguments_fail_when_planned(#[case] call: &str, #[case] message: &str) {
    let error = session()
        .sql(&format!("SELECT {call} FROM (VALUES ('old')) AS v(c)"))
        .await
        .expect_err(call)
        .strip_backtrace();
    assert!(error.contains(message), "{error}");
}

#[tokio::test]
async fn dates_outside_the_calendar_are_null() {
    let session = session();
    let days: ArrayRef = Arc::new(arrow::array::Date32Array::from(vec![i32::MIN, -25_000, 0, i32::MAX]));
    session
        .register_batch("days", RecordBatch::try_from_iter([("d", days)]).expect("a batch"))
        .expect("a table");
    let found = evaluate(&session, "SELECT roc_date(d) a, vat_period(d) b FROM days").await;
    for column in found.columns() {
        let texts: Vec<_> = column.as_string::<i32>().iter().map(|text| text.is_some()).collect();
        assert_eq!(texts, [false, false, true, false]);
    }
}
