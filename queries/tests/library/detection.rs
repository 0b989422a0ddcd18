//! Do the fraud queries find what was planted? Precision and recall against what the generator knows.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::{AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use tithe_engine::Session;
use tithe_queries::find;
use tithe_testkit::sample_session;

type Key = Vec<String>;

async fn keys(session: &Session, sql: &str, columns: &[&str]) -> BTreeSet<Key> {
    let batches = session.query(sql).await.expect("a plan").collect().await.expect("rows");
    batches.iter().flat_map(|batch| batch_keys(batch, columns)).collect()
}

fn batch_keys(batch: &RecordBatch, columns: &[&str]) -> Vec<Key> {
    let texts: Vec<_> = columns
        .iter()
        .map(|name| cast(batch.column_by_name(name).expect(name), &DataType::Utf8).expect("text"))
        .collect();
    (0..batch.num_rows())
        .map(|row| texts.iter().map(|text| text.as_string::<i32>().value(row).to_owned()).collect())
        .collect()
}

async fn found(session: &Session, query: &str, columns: &[&str]) -> BTreeSet<Key> {
    let sql = find(query).expect(query).bind(&BTreeMap::new()).expect("defaults");
    keys(session, &sql, columns).await
}

/// Shares of the found that were planted, and of the planted that were found.
fn precision_and_recall(found: &BTreeSet<Key>, planted: &BTreeSet<Key>) -> (f64, f64) {
    let share = |part: usize, whole: usize| part as f64 / whole.max(1) as f64;
    let both = found.intersection(planted).count();
    (share(both, found.len()), share(both, planted.len()))
}

fn check(what: &str, found: &BTreeSet<Key>, planted: &BTreeSet<Key>, least: (f64, f64)) {
    assert!(!planted.is_empty(), "{what}: nothing was planted");
    let (precision, recall) = precision_and_recall(found, planted);
    println!(
        "{what}: {} found, {} planted, precision {precision:.3}, recall {recall:.3}",
        found.len(),
        planted.len()
    );
    assert!(
        precision >= least.0 && recall >= least.1,
        "{what}: precision {precision:.3}, recall {recall:.3}, expected at least {least:?}\n\
         only found: {:?}\nonly planted: {:?}",
        found.difference(planted).take(20).collect::<Vec<_>>(),
        planted.difference(found).take(20).collect::<Vec<_>>()
    );
}

async fn check_query(
    session: &Session,
    query: &str,
    columns: &[&str],
    (truth, truth_columns): (&str, &[&str]),
    least: (f64, f64),
) {
    let found = found(session, query, columns).await;
    let planted = keys(session, truth, truth_columns).await;
    check(query, &found, &planted, least);
}

fn planted(pattern: &str) -> String {
    format!("SELECT ban, period FROM truth.vat_evasion WHERE pattern = '{pattern}'")
}

#[tokio::test]
async fn hidden_sales_are_found() {
    let session = sample_session().await;
    let truth = planted("under_report");
    let truth = (truth.as_str(), &["ban", "period"][..]);
    check_query(&session, "vat/returns_against_invoices", &["ban", "period"], truth, (1.0, 0.95)).await;
}

#[tokio::test]
async fn missing_traders_are_found() {
    let session = sample_session().await;
    let truth = planted("missing_trader");
    check_query(&session, "vat/missing_trader", &["ban"], (&truth, &["ban"]), (1.0, 1.0)).await;
}

#[tokio::test]
async fn rings_are_found_by_self_join_and_by_recursion() {
    let session = sample_session().await;
    let members =
        |bans: BTreeSet<Key>| -> BTreeSet<Key> { bans.into_iter().flatten().map(|ban| vec![ban]).collect() };
    let planted = keys(&session, &planted("ring"), &["ban"]).await;
    let circles = found(&session, "vat/circular_trading", &["first_ban", "second_ban", "third_ban"]).await;
    check("vat/circular_trading", &members(circles), &planted, (1.0, 1.0));
    let chains = found(&session, "vat/carousel", &["chain"]).await;
    let members: BTreeSet<Key> = chains
        .iter()
        .flat_map(|chain| chain[0].split(' ').map(|ban| vec![ban.to_owned()]).collect::<Vec<_>>())
        .collect();
    check("vat/carousel", &members, &planted, (1.0, 1.0));
}

#[tokio::test]
async fn missing_invoice_numbers_are_found() {
    let session = sample_session().await;
    let truth =
        "SELECT ban AS seller_ban, period, invoice_number AS first_missing FROM truth.invoice_missing";
    let columns = &["seller_ban", "period", "first_missing"];
    check_query(&session, "vat/invoice_number_gaps", columns, (truth, columns), (1.0, 1.0)).await;
}

#[tokio::test]
async fn customers_of_missing_traders_show_unsupported_input_tax() {
    let session = sample_session().await;
    let truth = "SELECT DISTINCT h.buyer_ban AS ban, h.period
                 FROM invoice.header h
                 JOIN truth.vat_evasion e ON e.ban = h.seller_ban AND e.period = h.period
                 WHERE e.pattern = 'missing_trader' AND h.buyer_ban IS NOT NULL";
    let columns = &["ban", "period"];
    check_query(&session, "vat/input_output_matching", columns, (truth, columns), (1.0, 0.9)).await;
}

#[tokio::test]
async fn channels_are_linked_to_their_taxpayers() {
    let session = sample_session().await;
    let columns = ["channel_id", "taxpayer_id"];
    let links = find("creators/channel_links").expect("the query").bind(&BTreeMap::new()).expect("defaults");
    let owners = format!(
        "SELECT channel_id, party_id AS taxpayer_id FROM ({links}) WHERE relation = 'owner' AND status <> 'contradictory'"
    );
    let found = keys(&session, &owners, &columns).await;
    let planted = keys(&session, "SELECT channel_id, taxpayer_id FROM truth.link", &columns).await;
    check("creators/channel_links", &found, &planted, (0.9, 0.6));
}

/// Of all pairs of listed creators with different true undeclared income, the share that the list puts in
/// the right order; one half is chance.
#[tokio::test]
async fn the_case_list_puts_under_declared_creators_first() {
    let session = sample_session().await;
    let (mut right, mut pairs) = (0_u32, 0_u32);
    for year in ["2024", "2025"] {
        let given = [
            ("year", year),
            ("minimum_undeclared", "0"),
            ("include_prior_dominated", "true"),
            ("include_candidates", "true"),
        ];
        let given = given.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let list = find("creators/case_list").expect("the query").bind(&given).expect("parameters");
        let sql = format!(
            "SELECT c.rank, t.total - t.declared AS undeclared FROM ({list}) c
             JOIN truth.creator_income t ON t.channel_id = c.channel_id AND t.year = {year}
             ORDER BY c.rank"
        );
        let batches = session.query(&sql).await.expect("a plan").collect().await.expect("rows");
        let undeclared: Vec<i64> = batches
            .iter()
            .flat_map(|batch| batch_keys(batch, &["undeclared"]))
            .map(|key| key[0].parse().expect("an amount"))
            .collect();
        assert!(undeclared.len() >= 8, "only {} creators are listed for {year}", undeclared.len());
        for (at, above) in undeclared.iter().enumerate() {
            for below in undeclared[at + 1..].iter().filter(|below| *below != above) {
                pairs += 1;
                right += u32::from(above > below);
            }
        }
    }
    let concordance = f64::from(right) / f64::from(pairs);
    println!("case list: {right} of {pairs} pairs in order, {concordance:.3}");
    assert!(concordance >= 0.65, "{right} of {pairs} pairs in order: {concordance:.3}");
}
