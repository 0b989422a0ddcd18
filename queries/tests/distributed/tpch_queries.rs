//! The 22 queries of TPC-H.

use tithe_testkit::{TPCH_SCALE, tpch_lake, tpch_queries};

use crate::support::{Compared, Oracle};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_tpch_query_gives_the_same_answer_on_workers() {
    let oracle = Oracle::on(&tpch_lake()).await;
    oracle.use_schema("tpch").await;
    let mut compared = Compared::default();
    let queries = tpch_queries(TPCH_SCALE);
    for query in &queries {
        oracle.compare(&query.name, &query.sql, query.ordered, &mut compared).await;
    }
    assert!(compared.different.is_empty(), "{}", compared.different.join("\n"));
    assert_eq!(compared.distributed, queries.len(), "some ran in this process alone");
}
