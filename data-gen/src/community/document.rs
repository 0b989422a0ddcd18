use super::creator::{Creator, Deal, DealFormat};
use crate::calendar::day;
use crate::random::{Stream, Topic, to_whole};

/// What a document is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DocumentKind {
    LongVideo,
    ShortVideo,
    Post,
}

/// A video or post to be written.
#[derive(Clone, Debug)]
pub(crate) struct Document<'a> {
    pub(crate) kind: DocumentKind,
    /// Number over both years of the creator.
    pub(crate) ordinal: u32,
    pub(crate) day: i32,
    pub(crate) views: i64,
    pub(crate) deal: Option<&'a Deal>,
    pub(crate) group_buy: bool,
}

/// The documents of a creator, by year. Views add up to the year's; deals find a document of their kind while there is one.
pub(crate) fn documents<'a>(seed: u64, creator: &'a Creator) -> Vec<Document<'a>> {
    let mut all = Vec::new();
    for (truth, (long, short, posts)) in creator.years.iter().zip(creator.documents) {
        let part = u32::try_from(truth.year).unwrap_or(0);
        let mut random = Stream::new(seed, Topic::Document, part, creator.index);
        let mut of_year = Vec::new();
        for (kind, count, views) in [
            (DocumentKind::LongVideo, long, truth.long_views),
            (DocumentKind::ShortVideo, short, truth.short_views),
            (DocumentKind::Post, posts, (truth.long_views + truth.short_views) / 3),
        ] {
            let weights: Vec<f64> = (0..count).map(|_| random.log_normal(1.0, 0.9)).collect();
            let sum: f64 = weights.iter().sum();
            for weight in weights {
                of_year.push(Document {
                    kind,
                    ordinal: 0,
                    day: day(truth.year, 1, 1) + random.days(0, 364),
                    views: to_whole(views as f64 * weight / sum),
                    deal: None,
                    group_buy: false,
                });
            }
        }
        for deal in &truth.deals {
            let wanted = match deal.format {
                DealFormat::Video => DocumentKind::LongVideo,
                DealFormat::ShortVideo => DocumentKind::ShortVideo,
                DealFormat::Post | DealFormat::Story => DocumentKind::Post,
            };
            // What was collected is a sample: half of the promotions are not in it.
            if random.per_mille(500) {
                continue;
            }
            let free =
                of_year.iter_mut().filter(|document| document.deal.is_none() && document.kind == wanted);
            if let Some(document) = free.min_by_key(|document| (document.day - deal.day).abs()) {
                document.deal = Some(deal);
            }
        }
        let free = of_year.iter_mut().rev().filter(|d| d.kind == DocumentKind::Post && d.deal.is_none());
        for document in free.take(truth.campaigns as usize) {
            document.group_buy = true;
        }
        of_year.sort_by_key(|document| document.day);
        all.extend(of_year);
    }
    for (ordinal, document) in (0..).zip(&mut all) {
        document.ordinal = ordinal;
    }
    all
}
