//! The query files and the parts they share, embedded; a test holds these lists and the folders together.

/// Name and text of every file, by name.
pub(crate) const FILES: &[(&str, &str)] = &[
    ("creators/case_list", include_str!("../sql/creators/case_list.sql")),
    ("creators/channel_links", include_str!("../sql/creators/channel_links.sql")),
    ("creators/discount_codes", include_str!("../sql/creators/discount_codes.sql")),
    ("creators/estimated_against_declared", include_str!("../sql/creators/estimated_against_declared.sql")),
    ("creators/registration_threshold", include_str!("../sql/creators/registration_threshold.sql")),
    ("creators/signals_per_channel", include_str!("../sql/creators/signals_per_channel.sql")),
    (
        "data_quality/duplicate_invoice_numbers",
        include_str!("../sql/data_quality/duplicate_invoice_numbers.sql"),
    ),
    ("data_quality/headers_against_items", include_str!("../sql/data_quality/headers_against_items.sql")),
    ("data_quality/identifier_checksums", include_str!("../sql/data_quality/identifier_checksums.sql")),
    ("data_quality/invoice_arithmetic", include_str!("../sql/data_quality/invoice_arithmetic.sql")),
    ("data_quality/orphan_keys", include_str!("../sql/data_quality/orphan_keys.sql")),
    ("income/creators_without_return", include_str!("../sql/income/creators_without_return.sql")),
    ("income/fees_without_withholding", include_str!("../sql/income/fees_without_withholding.sql")),
    (
        "income/platform_reports_against_declared",
        include_str!("../sql/income/platform_reports_against_declared.sql"),
    ),
    ("income/remittance_against_declared", include_str!("../sql/income/remittance_against_declared.sql")),
    ("income/withholding_against_declared", include_str!("../sql/income/withholding_against_declared.sql")),
    ("income/withholding_by_code", include_str!("../sql/income/withholding_by_code.sql")),
    ("local_taxes/by_county", include_str!("../sql/local_taxes/by_county.sql")),
    (
        "local_taxes/property_against_transfers",
        include_str!("../sql/local_taxes/property_against_transfers.sql"),
    ),
    ("local_taxes/property_tax_calendar", include_str!("../sql/local_taxes/property_tax_calendar.sql")),
    ("privacy/personal_data_scan", include_str!("../sql/privacy/personal_data_scan.sql")),
    (
        "privacy/registered_mailboxes_in_public",
        include_str!("../sql/privacy/registered_mailboxes_in_public.sql"),
    ),
    ("revenue/brazil_overview", include_str!("../sql/revenue/brazil_overview.sql")),
    ("revenue/by_bureau", include_str!("../sql/revenue/by_bureau.sql")),
    ("revenue/by_month", include_str!("../sql/revenue/by_month.sql")),
    ("revenue/by_tax_and_county", include_str!("../sql/revenue/by_tax_and_county.sql")),
    ("revenue/forecast_backtest", include_str!("../sql/revenue/forecast_backtest.sql")),
    ("revenue/forecast_bottom_up", include_str!("../sql/revenue/forecast_bottom_up.sql")),
    ("revenue/forecast_by_county", include_str!("../sql/revenue/forecast_by_county.sql")),
    ("revenue/forecast_by_tax", include_str!("../sql/revenue/forecast_by_tax.sql")),
    ("revenue/forecast_total", include_str!("../sql/revenue/forecast_total.sql")),
    ("revenue/philadelphia_overview", include_str!("../sql/revenue/philadelphia_overview.sql")),
    ("revenue/seasonality", include_str!("../sql/revenue/seasonality.sql")),
    ("revenue/taiwan_long_run", include_str!("../sql/revenue/taiwan_long_run.sql")),
    ("revenue/year_on_year", include_str!("../sql/revenue/year_on_year.sql")),
    ("vat/carousel", include_str!("../sql/vat/carousel.sql")),
    ("vat/circular_trading", include_str!("../sql/vat/circular_trading.sql")),
    ("vat/gap_by_industry", include_str!("../sql/vat/gap_by_industry.sql")),
    ("vat/input_output_matching", include_str!("../sql/vat/input_output_matching.sql")),
    ("vat/invoice_number_gaps", include_str!("../sql/vat/invoice_number_gaps.sql")),
    ("vat/invoices_by_period", include_str!("../sql/vat/invoices_by_period.sql")),
    ("vat/late_filers", include_str!("../sql/vat/late_filers.sql")),
    ("vat/missing_trader", include_str!("../sql/vat/missing_trader.sql")),
    ("vat/returns_against_invoices", include_str!("../sql/vat/returns_against_invoices.sql")),
    ("vat/sudden_growth", include_str!("../sql/vat/sudden_growth.sql")),
    ("vat/zero_rated_sales", include_str!("../sql/vat/zero_rated_sales.sql")),
];

/// Name and text of every part that several queries start from, by name.
pub(crate) const PARTS: &[(&str, &str)] = &[
    ("creators/estimates", include_str!("../parts/creators/estimates.sql")),
    ("creators/links", include_str!("../parts/creators/links.sql")),
];
