//! Tithe's own aggregates, whose states come from the workers in any order.

use crate::support::{Compared, Oracle};

/// Read from the invoices, which lie in many files: every worker has a part of every group.
const SERIES: &str = "SELECT date_trunc('month', invoice_date) AS month, seller_county_code AS county, \
                      CAST(sum(total_amount) AS DOUBLE) AS amount FROM invoice.header GROUP BY 1, 2";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn states_in_any_order_give_the_same_bits() {
    let oracle = Oracle::start().await;
    let mut compared = Compared::default();
    let queries = [
        format!("SELECT county, forecast(month, amount, 6) FROM ({SERIES}) GROUP BY county"),
        format!("SELECT county, backtest(month, amount, 2) FROM ({SERIES}) GROUP BY county"),
        format!("SELECT county, forecast_explain(month, amount, 3) FROM ({SERIES}) GROUP BY county"),
        // Raw rows: the state of one group is spread over all workers.
        "SELECT county_code, forecast(month, net_collections, 12) FROM tax.revenue_monthly \
         WHERE tax_type = '營業稅' OR tax_type IS NOT NULL GROUP BY county_code, tax_type"
            .to_owned(),
        "SELECT forecast(month, total, 12) FROM (SELECT month, sum(net_collections) AS total \
         FROM tax.revenue_monthly GROUP BY month)"
            .to_owned(),
        "SELECT seller_county_code, avg(tax_amount), stddev(total_amount), stddev_pop(sales_amount), var(tax_amount), \
         var_pop(total_amount) FROM invoice.header GROUP BY seller_county_code"
            .to_owned(),
        "SELECT avg(tax_amount), stddev(total_amount), var_pop(total_amount) FROM invoice.header".to_owned(),
    ];
    for _again in 0..3 {
        for (number, sql) in queries.iter().enumerate() {
            oracle.compare(&format!("query {number}"), sql, false, &mut compared).await;
        }
    }
    assert!(compared.different.is_empty(), "{}", compared.different.join("\n"));
    assert_eq!(compared.distributed, 3 * queries.len());
}
