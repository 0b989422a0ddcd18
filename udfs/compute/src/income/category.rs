/// What a channel is about, as far as advertisers pay differently for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Category {
    /// Finance, investing, business.
    Finance,
    /// Science and technology.
    Technology,
    /// Education, languages, knowledge.
    Education,
    /// Health, fitness, sport.
    Health,
    /// Beauty and fashion.
    Beauty,
    /// Food, travel, family.
    Food,
    /// Daily life.
    Vlog,
    /// Entertainment, comedy, film.
    Entertainment,
    /// Games and virtual streamers.
    Gaming,
    /// Music and dance.
    Music,
    /// Made for children.
    Kids,
}

/// Names by category; the numbers are YouTube's category ids.
const NAMES: [(Category, &[&str]); 11] = [
    (Category::Finance, &["finance", "business", "investing", "財經", "理財", "商業", "投資"]),
    (Category::Technology, &["technology", "tech", "science", "3c", "科技", "科學", "28"]),
    (Category::Education, &["education", "knowledge", "教育", "知識", "語言", "27"]),
    (Category::Health, &["health", "fitness", "sports", "健康", "健身", "運動", "17"]),
    (Category::Beauty, &["beauty", "fashion", "style", "美妝", "時尚", "穿搭", "26"]),
    (
        Category::Food,
        &[
            "food",
            "travel",
            "family",
            "parenting",
            "pets",
            "美食",
            "旅遊",
            "親子",
            "家庭",
            "寵物",
            "15",
            "19",
        ],
    ),
    (Category::Vlog, &["vlog", "lifestyle", "people", "people & blogs", "生活", "日常", "22"]),
    (
        Category::Entertainment,
        &["entertainment", "comedy", "film", "news", "娛樂", "搞笑", "電影", "時事", "1", "23", "24", "25"],
    ),
    (Category::Gaming, &["gaming", "games", "vtuber", "遊戲", "電玩", "實況", "虛擬主播", "20"]),
    (Category::Music, &["music", "dance", "音樂", "舞蹈", "10"]),
    (Category::Kids, &["kids", "children", "兒童", "玩具"]),
];

impl Category {
    /// Every category.
    pub const ALL: [Self; 11] = [
        Self::Finance,
        Self::Technology,
        Self::Education,
        Self::Health,
        Self::Beauty,
        Self::Food,
        Self::Vlog,
        Self::Entertainment,
        Self::Gaming,
        Self::Music,
        Self::Kids,
    ];

    /// The category of a name in English or Chinese, in any letter case and width, or of a YouTube category
    /// id. Of names joined by `/` or `、` the first known one counts.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let folded: String = name.chars().map(half_width).flat_map(char::to_lowercase).collect();
        folded.split(['/', '、', ',']).map(str::trim).find_map(|part| {
            NAMES.iter().find(|(_, names)| names.contains(&part)).map(|(category, _)| *category)
        })
    }

    /// Whether group buying is common in it.
    #[must_use]
    pub fn sells_to_groups(self) -> bool {
        matches!(self, Self::Beauty | Self::Food)
    }
}

fn half_width(character: char) -> char {
    match character {
        '\u{3000}' => ' ',
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(character) - 0xFEE0).unwrap_or(character),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_names_in_both_languages_and_any_width() {
        let check = |name: &str, expected: Option<Category>| {
            assert_eq!(Category::from_name(name), expected, "{name}")
        };
        check("finance/business", Some(Category::Finance));
        check("Gaming/VTuber", Some(Category::Gaming));
        check("health/fitness", Some(Category::Health));
        check(" ＶＬＯＧ ", Some(Category::Vlog));
        check("美食、旅遊", Some(Category::Food));
        check("22", Some(Category::Vlog));
        check("", None);
        check("volcanology", None);
    }

    #[test]
    fn no_name_stands_for_two_categories() {
        let mut names: Vec<&str> = NAMES.iter().flat_map(|(_, names)| names.iter().copied()).collect();
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
