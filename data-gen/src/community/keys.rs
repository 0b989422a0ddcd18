use super::taxpayer::Community;
use crate::calendar::day;
use crate::random::{Stream, Topic};
use crate::reference::{Agency, agencies};

/// A business whose number and name a channel shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ShownBusiness {
    /// Position among the community's businesses.
    pub(crate) firm: usize,
    /// It is the creator's own, not copied from somebody's template.
    pub(crate) own: bool,
}

/// What ties a channel to its owner, and to others by mistake.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    /// The agency that represents the channel.
    pub(crate) agency: Option<&'static Agency>,
    /// Position among the community's businesses of the one that the creator runs.
    pub(crate) studio: Option<usize>,
    pub(crate) shown: Option<ShownBusiness>,
    /// Position in the community's taxpayers of the person whose e-mail the channel shows, where that is another.
    pub(crate) others_email: Option<usize>,
    /// When the creator registered an account with the tax office, and whether the channel's own or by mistake the
    /// neighbour's.
    pub(crate) registered: Option<(i32, bool)>,
    /// The channel with which payers and registers confuse this one; itself where the community has no other.
    pub(crate) neighbour: Neighbour,
}

/// Another channel of the community.
#[derive(Clone, Debug, Default)]
pub(crate) struct Neighbour {
    pub(crate) handle: String,
    pub(crate) channel_id: String,
}

impl Keys {
    /// The keys of the `nth` of `count` creators of a community.
    pub(crate) fn draw(
        seed: u64,
        community: &Community,
        (nth, count): (u64, u64),
        taxpayer: usize,
        in_agency: bool,
    ) -> Self {
        let mut random = Stream::new(seed, Topic::LinkKey, 0, community.taxpayers[taxpayer].index);
        let firms = community.businesses.len();
        let firm_of = |nth: u64| usize::try_from(nth % count * firms as u64 / count).unwrap_or(0);
        let agency = agencies().get(random.index(agencies().len())).filter(|_| in_agency);
        let studio = (random.per_mille(200) && firms > 0).then(|| firm_of(nth));
        let copies = random.per_mille(30) && firms > 1 && count > 1;
        let shows = random.per_mille(750);
        let shown = if copies {
            Some(ShownBusiness { firm: firm_of(nth + 1), own: false })
        } else {
            studio.filter(|_| shows).map(|firm| ShownBusiness { firm, own: true })
        };
        let other = community.individuals.get(random.index(community.individuals.len())).copied();
        let shares = random.per_mille(50);
        let registered_on = day(2023, 1, 1) + random.days(0, 900);
        let (registers, mistaken) = (random.per_mille(500), random.per_mille(40));
        Self {
            agency,
            studio,
            shown,
            others_email: other.filter(|&other| shares && !in_agency && other != taxpayer),
            registered: registers.then_some((registered_on, !mistaken)),
            neighbour: Neighbour::default(),
        }
    }
}
