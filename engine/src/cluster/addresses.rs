//! Where workers are looked for.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use url::Url;

use crate::error::EngineError;

/// Addresses of workers: `HOST:PORT`, or `dns:NAME:PORT` for every address that a name stands for at the time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerAddresses(Vec<Place>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    host: String,
    port: u16,
    /// Whether the name is resolved here, to one worker for each of its addresses.
    by_name: bool,
}

/// One worker's address, and the name by which the user knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) url: Url,
    pub(super) shown: String,
    /// The entry that it comes from.
    of: String,
}

/// The part of a worker's URL that carries the name in its certificate, where the host is a number.
pub(super) const NAME: &str = "name";

impl FromStr for WorkerAddresses {
    type Err = EngineError;

    fn from_str(text: &str) -> Result<Self, EngineError> {
        let places: Vec<Place> = text
            .split(',')
            .map(str::trim)
            .filter(|entry| !entry.is_empty())
            .map(|entry| place(entry).ok_or_else(|| refuse(entry)))
            .collect::<Result<_, _>>()?;
        match places.is_empty() {
            true => Err(refuse(text)),
            false => Ok(Self(places)),
        }
    }
}

fn place(entry: &str) -> Option<Place> {
    let (by_name, address) = match entry.strip_prefix("dns:") {
        Some(address) => (true, address),
        None => (false, entry),
    };
    let (host, port) = address.rsplit_once(':')?;
    let place = Place { host: host.to_owned(), port: port.parse().ok().filter(|port| *port != 0)?, by_name };
    let url = place.url("http", host)?;
    let is_address_alone = url.username().is_empty() && url.path() == "/" && url.query().is_none();
    (is_address_alone && url.host_str().is_some_and(|host| !host.is_empty())).then_some(place)
}

fn refuse(entry: &str) -> EngineError {
    EngineError::Configuration {
        origin: "the workers' addresses".to_owned(),
        reason: format!(
            "{entry:?} is not an address: write HOST:PORT, or dns:NAME:PORT for all addresses of a name, \
             separated by commas"
        ),
    }
}

impl Place {
    fn url(&self, scheme: &str, host: &str) -> Option<Url> {
        Url::parse(&format!("{scheme}://{host}:{}", self.port)).ok()
    }

    fn unusable(&self) -> String {
        format!("{self} is not an address that can be reached")
    }

    async fn resolve(&self, scheme: &str, timeout: Duration) -> Result<Vec<Address>, String> {
        let of = self.to_string();
        if !self.by_name {
            let url = self.url(scheme, &self.host).ok_or_else(|| self.unusable())?;
            return Ok(vec![Address { url, shown: of.clone(), of }]);
        }
        let refuse = |reason: &dyn fmt::Display| {
            format!(
                "the name {} of workers cannot be resolved ({reason}): check the name and the DNS",
                self.host
            )
        };
        let found = tokio::time::timeout(timeout, tokio::net::lookup_host((self.host.as_str(), self.port)))
            .await
            .map_err(|_elapsed| refuse(&format!("no answer within {} s", timeout.as_secs_f32())))?
            .map_err(|error| refuse(&error))?;
        let mut addresses = Vec::new();
        for address in found {
            let mut url = Url::parse(&format!("{scheme}://{address}")).map_err(|_error| self.unusable())?;
            if scheme == "https" {
                url.query_pairs_mut().append_pair(NAME, &self.host);
            }
            addresses.push(Address { url, shown: format!("{address} (of {of})"), of: of.clone() });
        }
        Ok(addresses)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let prefix = if self.by_name { "dns:" } else { "" };
        write!(f, "{prefix}{}:{}", self.host, self.port)
    }
}

impl fmt::Display for WorkerAddresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&all.join(","))
    }
}

impl WorkerAddresses {
    /// Where workers may be now, and what is wrong with the entries that lead nowhere. A name that cannot be resolved
    /// within `timeout` stands for what it stood for in `before`: whoever is there is asked all the same who it is.
    pub(super) async fn resolve(
        &self,
        scheme: &str,
        timeout: Duration,
        before: &[Address],
    ) -> (Vec<Address>, Vec<String>) {
        let (mut addresses, mut problems) = (Vec::<Address>::new(), Vec::new());
        for place in &self.0 {
            match place.resolve(scheme, timeout).await {
                Ok(found) => addresses.extend(found),
                Err(problem) => {
                    let of = place.to_string();
                    addresses.extend(before.iter().filter(|address| address.of == of).cloned());
                    problems.push(problem);
                }
            }
        }
        addresses.sort_by(|a, b| a.url.cmp(&b.url));
        addresses.dedup_by(|a, b| a.url == b.url);
        (addresses, problems)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(60);

    #[test]
    fn addresses_are_host_and_port() {
        for good in ["127.0.0.1:32020", "a:1,b:2", "[::1]:9", "dns:workers.internal:32020", "a:80"] {
            assert_eq!(good.parse::<WorkerAddresses>().unwrap().to_string(), good);
        }
        for bad in
            ["", ",", "a", "a:", "a:0", ":1", "a:99999", "http://a:1", "a:1/x", "u@a:1", "dns:a", "a b:1"]
        {
            let error = bad.parse::<WorkerAddresses>().unwrap_err().to_string();
            assert!(error.contains("write HOST:PORT"), "{bad}: {error}");
        }
    }

    #[tokio::test]
    async fn a_name_stands_for_its_addresses() {
        let addresses: WorkerAddresses = "dns:localhost:9,127.0.0.1:9".parse().unwrap();
        let (found, problems) = addresses.resolve("http", TIMEOUT, &[]).await;
        assert!(problems.is_empty(), "{problems:?}");
        let same = found.iter().filter(|address| address.url.as_str() == "http://127.0.0.1:9/").count();
        assert_eq!(same, 1, "{found:?}");
    }

    #[tokio::test]
    async fn a_name_that_is_gone_is_one_sentence() {
        let addresses: WorkerAddresses = "dns:no-such-name.invalid:9,a:1".parse().unwrap();
        let (found, problems) = addresses.resolve("http", TIMEOUT, &[]).await;
        assert_eq!(found.len(), 1);
        assert!(
            problems[0].starts_with("the name no-such-name.invalid of workers cannot be resolved"),
            "{problems:?}"
        );
    }

    #[tokio::test]
    async fn a_name_without_an_answer_stands_for_what_it_stood_for() {
        let known = |of: &str, url: &str| Address {
            url: Url::parse(url).unwrap(),
            shown: format!("{url} (of {of})"),
            of: of.to_owned(),
        };
        let before = [
            known("dns:no-such-name.invalid:9", "http://10.0.0.1:9/"),
            known("dns:other:9", "http://10.0.0.2:9/"),
        ];
        let addresses: WorkerAddresses = "dns:no-such-name.invalid:9".parse().unwrap();
        let (found, problems) = addresses.resolve("http", TIMEOUT, &before).await;
        assert_eq!(found, before[..1]);
        assert_eq!(problems.len(), 1);
        // Whichever is sooner here, the refusal or the end of patience.
        let (found, problems) = addresses.resolve("http", Duration::ZERO, &before).await;
        assert_eq!(found, before[..1]);
        assert_eq!(problems.len(), 1);
    }
}
