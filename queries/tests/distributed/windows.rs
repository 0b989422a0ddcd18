//! Windows over whole partitions, which workers do not sort for, and those with `FILTER`, which stay here.

use crate::support::{Compared, Oracle};

const WHOLE: [&str; 4] = [
    "SELECT invoice_number, sum(total_amount) OVER (PARTITION BY seller_ban) AS s FROM invoice.header",
    "SELECT max(share) AS largest, count(*) AS n FROM (SELECT 100 * total_amount / sum(total_amount) OVER \
     (PARTITION BY seller_ban) AS share FROM invoice.header WHERE total_amount > 0) s",
    "SELECT seller_ban, period, total_amount, avg(total_amount) OVER (PARTITION BY seller_ban, period) AS a, \
     row_number() OVER (PARTITION BY seller_ban ORDER BY total_amount, invoice_number) AS r FROM invoice.header",
    "SELECT county, month, n, sum(n) OVER (PARTITION BY county) AS all_months FROM (SELECT seller_county_code AS county, \
     date_trunc('month', invoice_date) AS month, count(*) AS n FROM invoice.header GROUP BY 1, 2) c",
];

const FILTERED: &str = "SELECT invoice_number, sum(total_amount) FILTER (WHERE total_amount > 500) OVER (PARTITION BY \
                        seller_ban) AS s FROM invoice.header";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn windows_over_whole_partitions_give_the_same_answer_on_workers() {
    let oracle = Oracle::start().await;
    let mut compared = Compared::default();
    for sql in WHOLE {
        oracle.compare("whole", sql, false, &mut compared).await;
    }
    assert_eq!(compared.distributed, WHOLE.len(), "{compared:?}");
    oracle.compare("filtered", FILTERED, false, &mut compared).await;
    assert!(compared.different.is_empty(), "{}", compared.different.join("\n"));
    assert_eq!(compared.failed, Vec::<String>::new(), "these compare nothing");
}
