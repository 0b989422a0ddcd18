//! The scalar functions, one file each.

mod ban_valid;
mod discount_codes;
mod einvoice_number_valid;
mod extract_amounts;
mod group_buy_window;
mod html_text;
mod influencer_income;
mod parse_twd;
mod pii_find;
mod pseudonym;
mod roc_date;
mod row_function;
mod sponsor_signals;
mod struct_rows;
mod text_rows;
mod tw_id_valid;
mod vat_period;
mod vat_period_start;

use crate::registry::FunctionEntry;

pub(crate) use influencer_income::with_backend;
pub(crate) use pseudonym::pseudonym;

/// Every scalar function.
pub(crate) fn entries() -> Vec<FunctionEntry> {
    vec![
        html_text::entry(),
        sponsor_signals::entry(),
        extract_amounts::entry(),
        discount_codes::entry(),
        group_buy_window::entry(),
        parse_twd::entry(),
        pii_find::entry(),
        pseudonym::entry(),
        ban_valid::entry(),
        tw_id_valid::entry(),
        einvoice_number_valid::entry(),
        roc_date::entry(),
        vat_period::entry(),
        vat_period_start::entry(),
        influencer_income::entry(),
    ]
}
