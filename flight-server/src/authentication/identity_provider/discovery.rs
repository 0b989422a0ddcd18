//! Asks the provider for its keys.

use std::time::Duration;

use jsonwebtoken::jwk::Jwk;
use reqwest::{Certificate, Client, Url, redirect};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::options::{IdentityProviderError, IdentityProviderOptions};

const TIMEOUT: Duration = Duration::from_secs(5);
/// Of an answer; real ones have some kilobytes.
const LARGEST: usize = 1 << 20;
const CONFIGURATION: &str = "/.well-known/openid-configuration";

/// A connection to the provider.
#[derive(Debug)]
pub(super) struct Discovery {
    client: Client,
    issuer: String,
}

#[derive(Deserialize)]
struct Configuration {
    issuer: String,
    jwks_uri: String,
}

#[derive(Deserialize)]
struct KeySet {
    keys: Vec<Value>,
}

impl Discovery {
    pub(super) fn new(options: &IdentityProviderOptions) -> Result<Self, IdentityProviderError> {
        checked(&options.issuer)?;
        let mut builder = Client::builder().timeout(TIMEOUT).redirect(redirect::Policy::none());
        if let Some(path) = &options.authority {
            let refused = |reason| IdentityProviderError::Authority { path: path.clone(), reason };
            let pem = std::fs::read(path).map_err(|error| refused(error.to_string()))?;
            let authorities =
                Certificate::from_pem_bundle(&pem).map_err(|error| refused(error.to_string()))?;
            if authorities.is_empty() {
                return Err(refused("it holds no certificate in PEM".to_owned()));
            }
            for authority in authorities {
                builder = builder.add_root_certificate(authority);
            }
        }
        let client = builder.build().map_err(|error| IdentityProviderError::Unreachable {
            url: options.issuer.clone(),
            reason: plain(&error),
        })?;
        Ok(Self { client, issuer: options.issuer.clone() })
    }

    /// The provider's keys now. Kinds of keys that are not known are left out, as the standard says.
    pub(super) async fn keys(&self) -> Result<Vec<Jwk>, IdentityProviderError> {
        let url = format!("{}{CONFIGURATION}", self.issuer.trim_end_matches('/'));
        let configuration: Configuration = self.get(&url).await?;
        if configuration.issuer != self.issuer {
            let reason = format!(
                "it calls itself {:?}, and its tokens will too: write the issuer in this way",
                configuration.issuer
            );
            return Err(IdentityProviderError::Answer { url, reason });
        }
        let set: KeySet = self.get(&configuration.jwks_uri).await?;
        Ok(set.keys.into_iter().filter_map(|key| serde_json::from_value(key).ok()).collect())
    }

    async fn get<T: DeserializeOwned>(&self, url: &str) -> Result<T, IdentityProviderError> {
        let unreachable = |error: reqwest::Error| IdentityProviderError::Unreachable {
            url: url.to_owned(),
            reason: plain(&error.without_url()),
        };
        let wrong = |reason| IdentityProviderError::Answer { url: url.to_owned(), reason };
        let mut answer = self.client.get(checked(url)?).send().await.map_err(unreachable)?;
        let status = answer.status();
        if status.is_server_error() {
            let reason = format!("it says {status}");
            return Err(IdentityProviderError::Unreachable { url: url.to_owned(), reason });
        }
        if !status.is_success() {
            return Err(wrong(format!("it says {status}")));
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(unreachable)? {
            if body.len() + chunk.len() > LARGEST {
                return Err(wrong(format!("its answer has more than {LARGEST} bytes")));
            }
            body.extend_from_slice(&chunk);
        }
        serde_json::from_slice(&body).map_err(|error| wrong(error.to_string()))
    }
}

fn checked(text: &str) -> Result<Url, IdentityProviderError> {
    let refused = || IdentityProviderError::Address { url: text.to_owned() };
    let url = Url::parse(text).map_err(|_invalid| refused())?;
    let on_loopback = match url.host_str() {
        Some("localhost") => true,
        Some(host) => {
            host.trim_matches(['[', ']']).parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
        }
        None => false,
    };
    match url.scheme() {
        "https" => Ok(url),
        "http" if on_loopback => Ok(url),
        _ => Err(refused()),
    }
}

/// The innermost cause, which says what happened.
fn plain(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_do_not_travel_in_the_clear() {
        for good in
            ["https://login.example/realm", "http://127.0.0.1:9", "http://[::1]:9", "http://localhost"]
        {
            assert!(checked(good).is_ok(), "{good}");
        }
        for bad in
            ["http://login.example", "http://127.0.0.1.example", "file:///etc/passwd", "login.example", ""]
        {
            assert!(checked(bad).is_err(), "{bad}");
        }
    }
}
