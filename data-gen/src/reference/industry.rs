use std::sync::LazyLock;

use super::table_text::{cumulative, field, number, rows};
use crate::random::Stream;

/// Something sold.
#[derive(Debug)]
pub(crate) struct Product {
    pub(crate) description: &'static str,
    pub(crate) unit: &'static str,
    /// NT$ hundredths.
    pub(crate) lowest_price: i64,
    /// NT$ hundredths.
    pub(crate) highest_price: i64,
    pub(crate) highest_quantity: i64,
    /// Sold by weight or volume: the quantity has three decimals.
    pub(crate) fractional: bool,
}

/// A line of business and what it sells.
#[derive(Debug)]
pub(crate) struct Industry {
    pub(crate) code: &'static str,
    pub(crate) name_zh: &'static str,
    pub(crate) name_en: &'static str,
    /// 1 taxable, 2 mostly exports, 3 exempt.
    pub(crate) tax_kind: u8,
    /// Share of invoices to businesses, percent.
    pub(crate) business_share: u32,
    weight: u32,
    /// Relative number of invoices of a business.
    pub(crate) volume: u32,
    pub(crate) products: Vec<Product>,
}

pub(crate) fn industries() -> &'static [Industry] {
    static LIST: LazyLock<Vec<Industry>> = LazyLock::new(|| {
        rows(include_str!("data/industry.tsv"))
            .map(|row| Industry {
                code: field(&row, 0),
                name_zh: field(&row, 1),
                name_en: field(&row, 2),
                tax_kind: number(&row, 3),
                business_share: number(&row, 4),
                weight: number(&row, 5),
                volume: number(&row, 6),
                products: rows(include_str!("data/product.tsv"))
                    .filter(|product| product.first() == row.first())
                    .map(|product| Product {
                        description: field(&product, 1),
                        unit: field(&product, 2),
                        lowest_price: number(&product, 3),
                        highest_price: number(&product, 4),
                        highest_quantity: number(&product, 5),
                        fractional: field(&product, 6) != "0",
                    })
                    .collect(),
            })
            .collect()
    });
    &LIST
}

pub(crate) fn industry_by_weight(random: &mut Stream) -> &'static Industry {
    static EDGES: LazyLock<Vec<u32>> = LazyLock::new(|| cumulative(industries().iter().map(|i| i.weight)));
    &industries()[random.weighted(&EDGES)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_industry_sells_something_with_a_price() {
        assert!(industries().len() >= 20);
        for industry in industries() {
            assert!(
                industry.products.len() >= 3 && industry.weight > 0 && industry.volume > 0,
                "{industry:?}"
            );
            for product in &industry.products {
                assert!(
                    0 < product.lowest_price && product.lowest_price <= product.highest_price,
                    "{product:?}"
                );
                assert!(product.highest_quantity > 0, "{product:?}");
            }
        }
    }
}
