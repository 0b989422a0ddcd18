//! Bearer tokens: random, kept in memory alone, and of limited life.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use uuid::Uuid;

const IDLE: Duration = Duration::from_hours(12);
const LIFE: Duration = Duration::from_hours(7 * 24);
const PER_USER: usize = 1_000;

/// The logins of one server.
#[derive(Default)]
pub(crate) struct Tokens {
    logins: Mutex<HashMap<String, Login>>,
}

struct Login {
    name: String,
    since: Instant,
    used: Instant,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tokens")
    }
}

impl Tokens {
    /// A token that no one can guess, for the user `name`. It ends 12 hours after its last use and a week after its
    /// first; a user's thousand-and-first login ends the one that was not used for the longest time.
    pub(crate) fn issue(&self, name: &str) -> String {
        let token = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        let now = Instant::now();
        let mut logins = self.logins.lock().unwrap_or_else(PoisonError::into_inner);
        logins.retain(|_, login| login.lives(now));
        let own = logins.iter().filter(|(_, login)| login.name == name);
        let (count, oldest) =
            own.fold((0_usize, None::<(&String, Instant)>), |(count, oldest), (token, login)| {
                let older = oldest.filter(|(_, used)| *used <= login.used);
                (count + 1, older.or(Some((token, login.used))))
            });
        if let Some((oldest, _)) = oldest.filter(|_| count >= PER_USER) {
            let oldest = oldest.clone();
            logins.remove(&oldest);
        }
        logins.insert(token.clone(), Login { name: name.to_owned(), since: now, used: now });
        token
    }

    /// Whose token it is, if it lives.
    pub(crate) fn holder(&self, token: &str) -> Option<String> {
        let now = Instant::now();
        let mut logins = self.logins.lock().unwrap_or_else(PoisonError::into_inner);
        let login = logins.get_mut(token).filter(|login| login.lives(now))?;
        login.used = now;
        Some(login.name.clone())
    }
}

impl Login {
    fn lives(&self, now: Instant) -> bool {
        now.duration_since(self.used) < IDLE && now.duration_since(self.since) < LIFE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_names_its_holder() {
        let tokens = Tokens::default();
        let (first, second) = (tokens.issue("wang"), tokens.issue("lin"));
        assert_ne!(first, second);
        assert_eq!(first.len(), 64);
        assert_eq!(tokens.holder(&first).as_deref(), Some("wang"));
        assert_eq!(tokens.holder(&second).as_deref(), Some("lin"));
        assert_eq!(tokens.holder(""), None);
        assert_eq!(tokens.holder("local"), None);
    }

    #[test]
    fn a_token_dies() {
        let now = Instant::now();
        let login = Login { name: "wang".to_owned(), since: now, used: now };
        assert!(login.lives(now + IDLE - Duration::from_secs(1)));
        assert!(!login.lives(now + IDLE));
        let busy = Login { used: now + LIFE, ..login };
        assert!(!busy.lives(now + LIFE));
    }

    #[test]
    fn logins_of_a_user_are_bounded() {
        let tokens = Tokens::default();
        let first = tokens.issue("wang");
        let other = tokens.issue("lin");
        let second = tokens.issue("wang");
        for _ in 0..PER_USER - 1 {
            tokens.issue("wang");
        }
        assert_eq!(tokens.holder(&first), None);
        assert!(tokens.holder(&second).is_some() && tokens.holder(&other).is_some());
    }
}
