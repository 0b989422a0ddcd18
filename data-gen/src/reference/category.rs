use std::sync::LazyLock;

use super::table_text::{cumulative, field, number, rows};
use crate::random::Stream;

/// What a channel is about.
#[derive(Debug)]
pub(crate) struct Category {
    pub(crate) key: &'static str,
    pub(crate) video_category: &'static str,
    pub(crate) topic_page: &'static str,
    /// Revenue per thousand views against the market's, in hundredths.
    pub(crate) revenue_factor: u32,
    /// Percent of channels that run group buys.
    pub(crate) group_buy_share: u32,
    weight: u32,
    pub(crate) suffixes: Vec<&'static str>,
}

fn all() -> &'static [Category] {
    static LIST: LazyLock<Vec<Category>> = LazyLock::new(|| {
        rows(include_str!("data/category.tsv"))
            .map(|row| Category {
                key: field(&row, 0),
                video_category: field(&row, 1),
                topic_page: field(&row, 2),
                revenue_factor: number(&row, 3),
                group_buy_share: number(&row, 4),
                weight: number(&row, 5),
                suffixes: field(&row, 6).split(' ').collect(),
            })
            .collect()
    });
    &LIST
}

/// Draws a category by its weight.
pub(crate) fn category_by_weight(random: &mut Stream) -> &'static Category {
    static EDGES: LazyLock<Vec<u32>> =
        LazyLock::new(|| cumulative(all().iter().map(|category| category.weight)));
    &all()[random.weighted(&EDGES)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_percentages() {
        assert_eq!(all().iter().map(|category| category.weight).sum::<u32>(), 100);
        assert!(all().iter().all(|category| category.revenue_factor > 0 && category.suffixes.len() == 3));
    }
}
