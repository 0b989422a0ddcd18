//! The sessions of one server: bounded in number and life.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use uuid::Uuid;

use super::{Choices, SessionKeys};

/// The cookie by which Flight clients keep their session.
pub(crate) const COOKIE: &str = "arrow_flight_session_id";

const IDLE: Duration = Duration::from_hours(24);
const MOST: usize = 10_000;

/// What each client chose. A client that chose nothing has no session.
#[derive(Default)]
pub(crate) struct Sessions {
    chosen: Mutex<HashMap<(String, String), Chosen>>,
}

struct Chosen {
    /// The same under each name of one session: clients that keep no cookies never send theirs again.
    session: Uuid,
    choices: Choices,
    used: Instant,
}

impl std::fmt::Debug for Sessions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sessions")
    }
}

impl Sessions {
    /// The schema that the client chose.
    pub(crate) fn schema(&self, client: &SessionKeys) -> Option<String> {
        self.choices(client).schema
    }

    /// All that the client chose.
    pub(crate) fn choices(&self, client: &SessionKeys) -> Choices {
        self.find(client).unwrap_or_default()
    }

    fn find(&self, client: &SessionKeys) -> Option<Choices> {
        let now = Instant::now();
        let mut chosen = self.chosen.lock().unwrap_or_else(PoisonError::into_inner);
        let key = client.all().find(|key| chosen.get(key).is_some_and(|chosen| chosen.lives(now)))?;
        let chosen = chosen.get_mut(&key)?;
        chosen.used = now;
        Some(chosen.choices.clone())
    }

    /// Notes the choices in place of those before; false when there are too many sessions, or the client cannot be recognised again.
    pub(crate) fn choose(&self, client: &SessionKeys, choices: &Choices) -> bool {
        let now = Instant::now();
        let mut chosen = self.chosen.lock().unwrap_or_else(PoisonError::into_inner);
        if chosen.len() >= MOST {
            chosen.retain(|_, chosen| chosen.lives(now));
        }
        let known = client.all().find_map(|key| chosen.get(&key).map(|chosen| chosen.session));
        let session = known.unwrap_or_else(Uuid::new_v4);
        let mut kept = false;
        for key in client.all() {
            if chosen.len() < MOST || chosen.contains_key(&key) {
                chosen.insert(key, Chosen { session, choices: choices.clone(), used: now });
                kept = true;
            }
        }
        kept
    }

    /// Forgets what the client chose.
    pub(crate) fn close(&self, client: &SessionKeys) {
        let mut chosen = self.chosen.lock().unwrap_or_else(PoisonError::into_inner);
        let sessions: Vec<Uuid> =
            client.all().filter_map(|key| chosen.remove(&key)).map(|chosen| chosen.session).collect();
        if !sessions.is_empty() {
            chosen.retain(|_, chosen| !sessions.contains(&chosen.session));
        }
    }
}

impl Chosen {
    fn lives(&self, now: Instant) -> bool {
        now.duration_since(self.used) < IDLE
    }
}

#[cfg(test)]
mod tests {
    use tithe_engine::Principal;
    use tonic::metadata::MetadataMap;

    use super::*;
    use crate::connection::Peer;

    fn client(name: &str, connection: u64) -> SessionKeys {
        let principal = Principal::from(name);
        SessionKeys::new(&principal, &MetadataMap::new(), Some(Peer { connection, address: None }))
    }

    fn schema(name: &str) -> Choices {
        Choices { schema: Some(name.to_owned()), ..Choices::default() }
    }

    #[test]
    fn each_client_has_its_own_choice() {
        let sessions = Sessions::default();
        assert!(sessions.choose(&client("wang", 1), &schema("tax")));
        assert_eq!(sessions.schema(&client("wang", 1)).as_deref(), Some("tax"));
        assert_eq!(sessions.schema(&client("lin", 1)), None);
        assert_eq!(sessions.schema(&client("wang", 2)), None);
        sessions.close(&client("wang", 1));
        assert_eq!(sessions.schema(&client("wang", 1)), None);
    }

    #[test]
    fn a_cookie_moves_with_the_client() {
        let sessions = Sessions::default();
        let first = client("wang", 1).with_cookie("c".to_owned());
        assert!(sessions.choose(&first, &schema("tax")));
        let reconnected = client("wang", 2).with_cookie("c".to_owned());
        assert_eq!(sessions.schema(&reconnected).as_deref(), Some("tax"));
    }

    #[test]
    fn closing_leaves_nothing_of_a_client_that_ignored_its_cookie() {
        let sessions = Sessions::default();
        assert!(sessions.choose(&client("wang", 1).with_cookie("c".to_owned()), &schema("tax")));
        assert!(sessions.choose(&client("lin", 2), &schema("ref")));
        sessions.close(&client("wang", 1));
        assert_eq!(sessions.chosen.lock().unwrap().len(), 1);
    }

    #[test]
    fn sessions_are_bounded() {
        let sessions = Sessions::default();
        for number in 0..MOST {
            let keys = client("wang", 1).with_cookie(number.to_string());
            assert!(sessions.choose(&keys, &schema("tax")));
        }
        assert!(sessions.chosen.lock().unwrap().len() <= MOST);
        assert!(!sessions.choose(&client("wang", 2), &schema("tax")));
        assert!(sessions.choose(&client("wang", 1), &schema("invoice")));
    }
}
