//! Who can be selected, documents that mean ill, and the priors.

use std::collections::BTreeMap;
use std::fs;

use tithe_engine::{Engine, EngineOptions, Principal};
use tithe_testkit::{open, sample_lake};

use super::{LAKES, Row, channel, copied, library, number, rewrite, rows};

const SELECT_ALL: [(&str, &str); 2] = [("include_candidates", "true"), ("draws", "256")];

#[tokio::test]
async fn minors_the_small_and_the_unsure_are_not_selectable() {
    let lake = copied(LAKES[0].path());
    let session = open(lake.path()).await;
    let before = library(&session, "creators/case_list", &SELECT_ALL).await;
    assert!(before.len() > 5, "{}", before.len());
    for case in &before {
        assert!(number(case, "expected_undeclared") >= 50_000.0, "{case:?}");
        assert!(!case["flags"].contains("prior_dominated"), "{case:?}");
        assert!(case["link_status"] == "linked" || case["link_status"] == "candidate", "{case:?}");
    }
    let linked = library(&session, "creators/case_list", &[("draws", "256")]).await;
    assert!(linked.len() < before.len() && linked.iter().all(|case| case["link_status"] == "linked"));

    let high = library(
        &session,
        "creators/case_list",
        &[SELECT_ALL[0], SELECT_ALL[1], ("minimum_undeclared", "10000000000")],
    );
    assert!(high.await.is_empty());
    let selectable = |fairness: &[Row]| -> f64 {
        fairness
            .iter()
            .filter(|row| row["without"] == "nothing" && row["grouping"] == "size")
            .map(|row| number(row, "selectable"))
            .sum()
    };
    let fairness = library(&session, "creators/selection_fairness", &SELECT_ALL).await;
    assert!(
        (selectable(&fairness) - before.len() as f64).abs() < 0.5,
        "{} of {}",
        selectable(&fairness),
        before.len()
    );
    let sources =
        ["nothing", "audience", "public_documents", "reported_statements", "remittances", "declared_income"];
    for without in sources {
        for grouping in ["region", "category", "size"] {
            assert!(
                fairness.iter().any(|row| row["without"] == without && row["grouping"] == grouping),
                "{without} {grouping}"
            );
        }
    }

    // Everybody of the case list becomes sixteen.
    let ids: Vec<String> = before.iter().map(|case| format!("'{}'", case["taxpayer_id"])).collect();
    let sql = format!(
        "SELECT * REPLACE (CASE WHEN taxpayer_id IN ({}) THEN DATE '2009-05-01' ELSE birth_date END AS birth_date) FROM tax.taxpayer",
        ids.join(", ")
    );
    rewrite(lake.path(), "tax/taxpayer", &sql).await;
    let session = open(lake.path()).await;
    assert!(library(&session, "creators/case_list", &SELECT_ALL).await.is_empty());
    let fairness = library(&session, "creators/selection_fairness", &SELECT_ALL).await;
    assert!(selectable(&fairness) < 0.5);
}

fn video(id: &str, channel: &str, description: &str, views: &str) -> String {
    format!(
        r#"{{"kind":"youtube#video","id":"{id}","snippet":{{"publishedAt":"2025-03-01T00:00:00Z","channelId":"{channel}","title":"t","description":{},"tags":[],"categoryId":"19","liveBroadcastContent":"none"}},"contentDetails":{{"duration":"PT12M1S"}},"statistics":{{{views}}},"collected_at":"2026-01-20T02:00:00Z"}}"#,
        serde_json::Value::from(description)
    )
}

#[tokio::test]
async fn documents_that_mean_ill_flag_their_creator_and_fail_nothing() {
    let lake = copied(&sample_lake());
    let counts = |subscribers: &str| {
        format!(
            r#"{{"viewCount":"5","subscriberCount":"{subscribers}","hiddenSubscriberCount":false,"videoCount":"1"}}"#
        )
    };
    let hidden = r#"{"hiddenSubscriberCount":true}"#;
    let deep = format!(
        r#"{{"id":"UCdeep","snippet":{{"title":"deep","customUrl":"@deep"}},"bomb":{}{}}}"#,
        "[".repeat(50_000),
        "]".repeat(50_000)
    );
    let wide = format!(
        r#"{{"id":"UCwide","snippet":{{"title":"wide","customUrl":"@wide"}},"collected_at":"2026-01-20T02:00:00Z",{}}}"#,
        (0..5_000).map(|field| format!("\"field{field}\":1")).collect::<Vec<_>>().join(",")
    );
    let channels = [
        channel("UChidden", "藏", "不公開", hidden),
        channel("UCabsurd", "多", "d", &counts("99999999999999999999999")),
        channel("UCnegative", "負", "d", &counts("-5")),
        channel("UCwords", "字", "d", &counts("十二萬")),
        channel("UCnothing", "空", "", hidden),
        channel("UCblock", "塊", &"業".repeat(200_000), &counts("50000")),
        channel(
            "UCright",
            "\u{202E}قناة 👩\u{200D}👩\u{200D}👧",
            "\u{202B}مرحبا 🎉 تعاون: a@b.example\u{202C} 統一編號：00000000",
            &counts("50000"),
        ),
        channel("UCtwice", "重", "first", &counts("50000")),
        channel("UCtwice", "重", "second", &counts("50000")),
        deep,
        wide,
        "{\"id\": \"UCbroken\", ".to_owned(),
    ];
    let views = |count: &str| format!(r#""viewCount":"{count}""#);
    let huge = "這集業配的團購開跑，折扣碼：XIAO88。".repeat(20_000);
    assert!(huge.len() > 1_000_000);
    let mut videos = vec![
        video("vhidden", "UChidden", "d", ""),
        video("vabsurd", "UCabsurd", "d", &views("99999999999999999999999")),
        video("vnegative", "UCnegative", "d", &views("-7")),
        video("vhuge", "UCblock", &huge, &views("1000000")),
        video("vright", "UCright", "\u{202E}مرحبا 🎉 業配", &views("1000000")),
    ];
    for _copy in 0..3 {
        videos.push(video("vtwice", "UCtwice", "本影片由品牌贊助播出 #業配", &views("1000000")));
    }
    let write = |table: &str, lines: &[String]| {
        let file = lake.path().join("third_party").join(table).join("part-00001.jsonl");
        fs::write(file, lines.join("\n") + "\n").expect("lines");
    };
    write("channel_raw", &channels);
    write("video_raw", &videos);
    let options = EngineOptions {
        lake: Some(lake.path().to_str().expect("a path").parse().expect("a lake's location")),
        skip_bad_lines: true,
        ..EngineOptions::default()
    };
    let session =
        Engine::open(options).await.expect("an engine").session(Principal::local()).expect("a session");
    for query in tithe_queries::library().iter().filter(|query| query.domain == "creators") {
        let sql = query.bind(&BTreeMap::new()).expect("defaults");
        let answer = session.query(&sql).await.expect(query.name).collect().await;
        assert!(answer.is_ok(), "{}: {:?}", query.name, answer.err());
    }
    let estimates = library(&session, "creators/yearly_estimates", &[("draws", "256")]).await;
    let of = |channel: &str| {
        let found: Vec<&Row> = estimates.iter().filter(|row| row["channel_id"] == channel).collect();
        assert_eq!(found.len(), 1, "{channel}: {found:?}");
        assert!(number(found[0], "p50") > 0.0, "no silent zero: {found:?}");
        found[0]
    };
    for channel in ["UCabsurd", "UCnegative", "UCwords"] {
        assert!(of(channel)["flags"].contains("bad_evidence"), "{:?}", of(channel));
    }
    for channel in ["UChidden", "UCblock", "UCright", "UCtwice"] {
        assert!(!of(channel)["flags"].contains("bad_evidence"), "{:?}", of(channel));
    }
    assert!(of("UChidden")["flags"].contains("prior_dominated"));
    let evidence = library(&session, "creators/evidence", &[("channel", "UCtwice"), ("draws", "64")]).await;
    let documents = evidence.iter().find(|row| row["evidence"] == "public_documents").expect("a row");
    assert!(documents["known"].starts_with("1 of 1 posts look sponsored"), "{documents:?}");
    // What is not known and could be asked for is said to narrow the range, and nothing else is.
    for row in &evidence {
        let told = number(row, "would_narrow");
        assert_eq!(told > 0.0 && told.is_finite(), row["evidence"] == "remittances", "{row:?}");
    }
    let nothing = library(&session, "creators/evidence", &[("channel", "UCnothing"), ("draws", "64")]).await;
    assert!(nothing.iter().any(|row| row["known"].contains("hidden followers, hidden views")), "{nothing:?}");
}

/// The table of the lake and the priors that are built in are one set, and so are the answers.
#[tokio::test]
async fn the_priors_of_the_lake_are_the_built_in_ones() {
    let session = open(&sample_lake()).await;
    let with = |priors: &str| {
        format!(
            "SELECT influencer_income(named_struct('channel_id', 'UC1', 'followers', 80000, 'annual_views', 3000000, \
             'seen_deal_amounts', [42000, 60000], 'remittance_twd', 150000, 'declared_income', 280000), draws => 128, \
             seed => 3, explain => false, priors => {priors}) AS e"
        )
    };
    let list = "(SELECT array_agg(named_struct('version', version, 'name', name, 'key', key, 'value', value, 'unit', unit)) \
                FROM income.priors WHERE version = 'tithe-priors-1')";
    let sql = format!(
        "SELECT a.e['p50'] = b.e['p50'] AND a.e['mean'] = b.e['mean'] AS same, b.e['prior_version'] AS version, \
         b.e['prior_error'] AS wrong, (SELECT COUNT(*) FROM income.priors) AS priors FROM ({}) a CROSS JOIN ({}) b",
        with("NULL"),
        with(list)
    );
    let found = rows(&session, &sql).await;
    assert_eq!(found[0]["same"], "true", "{found:?}");
    assert_eq!(
        (found[0]["version"].as_str(), found[0]["wrong"].as_str(), found[0]["priors"].as_str()),
        ("tithe-priors-1", "", "76")
    );
}

#[tokio::test]
async fn each_uncertain_prior_is_moved_both_ways() {
    let session = open(&sample_lake()).await;
    let found = library(&session, "creators/prior_sensitivity", &[("creators", "2"), ("draws", "128")]).await;
    let uncertain = rows(&session, "SELECT COUNT(*) AS n FROM income.priors WHERE low < high").await;
    assert_eq!(found.len().to_string(), uncertain[0]["n"]);
    let of =
        |prior: &str| found.iter().find(|row| row["prior"] == prior).unwrap_or_else(|| panic!("no {prior}"));
    let declared = of("compliant_share");
    assert!(number(declared, "p50_shift_low") > number(declared, "p50_shift_high"), "{declared:?}");
    let moved = |row: &Row| number(row, "p50_shift_low").abs().max(number(row, "p50_shift_high").abs());
    assert!(found.windows(2).all(|pair| moved(&pair[0]) >= moved(&pair[1])));
    assert!(moved(&found[0]) > 0.0, "{:?}", found[0]);
}
