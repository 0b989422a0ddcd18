//! Plans between the moment a client learns of a result and the moment it fetches it, a few milliseconds later.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::statement::Plan;
use crate::ticket::StatementTicket;

const MOST: usize = 256;
const LIFE: Duration = Duration::from_secs(10);

/// Recent plans, each taken once. A ticket whose plan is gone is planned anew, so losing one costs only time.
#[derive(Debug, Default)]
pub(crate) struct Plans {
    kept: Mutex<VecDeque<(Instant, StatementTicket, Plan)>>,
}

impl Plans {
    pub(super) fn keep(&self, ticket: &StatementTicket, planned: Plan) {
        let now = Instant::now();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        while kept.len() >= MOST
            || kept.front().is_some_and(|(since, _, _)| now.duration_since(*since) >= LIFE)
        {
            kept.pop_front();
        }
        kept.push_back((now, ticket.clone(), planned));
    }

    /// The plan of exactly this ticket, if it is fresh.
    pub(super) fn take(&self, ticket: &StatementTicket) -> Option<Plan> {
        let now = Instant::now();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let place = kept.iter().position(|(_, known, _)| known == ticket)?;
        let (since, _, planned) = kept.remove(place)?;
        (now.duration_since(since) < LIFE).then_some(planned)
    }
}
