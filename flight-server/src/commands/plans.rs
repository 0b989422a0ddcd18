//! Plans between the moment a client learns of a result and the moment it fetches it, a few milliseconds later.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use prost::Message;

use super::statement::Plan;
use crate::ticket::StatementTicket;

const MOST: usize = 256;
/// Of the tickets, with statements and values: what a plan takes is a multiple of them.
const MOST_BYTES: usize = 4 << 20;
const LIFE: Duration = Duration::from_secs(10);

/// Recent plans, each taken once. A ticket whose plan is gone is planned anew, so losing one costs only time.
///
/// A plan is found by its whole ticket: principal, groups, statement, values, and where names are looked up. Whoever
/// takes it lists the tables' files again and asks whether the policy is still the one that permitted it.
#[derive(Debug, Default)]
pub(crate) struct Plans(Mutex<Shelf>);

#[derive(Debug, Default)]
struct Shelf {
    kept: VecDeque<Kept>,
    bytes: usize,
}

#[derive(Debug)]
struct Kept {
    since: Instant,
    ticket: StatementTicket,
    bytes: usize,
    plan: Plan,
}

impl Plans {
    pub(super) fn keep(&self, ticket: &StatementTicket, plan: Plan) {
        self.keep_at(Instant::now(), ticket, plan);
    }

    fn keep_at(&self, since: Instant, ticket: &StatementTicket, plan: Plan) {
        let bytes = ticket.encoded_len();
        if bytes > MOST_BYTES {
            return;
        }
        let mut shelf = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        shelf.tidy(since);
        while shelf.kept.len() >= MOST || shelf.bytes + bytes > MOST_BYTES {
            shelf.drop_oldest();
        }
        shelf.bytes += bytes;
        shelf.kept.push_back(Kept { since, ticket: ticket.clone(), bytes, plan });
    }

    /// The plan of exactly this ticket, if it is fresh.
    pub(super) fn take(&self, ticket: &StatementTicket) -> Option<Plan> {
        self.take_at(Instant::now(), ticket)
    }

    fn take_at(&self, now: Instant, ticket: &StatementTicket) -> Option<Plan> {
        let mut shelf = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        shelf.tidy(now);
        let place = shelf.kept.iter().position(|kept| kept.ticket == *ticket)?;
        let kept = shelf.kept.remove(place)?;
        shelf.bytes -= kept.bytes;
        Some(kept.plan)
    }
}

impl Shelf {
    fn tidy(&mut self, now: Instant) {
        while self.kept.front().is_some_and(|kept| now.duration_since(kept.since) >= LIFE) {
            self.drop_oldest();
        }
    }

    fn drop_oldest(&mut self) {
        if let Some(oldest) = self.kept.pop_front() {
            self.bytes -= oldest.bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::datatypes::Schema;
    use tithe_engine::Principal;

    use super::super::statement::Description;
    use super::*;
    use crate::session::Choices;

    fn plan() -> Plan {
        let schema = Arc::new(Schema::empty());
        Plan::Open(Description { schema: Arc::clone(&schema), parameters: schema, update: false })
    }

    fn ticket(principal: &Principal, bytes: usize) -> StatementTicket {
        StatementTicket::new(principal, "x".repeat(bytes), Choices::default(), &Schema::empty())
    }

    #[test]
    fn a_plan_is_taken_once_and_by_its_whole_ticket() {
        let (plans, lin) = (Plans::default(), Principal::from("lin"));
        let kept = ticket(&lin, 9);
        plans.keep(&kept, plan());
        let promoted = Principal { groups: ["chiefs".to_owned()].into(), ..lin.clone() };
        // Another's, one with other groups, another of the same statement, and one with values.
        for other in [Principal::from("wang"), promoted, lin.clone()] {
            assert!(plans.take(&ticket(&other, 9)).is_none());
        }
        assert!(plans.take(&kept.clone().with_values(vec![1])).is_none());
        assert!(plans.take(&kept).is_some());
        assert!(plans.take(&kept).is_none());
        assert_eq!(plans.0.lock().unwrap().bytes, 0);
    }

    #[test]
    fn plans_are_bounded_in_number_bytes_and_age() {
        let (plans, lin) = (Plans::default(), Principal::from("lin"));
        let now = Instant::now();
        let tickets: Vec<_> = (0..=MOST).map(|_| ticket(&lin, 9)).collect();
        for ticket in &tickets {
            plans.keep_at(now, ticket, plan());
        }
        assert!(plans.take_at(now, &tickets[0]).is_none());
        assert!(plans.take_at(now, &tickets[1]).is_some());
        let large = ticket(&lin, MOST_BYTES - 1_000);
        plans.keep_at(now, &large, plan());
        assert!(plans.take_at(now, &tickets[2]).is_none());
        assert!(plans.0.lock().unwrap().bytes <= MOST_BYTES);
        assert!(plans.take_at(now + LIFE, &large).is_none());
        let empty = |shelf: &Shelf| shelf.bytes == 0 && shelf.kept.is_empty();
        assert!(empty(&plans.0.lock().unwrap()));
        let too_large = ticket(&lin, MOST_BYTES);
        plans.keep_at(now, &too_large, plan());
        assert!(plans.take_at(now, &too_large).is_none());
    }
}
