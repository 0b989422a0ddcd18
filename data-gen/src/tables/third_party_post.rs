use serde::Serialize;

use super::DocumentRow;
use super::third_party_text::{COLLECTED_AT, token, write};
use crate::calendar::instant;
use crate::community::{Community, Creator, Document, DocumentKind};
use crate::random::{Stream, Topic};
use crate::write::{Lines, TableName};

/// Posts as the platforms give them: two shapes in one table.
pub(crate) const POSTS: TableName = TableName::new("third_party", "post_raw");

#[derive(Serialize)]
struct PhotoPost<'a> {
    id: String,
    shortcode: String,
    taken_at: i64,
    owner: Owner<'a>,
    caption: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    like_count: Option<i64>,
    comment_count: i64,
    is_paid_partnership: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    sponsor_tags: Vec<Tag>,
    media_type: &'static str,
    collected_at: &'static str,
}

#[derive(Serialize)]
struct Owner<'a> {
    username: &'a str,
    follower_count: i64,
}

#[derive(Serialize)]
struct Tag {
    username: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ClipPost<'a> {
    id: String,
    create_time: i64,
    desc: String,
    stats: ClipStatistics,
    is_ad: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    commerce_info: Option<CommerceInfo>,
    author: Author<'a>,
    #[serde(rename = "collected_at")]
    collected_at: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ClipStatistics {
    play_count: i64,
    digg_count: i64,
    comment_count: i64,
    share_count: i64,
}

#[derive(Serialize)]
struct CommerceInfo {
    branded_content_type: i64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Author<'a> {
    unique_id: &'a str,
}

/// Writes the posts among a creator's documents.
pub(crate) fn posts(
    seed: u64,
    community: &Community,
    creator: &Creator,
    documents: &[Document<'_>],
    lines: &mut Lines,
    truth: &mut Vec<DocumentRow>,
) -> Result<(), serde_json::Error> {
    for document in documents.iter().filter(|document| document.kind == DocumentKind::Post) {
        let mut random = Stream::new(seed, Topic::Document, 1 + document.ordinal, creator.index);
        let words = write(community, creator, document, &mut random);
        let id = format!("3{:09}{:09}", random.below(1_000_000_000), random.below(1_000_000_000));
        let taken_at = instant(document.day, random.days(0, 86_399));
        let likes = document.views * random.between(20, 90) / 1000;
        let labelled = document.deal.is_some_and(|deal| deal.disclosed) && random.per_mille(600);
        truth.push(DocumentRow {
            document_id: id.clone(),
            channel_id: creator.channel_id.clone(),
            kind: "post",
            sponsored: document.deal.is_some(),
            disclosed: document.deal.is_some_and(|deal| deal.disclosed),
            group_buy: document.group_buy,
        });
        if random.per_mille(250) {
            lines.push(&ClipPost {
                id,
                create_time: taken_at,
                desc: words.body,
                stats: ClipStatistics {
                    play_count: document.views,
                    digg_count: likes,
                    comment_count: likes / 40,
                    share_count: likes / 25,
                },
                is_ad: false,
                commerce_info: labelled.then_some(CommerceInfo { branded_content_type: 1 }),
                author: Author { unique_id: &creator.handle },
                collected_at: COLLECTED_AT,
            })?;
        } else {
            lines.push(&PhotoPost {
                id,
                shortcode: token(11, &mut random),
                taken_at,
                owner: Owner { username: &creator.handle, follower_count: creator.followers },
                caption: words.body,
                like_count: random.per_mille(930).then_some(likes),
                comment_count: likes / 30,
                is_paid_partnership: labelled,
                sponsor_tags: document
                    .deal
                    .filter(|_| labelled)
                    .map(|deal| Tag { username: format!("{}_tw", deal.brand) })
                    .into_iter()
                    .collect(),
                media_type: ["IMAGE", "CAROUSEL", "VIDEO"][random.index(3)],
                collected_at: COLLECTED_AT,
            })?;
        }
    }
    Ok(())
}
