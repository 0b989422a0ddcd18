//! Text and HTML files: one row a file.

use encoding_rs::BIG5;
use insta::assert_snapshot;

use crate::support::{TestLake, table, value};

#[tokio::test]
async fn pages_in_utf8_and_big5() {
    let lake = TestLake::new();
    let page =
        |charset: &str| format!("<meta charset={charset}><p>本文由某某提供商品體驗　ＮＴ＄１，２８０</p>");
    lake.write("third_party/page_raw/1.html", page("utf-8"));
    lake.write("third_party/page_raw/2.html", BIG5.encode(&page("big5")).0);
    lake.write("third_party/page_raw/下/3.txt", "團購價$1,180");
    lake.write("third_party/page_raw/4.htm", b"<meta charset=utf-8>\xB2\xCE");
    let session = lake.session().await;
    assert_snapshot!(
        table(&session, "SELECT path, size, right(content, 9) AS ends, encoding, decode_errors FROM third_party.page_raw ORDER BY path").await,
        @r"
    +-------------------------------+------+----------------+----------+---------------+
    | path                          | size | ends           | encoding | decode_errors |
    +-------------------------------+------+----------------+----------+---------------+
    | third_party/page_raw/1.html   | 87   | １，２８０</p> | UTF-8    | false         |
    | third_party/page_raw/2.html   | 66   | １，２８０</p> | Big5     | false         |
    | third_party/page_raw/4.htm    | 22   | =utf-8>��      | UTF-8    | true          |
    | third_party/page_raw/下/3.txt | 15   | 團購價$1,180   | UTF-8    | false         |
    +-------------------------------+------+----------------+----------+---------------+
    "
    );
    assert_eq!(value(&session, "SELECT count(*) FROM third_party.page_raw").await, "4");
    assert_eq!(
        value(&session, "SELECT arrow_typeof(modified) FROM third_party.page_raw LIMIT 1").await,
        "Timestamp(µs, \"UTC\")"
    );
    assert_eq!(
        value(
            &session,
            "SELECT count(*) FROM third_party.page_raw WHERE modified > now() - interval '1 hour'"
        )
        .await,
        "4"
    );
}

#[tokio::test]
async fn a_file_over_the_bound_keeps_its_row_without_content() {
    let lake = TestLake::new();
    let large = std::fs::File::create(lake.path("s/t/large.txt")).unwrap();
    large.set_len(64 * 1024 * 1024 + 1).unwrap();
    let session = lake.session().await;
    assert_snapshot!(table(&session, "SELECT size, content, encoding, decode_errors FROM s.t").await, @r"
    +----------+---------+----------+---------------+
    | size     | content | encoding | decode_errors |
    +----------+---------+----------+---------------+
    | 67108865 |         |          |               |
    +----------+---------+----------+---------------+
    ");
}
