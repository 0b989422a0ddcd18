//! Lines of Python that ask a server.

/// A script to copy: connects to `address` and prints a table.
pub(crate) fn snippet(address: &str, with_login: bool) -> String {
    let connect = match with_login {
        true => format!(
            "flight_sql.connect(\"{address}\", db_kwargs={{\"username\": \"NAME\", \"password\": \"PASSWORD\"}})"
        ),
        false => format!("flight_sql.connect(\"{address}\")"),
    };
    format!(
        "    import adbc_driver_flightsql.dbapi as flight_sql\n    \
             with {connect} as connection, connection.cursor() as cursor:\n        \
                 cursor.execute(\"SELECT tax_type, sum(net_collections) AS total FROM tax.revenue_monthly GROUP BY tax_type\")\n        \
                 print(cursor.fetch_arrow_table().to_pandas())\n"
    )
}
