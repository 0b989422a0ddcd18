//! The provider's keys, as they were a short while ago.

use std::sync::{PoisonError, RwLock};
use std::time::{Duration, Instant};

use jsonwebtoken::jwk::{Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey, Header};
use tracing::warn;

use super::discovery::Discovery;
use super::options::{IdentityProviderError, IdentityProviderOptions};

/// How long keys are used before the provider is asked again: so long does a key live that it has withdrawn.
const FRESH: Duration = Duration::from_mins(5);
/// How long keys are used when the provider does not answer.
const USABLE: Duration = Duration::from_hours(1);
/// Between two questions: whoever sends tokens with invented keys must not make us a burden to the provider.
const PAUSE: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(super) struct Keys {
    discovery: Discovery,
    fresh: Duration,
    pause: Duration,
    known: RwLock<Known>,
    /// Held by the one who asks, with the time of the last question.
    asked: tokio::sync::Mutex<Option<Instant>>,
}

#[derive(Debug, Default)]
struct Known {
    keys: Vec<Key>,
    since: Option<Instant>,
}

#[derive(Debug, Clone)]
struct Key {
    id: Option<String>,
    algorithm: Option<Algorithm>,
    key: DecodingKey,
}

impl Keys {
    pub(super) fn new(options: &IdentityProviderOptions) -> Result<Self, IdentityProviderError> {
        Ok(Self {
            discovery: Discovery::new(options)?,
            fresh: FRESH,
            pause: PAUSE,
            known: RwLock::default(),
            asked: tokio::sync::Mutex::default(),
        })
    }

    /// The key that a token with this header must be signed with.
    pub(super) async fn find(&self, header: &Header) -> Option<DecodingKey> {
        if let Some(key) = self.look_up(header, self.fresh) {
            return Some(key);
        }
        let mut asked = self.asked.lock().await;
        // Another request may have asked in the meantime.
        if let Some(key) = self.look_up(header, self.fresh) {
            return Some(key);
        }
        if asked.is_none_or(|asked| asked.elapsed() >= self.pause) {
            *asked = Some(Instant::now());
            if let Err(error) = self.fetch().await {
                warn!(%error, "the identity provider's keys are not renewed");
            }
        }
        self.look_up(header, USABLE)
    }

    /// Asks the provider.
    pub(super) async fn refresh(&self) -> Result<(), IdentityProviderError> {
        let mut asked = self.asked.lock().await;
        *asked = Some(Instant::now());
        self.fetch().await
    }

    async fn fetch(&self) -> Result<(), IdentityProviderError> {
        let keys = self.discovery.keys().await?.iter().filter_map(usable).collect();
        *self.known.write().unwrap_or_else(PoisonError::into_inner) =
            Known { keys, since: Some(Instant::now()) };
        Ok(())
    }

    fn look_up(&self, header: &Header, within: Duration) -> Option<DecodingKey> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.since.filter(|since| since.elapsed() < within)?;
        choose(&known.keys, header)
    }
}

/// By its id; a token without one is checked only when there is no choice.
fn choose(keys: &[Key], header: &Header) -> Option<DecodingKey> {
    let mut fitting = keys
        .iter()
        .filter(|key| key.algorithm.is_none_or(|algorithm| algorithm == header.alg))
        .filter(|key| key.key.family() == header.alg.family())
        .filter(|key| header.kid.is_none() || key.id == header.kid);
    match (fitting.next(), fitting.next()) {
        (Some(key), None) => Some(key.key.clone()),
        _ => None,
    }
}

fn usable(key: &Jwk) -> Option<Key> {
    let signs = matches!(key.common.public_key_use, None | Some(PublicKeyUse::Signature));
    let algorithm = match key.common.key_algorithm {
        None => None,
        Some(named) => Some(Algorithm::try_from(named).ok()?),
    };
    let decoding = DecodingKey::from_jwk(key).ok()?;
    // A shared secret does not belong into a public set, and could be no one's.
    let public = decoding.family() != AlgorithmFamily::Hmac;
    (signs && public).then(|| Key { id: key.common.key_id.clone(), algorithm, key: decoding })
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use axum::Router;
    use axum::http::StatusCode;
    use axum::routing::get;
    use serde_json::{Value, json};

    use super::*;

    /// What the provider says is its keys; without any it is out of order.
    type Published = Arc<Mutex<Option<Value>>>;

    async fn provider(published: &Published) -> IdentityProviderOptions {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let configuration = json!({"issuer": issuer, "jwks_uri": format!("{issuer}/keys")});
        let published = Arc::clone(published);
        let keys = move || {
            let keys = published.lock().unwrap().clone();
            async move { keys.map(|keys| keys.to_string()).ok_or(StatusCode::SERVICE_UNAVAILABLE) }
        };
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(|| async move { configuration.to_string() }))
            .route("/keys", get(keys));
        tokio::spawn(async move { axum::serve(listener, router).await });
        IdentityProviderOptions {
            issuer,
            audience: "tithe".to_owned(),
            user_claim: "sub".to_owned(),
            groups_claim: None,
            authority: None,
        }
    }

    /// A key of the Edwards curve, whose bytes need not be anyone's for looking it up.
    fn edwards(id: &str, byte: char) -> Value {
        let x = byte.to_string().repeat(43);
        json!({"kty": "OKP", "crv": "Ed25519", "x": x, "kid": id, "use": "sig", "alg": "EdDSA"})
    }

    fn header(algorithm: Algorithm, id: Option<&str>) -> Header {
        Header { kid: id.map(str::to_owned), ..Header::new(algorithm) }
    }

    async fn keys(published: &Published, fresh: Duration, pause: Duration) -> Keys {
        let keys = Keys { fresh, pause, ..Keys::new(&provider(published).await).unwrap() };
        keys.refresh().await.unwrap();
        keys
    }

    #[tokio::test]
    async fn keys_come_and_go_with_the_provider() {
        let published = Published::new(Mutex::new(Some(json!({"keys": [edwards("a", 'A')]}))));
        let keys = keys(&published, Duration::ZERO, Duration::ZERO).await;
        let (a, b) = (header(Algorithm::EdDSA, Some("a")), header(Algorithm::EdDSA, Some("b")));
        assert!(keys.find(&a).await.is_some() && keys.find(&b).await.is_none());
        *published.lock().unwrap() = Some(json!({"keys": [edwards("b", 'E')]}));
        assert!(keys.find(&b).await.is_some() && keys.find(&a).await.is_none());
        // Out of order, it does not lock out everybody at once.
        *published.lock().unwrap() = None;
        assert!(keys.find(&b).await.is_some());
    }

    #[tokio::test]
    async fn invented_keys_do_not_burden_the_provider() {
        let published = Published::new(Mutex::new(Some(json!({"keys": []}))));
        let keys = keys(&published, FRESH, PAUSE).await;
        *published.lock().unwrap() = Some(json!({"keys": [edwards("a", 'A')]}));
        // Asked a moment ago: not again, though it would have the key by now.
        assert!(keys.find(&header(Algorithm::EdDSA, Some("a"))).await.is_none());
    }

    #[tokio::test]
    async fn a_key_signs_by_its_own_method_alone() {
        let set = json!({"keys": [
            edwards("a", 'A'),
            {"kty": "oct", "k": "c2VjcmV0", "kid": "secret", "alg": "HS256"},
            {"kty": "OKP", "crv": "Ed25519", "x": "A".repeat(43), "kid": "encrypts", "use": "enc"},
            {"kty": "unheard-of", "kid": "new"},
            "nonsense",
        ]});
        let keys = keys(&Published::new(Mutex::new(Some(set))), FRESH, PAUSE).await;
        assert!(keys.find(&header(Algorithm::EdDSA, Some("a"))).await.is_some());
        assert!(keys.find(&header(Algorithm::EdDSA, None)).await.is_some(), "the only one that fits");
        for (algorithm, id) in [
            (Algorithm::RS256, "a"),
            (Algorithm::ES256, "a"),
            (Algorithm::HS256, "secret"),
            (Algorithm::EdDSA, "encrypts"),
            (Algorithm::EdDSA, "new"),
        ] {
            assert!(keys.find(&header(algorithm, Some(id))).await.is_none(), "{id}");
        }
    }

    #[tokio::test]
    async fn what_is_no_provider_is_told_from_one_that_does_not_answer() {
        let published = Published::default();
        let options = provider(&published).await;
        let told = async |issuer: String| {
            let keys = Keys::new(&IdentityProviderOptions { issuer, ..options.clone() })?;
            keys.refresh().await
        };
        let out_of_order = told(options.issuer.clone()).await;
        assert!(matches!(out_of_order, Err(IdentityProviderError::Unreachable { .. })), "{out_of_order:?}");
        *published.lock().unwrap() = Some(json!({"keys": []}));
        assert!(told(options.issuer.clone()).await.is_ok());
        let renamed = told(format!("{}/", options.issuer)).await;
        assert!(matches!(renamed, Err(IdentityProviderError::Answer { .. })), "{renamed:?}");
        let elsewhere = told(format!("{}/realm", options.issuer)).await;
        assert!(matches!(elsewhere, Err(IdentityProviderError::Answer { .. })), "{elsewhere:?}");
    }
}
