//! Slows down those who guess passwords.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;

const DELAY: Duration = Duration::from_secs(1);
/// Logins of one address that wait for each other; more are refused.
const WAITING: usize = 128;
/// Passwords checked at once: each takes a core for a while, and the memory that its hash asks for (19 MiB).
const CHECKS: usize = 8;

type Lane = Arc<tokio::sync::Mutex<()>>;

/// Lets one login from one address be checked at a time, and a failed one keeps that address waiting for a second: so
/// guessing is held to one password a second, and nobody can lock out a user from elsewhere.
#[derive(Debug)]
pub(crate) struct Throttle {
    delay: Duration,
    lanes: Mutex<HashMap<Option<IpAddr>, Lane>>,
    checks: Semaphore,
}

impl Default for Throttle {
    fn default() -> Self {
        Self { delay: DELAY, lanes: Mutex::default(), checks: Semaphore::new(CHECKS) }
    }
}

impl Throttle {
    /// Runs `check` for a login from `peer`, and returns what it says; none when too many wait.
    ///
    /// It goes on when the caller gives up: hanging up must not buy a guess before the second is over.
    pub(crate) async fn attempt(
        self: &Arc<Self>,
        peer: Option<IpAddr>,
        check: impl FnOnce() -> bool + Send + 'static,
    ) -> Option<bool> {
        let lane = self.lane(peer.map(network))?;
        let throttle = Arc::clone(self);
        let attempt = tokio::spawn(async move {
            let passed = {
                let _turn = lane.lock().await;
                let passed = throttle.check(check).await;
                if !passed {
                    tokio::time::sleep(throttle.delay).await;
                }
                passed
            };
            drop(lane);
            throttle.tidy();
            passed
        });
        Some(attempt.await.unwrap_or(false))
    }

    async fn check(&self, check: impl FnOnce() -> bool + Send + 'static) -> bool {
        let Ok(_place) = self.checks.acquire().await else { return false };
        // Argon2 takes tens of milliseconds and megabytes on purpose: not on the threads that serve.
        tokio::task::spawn_blocking(check).await.unwrap_or(false)
    }

    fn lane(&self, peer: Option<IpAddr>) -> Option<Lane> {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        let lane = lanes.entry(peer).or_default();
        (Arc::strong_count(lane) <= WAITING).then(|| Arc::clone(lane))
    }

    fn tidy(&self) {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        lanes.retain(|_, lane| Arc::strong_count(lane) > 1);
    }
}

/// One subscriber holds a whole /64 of IPv6 addresses.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 64))),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::time::Instant;

    use super::*;

    fn throttle(milliseconds: u64) -> Arc<Throttle> {
        Arc::new(Throttle { delay: Duration::from_millis(milliseconds), ..Throttle::default() })
    }

    const ATTACKER: Option<IpAddr> = Some(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1)));
    const USER: Option<IpAddr> = Some(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 2)));

    #[tokio::test]
    async fn guesses_from_one_address_wait_for_each_other() {
        let throttle = throttle(60);
        let start = Instant::now();
        let elsewhere = async {
            assert_eq!(throttle.attempt(USER, || true).await, Some(true));
            start.elapsed()
        };
        let guess = || throttle.attempt(ATTACKER, || false);
        let (first, second, third, elsewhere) = tokio::join!(guess(), guess(), guess(), elsewhere);
        assert_eq!([first, second, third], [Some(false); 3]);
        assert!(start.elapsed() >= 3 * throttle.delay);
        assert!(elsewhere < 2 * throttle.delay);
        assert!(throttle.lanes.lock().unwrap().is_empty());
    }

    #[tokio::test]
    async fn hanging_up_does_not_make_guessing_faster() {
        let throttle = throttle(200);
        let start = Instant::now();
        let impatient = tokio::time::timeout(Duration::from_millis(20), throttle.attempt(ATTACKER, || false));
        assert!(impatient.await.is_err());
        assert_eq!(throttle.attempt(ATTACKER, || true).await, Some(true));
        assert!(start.elapsed() >= throttle.delay);
    }

    #[tokio::test]
    async fn those_who_wait_are_bounded() {
        let throttle = throttle(300);
        let attempts =
            futures::future::join_all((0..WAITING + 10).map(|_| throttle.attempt(ATTACKER, || true)));
        let refused = attempts.await.into_iter().filter(Option::is_none).count();
        assert_eq!(refused, 10);
        assert_eq!(throttle.attempt(ATTACKER, || true).await, Some(true));
    }

    #[test]
    fn a_subscriber_is_one_address() {
        let address = |text: &str| network(text.parse().unwrap());
        assert_eq!(address("2001:db8::1"), address("2001:db8::ffff:2"));
        assert_ne!(address("2001:db8::1"), address("2001:db8:0:1::1"));
        assert_eq!(address("::ffff:10.0.0.1"), address("10.0.0.1"));
        assert_ne!(address("10.0.0.1"), address("10.0.0.2"));
    }
}
