//! Whose channel it is, against the truth of the generator and against evidence that contradicts itself.

use std::fs;

use tithe_engine::Session;
use tithe_testkit::open;

use super::{LAKES, Row, SEEDS, channel, copied, library, number, rewrite, rows, write_rows};

#[tokio::test]
async fn two_strong_keys_find_the_owner_and_agencies_are_none() {
    println!("| seed | relation | status | links | correct | precision | recall |");
    for (seed, lake) in SEEDS.iter().zip(&*LAKES) {
        let session = open(lake.path()).await;
        let quality = library(&session, "creators/link_quality", &[]).await;
        for row in &quality {
            println!(
                "| {seed} | {} | {} | {} | {} | {} % | {} % |",
                row["relation"],
                row["name"],
                row["links"],
                row["correct"],
                row["precision_percent"],
                row["recall_percent"]
            );
        }
        let of = |relation: &str, name: &str| {
            quality
                .iter()
                .find(|row| row["relation"] == relation && row["name"] == name)
                .unwrap_or_else(|| panic!("no {relation} {name} with seed {seed}"))
        };
        let linked = of("owner", "linked");
        assert!(number(linked, "precision_percent") >= 95.0, "{linked:?}");
        assert!(number(linked, "recall_percent") >= 15.0, "{linked:?}");
        let candidates = of("owner", "candidate");
        assert!(
            number(candidates, "precision_percent") < number(linked, "precision_percent"),
            "{candidates:?}"
        );
        assert!(number(of("represented_by", "linked"), "precision_percent") >= 99.0);
        assert!(number(of("owner", "contradictory"), "links") > 0.0);
        let links = library(&session, "creators/channel_links", &[("minimum_score", "-99")]).await;
        for row in &links {
            assert_eq!(row["party_id"].starts_with("AG"), row["relation"] == "represented_by", "{row:?}");
            assert_eq!(row["reasons"].contains("agency_"), row["relation"] == "represented_by", "{row:?}");
            if row["status"] == "linked" {
                assert!(number(row, "strong_keys") >= 2.0, "{row:?}");
            }
        }
        let contradictory: Vec<&Row> = links
            .iter()
            .filter(|row| row["status"] == "contradictory" && row["relation"] == "owner")
            .collect();
        for row in &contradictory {
            let parties =
                contradictory.iter().filter(|other| other["channel_id"] == row["channel_id"]).count();
            assert!(parties >= 2, "both sides of a contradiction are shown: {row:?}");
        }
    }
}

/// Planted evidence that points to somebody else alone never links.
#[tokio::test]
async fn one_misleading_key_is_never_a_link() {
    for lake in &*LAKES {
        let session = open(lake.path()).await;
        let planted = rows(
            &session,
            "SELECT channel_id, taxpayer_id, COUNT(DISTINCT evidence) AS kinds, COUNT(*) AS keys \
                                      FROM truth.misleading_key GROUP BY channel_id, taxpayer_id",
        )
        .await;
        assert!(planted.len() > 5, "{}", planted.len());
        let links = library(&session, "creators/channel_links", &[("minimum_score", "-99")]).await;
        for wrong in planted.iter().filter(|wrong| wrong["keys"] == "1") {
            let asserted = links.iter().any(|link| {
                link["channel_id"] == wrong["channel_id"]
                    && link["party_id"] == wrong["taxpayer_id"]
                    && link["status"] == "linked"
            });
            assert!(!asserted, "{wrong:?}");
        }
    }
}

/// Channels of which two payers name one taxpayer, each with other evidence that names somebody else or with none.
#[tokio::test]
async fn payers_alone_link_nothing_that_other_evidence_contradicts() {
    let lake = copied(LAKES[0].path());
    let session = open(lake.path()).await;
    let [anna, berta] = people(&session).await;
    let firm = &rows(
        &session,
        "SELECT t.ban, t.name, t.taxpayer_id FROM tax.taxpayer t LEFT JOIN ref.agency a ON a.ban = t.ban \
         WHERE t.ban IS NOT NULL AND a.ban IS NULL ORDER BY t.ban LIMIT 2",
    )
    .await;
    let of_berta = format!("統一編號：{}", firm[0]["ban"]);
    let of_berta_by_name = format!("{}　統一編號：{}", firm[0]["name"], firm[0]["ban"]);
    let of_nobody = format!("統一編號：{}", firm[1]["ban"]);
    let counts =
        r#"{"viewCount":"5","subscriberCount":"50000","hiddenSubscriberCount":false,"videoCount":"1"}"#;
    let channels = [
        channel("UCplain", "題甲", "d", counts),
        channel("UCnumber", "題乙", &of_berta, counts),
        channel("UCfirm", "題丙", &of_berta_by_name, counts),
        channel("UCaccount", "題丁", "d", counts),
        channel("UCtitle", "題戊", "d", counts),
        channel("UCtwokinds", "題己", "d", counts),
        channel("UCnobody", "題庚", &of_nobody, counts),
        channel("UConepayer", "題辛", "d", counts),
        channel("UCtorn", "題壬", "d", counts),
    ];
    let file = lake.path().join("third_party/channel_raw/part-00001.jsonl");
    fs::write(file, channels.join("\n") + "\n").expect("lines");
    let named = |handle: &str, payee: &str, payer: usize| {
        // More than anybody pays for fifty thousand subscribers.
        let amount = if handle == "@UCplain" { 90_000_000 } else { 400_000 };
        format!(
            "(SELECT * REPLACE ('{payee}' AS payee_id, '9A' AS code, '業配合作-{handle}' AS description, CAST(2025 AS INT) AS year, \
             DATE '2025-05-05' AS paid_on, {amount} AS gross_amount, \
             (SELECT payer_ban FROM (SELECT DISTINCT payer_ban FROM tax.withholding) p ORDER BY payer_ban LIMIT 1 OFFSET {payer}) \
             AS payer_ban) FROM tax.withholding LIMIT 1)"
        )
    };
    let mut statements = vec![
        named("題戊", &berta, 2),
        named("題己", &berta, 2),
        named("@UCtwokinds", &anna, 0),
        named("@UConepayer", &anna, 0),
        named("題辛", &berta, 2),
        named("@UCtorn", &anna, 0),
        named("@UCtorn", &anna, 1),
        named("@UCtorn", &berta, 2),
    ];
    for handle in ["@UCplain", "@UCnumber", "@UCfirm", "@UCaccount", "@UCtitle", "@UCnobody"] {
        statements.extend([named(handle, &anna, 0), named(handle, &anna, 1)]);
    }
    write_rows(lake.path(), "tax/withholding", 1, &statements.join(" UNION ALL ")).await;
    let account = |taxpayer: &str, account: &str| {
        format!(
            "SELECT '{taxpayer}' AS taxpayer_id, '{account}' AS account, DATE '2025-01-01' AS registered_on"
        )
    };
    let accounts = format!("{} UNION ALL {}", account(&berta, "@UCaccount"), account(&anna, "@UCtwokinds"));
    write_rows(lake.path(), "tax/registered_account", 1, &accounts).await;
    let owners = format!(
        "SELECT ban, CASE WHEN ban = '{}' THEN '{berta}' ELSE owner_id END AS owner_id FROM tax.business_owner WHERE ban <> '{}'",
        firm[0]["ban"], firm[1]["ban"]
    );
    rewrite(lake.path(), "tax/business_owner", &owners).await;

    let session = open(lake.path()).await;
    let links = library(&session, "creators/channel_links", &[("minimum_score", "-99")]).await;
    let first = |channel: &str| {
        links
            .iter()
            .find(|link| link["channel_id"] == channel && link["relation"] == "owner")
            .unwrap_or_else(|| panic!("no link of {channel}"))
    };
    let nobody = &firm[1]["taxpayer_id"];
    for (channel, status, score, reasons) in [
        ("UCplain", "linked", "4.0", "payer_handle (2 payers) +4.0".to_owned()),
        (
            "UCnumber",
            "candidate",
            "3.72",
            format!(
                "payer_handle (2 payers) +4.0; against it: ban_alone names {berta} -0.28; so payers alone do not link it"
            ),
        ),
        (
            "UCtitle",
            "candidate",
            "1.83",
            format!(
                "payer_handle (2 payers) +4.0; against it: payer_title names {berta} -2.17; so payers alone do not link it"
            ),
        ),
        (
            "UCnobody",
            "candidate",
            "3.72",
            format!(
                "payer_handle (2 payers) +4.0; against it: ban_alone names {nobody} -0.28; so payers alone do not link it"
            ),
        ),
        (
            "UCtwokinds",
            "linked",
            "7.81",
            format!(
                "registered_account +5.98, payer_handle (1 payer) +4.0; against it: payer_title names {berta} -2.17"
            ),
        ),
        (
            "UConepayer",
            "candidate",
            "1.83",
            format!("payer_handle (1 payer) +4.0; against it: payer_title names {berta} -2.17"),
        ),
    ] {
        let found = first(channel);
        assert_eq!(found["party_id"], anna, "{found:?}");
        assert_eq!(
            (found["status"].as_str(), found["score"].as_str(), found["reasons"].as_str()),
            (status, score, reasons.as_str()),
            "{channel}"
        );
    }
    for channel in ["UCfirm", "UCaccount", "UCtorn"] {
        let found = first(channel);
        assert_eq!(found["status"], "contradictory", "{found:?}");
    }
    assert!(first("UCaccount")["reasons"].contains(&format!("against it: payer_handle names {anna} -4.55")));

    // What an officer is told to ask first.
    let shown = [
        ("include_candidates", "true"),
        ("include_prior_dominated", "true"),
        ("minimum_undeclared", "0"),
        ("draws", "256"),
    ];
    let cases = library(&session, "creators/case_list", &shown).await;
    let asked = |channel: &str| -> &str {
        &cases
            .iter()
            .find(|case| case["channel_id"] == channel)
            .unwrap_or_else(|| panic!("no case of {channel}"))["ask_first"]
    };
    let mut conflicts = 0;
    for case in &cases {
        let doubts = case["link_status"] == "candidate" || case["evidence"].contains("against it");
        assert_eq!(doubts, case["ask_first"].contains("the channel"), "{case:?}");
        if !doubts && case["flags"].contains("conflicting_evidence") {
            conflicts += 1;
            assert!(
                case["ask_first"].starts_with("Are the payments and remittances this channel's?"),
                "{case:?}"
            );
        }
    }
    assert!(conflicts > 0);
    assert_eq!(
        asked("UCtitle"),
        format!("Who owns the channel? Payers alone name this taxpayer, and payer_title names {berta}")
    );
    assert_eq!(
        asked("UConepayer"),
        format!("Who owns the channel? Fewer than two strong keys agree, and payer_title names {berta}")
    );
    assert_eq!(
        asked("UCtwokinds"),
        format!("Is the channel this taxpayer's? Two strong keys agree, yet payer_title names {berta}")
    );
    for (channel, known, next) in [
        ("UCplain", "Linked to", "Nothing: two independent strong keys agree".to_owned()),
        ("UCtitle", "Perhaps", format!("payers alone name this taxpayer, and payer_title names {berta}")),
        ("UConepayer", "Perhaps", format!("at most one strong key agrees, and payer_title names {berta}")),
        ("UCtwokinds", "Linked to", format!("yet payer_title names {berta}: ask the creator")),
        ("UCaccount", "Contradictory", "Ask each of them who runs the channel".to_owned()),
    ] {
        let evidence = library(&session, "creators/evidence", &[("channel", channel), ("draws", "64")]).await;
        let link = evidence.iter().find(|row| row["evidence"] == "link").expect("a row");
        assert!(link["known"].starts_with(known), "{link:?}");
        assert!(link["ask_next"].contains(&next), "{link:?}");
    }
}

/// Two grown-up people of whom no channel, payer or register knows anything.
async fn people(session: &Session) -> [String; 2] {
    let sql = "SELECT taxpayer_id FROM tax.taxpayer \
               WHERE ban IS NULL AND birth_date < DATE '1990-01-01' \
               AND taxpayer_id NOT IN (SELECT payee_id FROM tax.withholding) \
               AND taxpayer_id NOT IN (SELECT taxpayer_id FROM truth.link) ORDER BY taxpayer_id LIMIT 2";
    let found = rows(session, sql).await;
    [found[0]["taxpayer_id"].clone(), found[1]["taxpayer_id"].clone()]
}
