//! Every query of the library.

use std::collections::BTreeMap;

use tithe_queries::library;

use crate::support::{Compared, Oracle};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_library_query_gives_the_same_answer_on_workers() {
    let oracle = Oracle::start().await;
    let mut compared = Compared::default();
    for query in library() {
        let sql = query.bind(&BTreeMap::new()).expect("defaults for every parameter");
        oracle.compare(query.name, &sql, true, &mut compared).await;
    }
    assert!(compared.different.is_empty(), "{}", compared.different.join("\n"));
    // The others read texts or JSON lines, or hold what depends on an order.
    assert!(compared.distributed > 10, "only {} ran on workers", compared.distributed);
}
