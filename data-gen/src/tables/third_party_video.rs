use serde::Serialize;

use super::DocumentRow;
use super::third_party_text::{COLLECTED_AT, token, write};
use crate::calendar::iso;
use crate::community::{Community, Creator, Document, DocumentKind};
use crate::random::{Stream, Topic};
use crate::write::{Lines, TableName};

/// Videos as the platform gives them.
pub(crate) const VIDEOS: TableName = TableName::new("third_party", "video_raw");

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct VideoDocument {
    kind: &'static str,
    id: String,
    snippet: Snippet,
    content_details: ContentDetails,
    statistics: Statistics,
    #[serde(skip_serializing_if = "Option::is_none")]
    live_streaming_details: Option<LiveStreamingDetails>,
    #[serde(rename = "collected_at")]
    collected_at: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Snippet {
    published_at: String,
    channel_id: String,
    title: String,
    description: String,
    tags: Vec<String>,
    category_id: &'static str,
    live_broadcast_content: &'static str,
}

#[derive(Serialize)]
struct ContentDetails {
    duration: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Statistics {
    view_count: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    like_count: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    comment_count: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LiveStreamingDetails {
    actual_start_time: String,
    actual_end_time: String,
}

/// Writes the videos among a creator's documents.
pub(crate) fn videos(
    seed: u64,
    community: &Community,
    creator: &Creator,
    documents: &[Document<'_>],
    lines: &mut Lines,
    truth: &mut Vec<DocumentRow>,
) -> Result<(), serde_json::Error> {
    for document in documents.iter().filter(|document| document.kind != DocumentKind::Post) {
        let mut random = Stream::new(seed, Topic::Document, 1 + document.ordinal, creator.index);
        let words = write(community, creator, document, &mut random);
        let id = token(11, &mut random);
        let second = random.days(0, 80_000);
        let short = document.kind == DocumentKind::ShortVideo;
        let live = !short && creator.live && random.per_mille(350);
        let like_rate = random.between(15, 70);
        truth.push(DocumentRow {
            document_id: id.clone(),
            channel_id: creator.channel_id.clone(),
            kind: if short { "short" } else { "video" },
            sponsored: document.deal.is_some(),
            disclosed: document.deal.is_some_and(|deal| deal.disclosed),
            group_buy: document.group_buy,
        });
        lines.push(&VideoDocument {
            kind: "youtube#video",
            id,
            snippet: Snippet {
                published_at: iso(document.day, second),
                channel_id: creator.channel_id.clone(),
                title: words.title,
                description: words.body,
                tags: words.tags,
                category_id: creator.category.video_category,
                live_broadcast_content: "none",
            },
            content_details: ContentDetails {
                duration: match (short, live) {
                    (true, _) => format!("PT{}S", random.between(15, 59)),
                    (_, true) => {
                        format!("PT{}H{}M{}S", random.between(1, 3), random.between(0, 59), second % 60)
                    }
                    _ => format!("PT{}M{}S", random.between(4, 38), second % 60),
                },
            },
            statistics: Statistics {
                view_count: document.views.to_string(),
                like_count: random.per_mille(950).then(|| (document.views * like_rate / 1000).to_string()),
                comment_count: random.per_mille(960).then(|| (document.views * like_rate / 9000).to_string()),
            },
            live_streaming_details: live.then(|| LiveStreamingDetails {
                actual_start_time: iso(document.day, second),
                actual_end_time: iso(document.day, second + 6_000),
            }),
            collected_at: COLLECTED_AT,
        })?;
    }
    Ok(())
}
