//! Slows down those who guess passwords.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

const DELAY: Duration = Duration::from_secs(1);

type Lane = Arc<tokio::sync::Mutex<()>>;

/// Lets one login from one address be checked at a time, and a failed one keeps that address waiting for a second: so
/// guessing is held to one password a second, and nobody can lock out a user from elsewhere.
#[derive(Debug)]
pub(crate) struct Throttle {
    delay: Duration,
    lanes: Mutex<HashMap<Option<IpAddr>, Lane>>,
}

impl Default for Throttle {
    fn default() -> Self {
        Self { delay: DELAY, lanes: Mutex::default() }
    }
}

impl Throttle {
    /// Runs `check` for a login from `peer`, and returns what it says.
    pub(crate) async fn attempt(&self, peer: Option<IpAddr>, check: impl Future<Output = bool>) -> bool {
        let peer = peer.map(network);
        let lane = self.lane(peer);
        let passed = {
            let _turn = lane.lock().await;
            let passed = check.await;
            if !passed {
                tokio::time::sleep(self.delay).await;
            }
            passed
        };
        drop(lane);
        self.tidy();
        passed
    }

    fn lane(&self, peer: Option<IpAddr>) -> Lane {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(lanes.entry(peer).or_default())
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
    use std::time::Instant;

    use super::*;

    #[tokio::test]
    async fn guesses_from_one_address_wait_for_each_other() {
        let throttle = Throttle { delay: Duration::from_millis(60), ..Throttle::default() };
        let (attacker, user) = (Some(IpAddr::from([10, 0, 0, 1])), Some(IpAddr::from([10, 0, 0, 2])));
        let start = Instant::now();
        let elsewhere = async {
            assert!(throttle.attempt(user, async { true }).await);
            start.elapsed()
        };
        let guess = || throttle.attempt(attacker, async { false });
        let (first, second, third, elsewhere) = tokio::join!(guess(), guess(), guess(), elsewhere);
        assert!(!first && !second && !third);
        assert!(start.elapsed() >= 3 * throttle.delay);
        assert!(elsewhere < throttle.delay);
        assert!(throttle.lanes.lock().unwrap().is_empty());
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
