use serde::Serialize;

use super::third_party_text::{COLLECTED_AT, contact, shown_ban, three_figures};
use crate::calendar::iso;
use crate::community::{Community, Creator};
use crate::random::{Stream, Topic};
use crate::write::TableName;

/// Channels as the platform gives them.
pub(crate) const CHANNELS: TableName = TableName::new("third_party", "channel_raw");

/// A channel; counts are strings, the number of subscribers is rounded or hidden.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ChannelDocument {
    kind: &'static str,
    id: String,
    snippet: Snippet,
    statistics: Statistics,
    topic_details: TopicDetails,
    status: Status,
    #[serde(rename = "collected_at")]
    collected_at: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Snippet {
    title: String,
    description: String,
    custom_url: String,
    published_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    country: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    default_language: Option<&'static str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Statistics {
    view_count: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    subscriber_count: Option<String>,
    hidden_subscriber_count: bool,
    video_count: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TopicDetails {
    topic_categories: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    made_for_kids: bool,
}

impl ChannelDocument {
    pub(crate) fn new(seed: u64, community: &Community, creator: &Creator) -> Self {
        let mut random = Stream::new(seed, Topic::Channel, 0, creator.index);
        let mut description = format!("{}的頻道，每週更新！", creator.nick);
        if random.per_mille(700) {
            description.push_str(&format!("\n合作邀約：{}", contact(community, creator)));
        }
        if creator.keys.agency.is_some() || random.per_mille(120) {
            description
                .push_str(&format!("\n統一編號：{}", shown_ban(community, creator).unwrap_or_default()));
        }
        if let Some((owner, business)) =
            creator.keys.shown.and_then(|shown| community.firms().nth(shown.firm))
        {
            description.push_str(&format!("\n{}　統一編號：{}", owner.name, business.ban.as_str()));
        }
        if creator.live && random.per_mille(500) {
            description.push_str("\n歡迎抖內支持：https://p.ecpay.com.tw/example");
        }
        let recent: i64 = creator.years.iter().map(|year| year.long_views + year.short_views).sum();
        let videos: u64 = creator.documents.iter().map(|(long, short, _)| long + short).sum();
        Self {
            kind: "youtube#channel",
            id: creator.channel_id.clone(),
            snippet: Snippet {
                title: creator.title.clone(),
                description,
                custom_url: creator.handle.clone(),
                published_at: iso(creator.opened_on, random.days(0, 86_399)),
                country: random.per_mille(850).then_some("TW"),
                default_language: random.per_mille(600).then_some("zh-TW"),
            },
            statistics: Statistics {
                view_count: (recent + recent * random.between(10, 400) / 100).to_string(),
                subscriber_count: (!creator.follower_count_hidden)
                    .then(|| three_figures(creator.followers).to_string()),
                hidden_subscriber_count: creator.follower_count_hidden,
                video_count: (videos + u64::from(random.below(400))).to_string(),
            },
            topic_details: TopicDetails {
                topic_categories: vec![format!(
                    "https://en.wikipedia.org/wiki/{}",
                    creator.category.topic_page
                )],
            },
            status: Status { made_for_kids: creator.category.key == "kids" },
            collected_at: COLLECTED_AT,
        }
    }
}
