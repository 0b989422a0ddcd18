//! What a token must be.

use std::collections::BTreeSet;

use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation, decode, decode_header};
use serde_json::{Map, Value};
use tithe_engine::Principal;

use super::options::IdentityProviderOptions;

/// By how much the provider's clock and ours may differ, in seconds.
const CLOCK_SKEW: u64 = 60;
/// Longer tokens are not looked at.
const LONGEST: usize = 16 * 1024;
const LONGEST_NAME: usize = 256;

/// Why a token lets nobody in. Names nothing that is in it but its shape.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    #[error("it is not a signed JSON Web Token")]
    Malformed,
    #[error(
        "its signature method is not accepted: RS256 to RS512, PS256 to PS512, ES256, ES384 and EdDSA are"
    )]
    Algorithm,
    #[error("it has a critical extension that is not known here")]
    Critical,
    #[error("it is not signed with a key of the identity provider")]
    UnknownKey,
    #[error("its signature is wrong")]
    Signature,
    #[error("it has expired: get a new one from the identity provider")]
    Expired,
    #[error("it is not in force yet: the clocks of this server and the identity provider may differ")]
    NotYet,
    #[error("another issuer made it")]
    Issuer,
    #[error("it was made for another audience")]
    Audience,
    #[error("its claim {0:?} is missing or not of the right kind")]
    Claim(String),
    #[error(
        "its user has too many groups for its claim {0:?}: let the identity provider send only those that matter here"
    )]
    ElsewhereGroups(String),
    #[error("its claim {0:?} is an address that the identity provider has not verified")]
    Unverified(String),
}

/// What the tokens for this server have in common.
#[derive(Debug)]
pub(super) struct Expectation {
    pub(super) issuer: String,
    audience: String,
    user_claim: String,
    groups_claim: Option<String>,
}

/// Reads the header, which nobody has vouched for yet.
pub(super) fn header(token: &str) -> Result<Header, Refusal> {
    if token.len() > LONGEST {
        return Err(Refusal::Malformed);
    }
    let header = decode_header(token).map_err(|error| refusal(&error))?;
    if matches!(header.alg, Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512) {
        return Err(Refusal::Algorithm);
    }
    // RFC 7515 §4.1.11: what must be understood and is not makes the token invalid.
    if header.crit.is_some() { Err(Refusal::Critical) } else { Ok(header) }
}

impl Expectation {
    pub(super) fn new(options: &IdentityProviderOptions) -> Self {
        Self {
            issuer: options.issuer.clone(),
            audience: options.audience.clone(),
            user_claim: options.user_claim.clone(),
            groups_claim: options.groups_claim.clone(),
        }
    }

    /// The user whom `token` names, if everything about it is right.
    pub(super) fn holder(
        &self,
        token: &str,
        header: &Header,
        key: &DecodingKey,
    ) -> Result<Principal, Refusal> {
        let mut validation = Validation::new(header.alg);
        validation.leeway = CLOCK_SKEW;
        validation.validate_nbf = true;
        validation.set_issuer(&[&self.issuer]);
        validation.set_audience(&[&self.audience]);
        validation.set_required_spec_claims(&["exp", "iss", "aud"]);
        let decoded = decode::<Map<String, Value>>(token, key, &validation);
        let claims = decoded.map_err(|error| refusal(&error))?.claims;
        // The library also takes a list of issuers with this one in it.
        if claims.get("iss").and_then(Value::as_str) != Some(&self.issuer) {
            return Err(Refusal::Issuer);
        }
        let wrong = || Refusal::Claim(self.user_claim.clone());
        let name = claims.get(&self.user_claim).and_then(Value::as_str).ok_or_else(wrong)?;
        if !is_name(name) {
            return Err(wrong());
        }
        let verified = claims.get("email_verified");
        if self.user_claim == "email" && verified.is_some_and(|verified| verified != &Value::Bool(true)) {
            return Err(Refusal::Unverified(self.user_claim.clone()));
        }
        Ok(Principal { name: name.to_owned(), groups: self.groups(&claims)? })
    }

    /// The groups that the token lists: none when it has no such claim.
    fn groups(&self, claims: &Map<String, Value>) -> Result<BTreeSet<String>, Refusal> {
        let Some(claim) = &self.groups_claim else { return Ok(BTreeSet::new()) };
        // OpenID Connect Core §5.6.2: the claim is to be fetched elsewhere, as when groups are too many for a token. To
        // take them for none would lift a rule that forbids something to a group.
        if claims.get("_claim_names").and_then(|names| names.get(claim)).is_some() {
            return Err(Refusal::ElsewhereGroups(claim.clone()));
        }
        let wrong = || Refusal::Claim(claim.clone());
        let listed = match claims.get(claim) {
            None => return Ok(BTreeSet::new()),
            Some(Value::Array(listed)) => listed.as_slice(),
            // Some providers write a list of one without its brackets.
            Some(one) => std::slice::from_ref(one),
        };
        let name = |group: &Value| group.as_str().filter(|name| is_name(name)).map(str::to_owned);
        listed.iter().map(|group| name(group).ok_or_else(wrong)).collect()
    }
}

fn is_name(text: &str) -> bool {
    !text.trim().is_empty() && text.len() <= LONGEST_NAME && !text.chars().any(char::is_control)
}

fn refusal(error: &Error) -> Refusal {
    match error.kind() {
        ErrorKind::InvalidSignature => Refusal::Signature,
        ErrorKind::ExpiredSignature => Refusal::Expired,
        ErrorKind::ImmatureSignature => Refusal::NotYet,
        ErrorKind::InvalidIssuer => Refusal::Issuer,
        ErrorKind::InvalidAudience => Refusal::Audience,
        ErrorKind::MissingRequiredClaim(claim) | ErrorKind::InvalidClaimFormat(claim) => {
            Refusal::Claim(claim.clone())
        }
        ErrorKind::InvalidAlgorithm
        | ErrorKind::InvalidAlgorithmName
        | ErrorKind::UnsupportedAlgorithm
        | ErrorKind::InvalidKeyFormat => Refusal::Algorithm,
        _ => Refusal::Malformed,
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use jsonwebtoken::get_current_timestamp as now;
    use ring::rand::SystemRandom;
    use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
    use serde_json::json;

    use super::super::signatures::use_ring;
    use super::*;

    struct Signer(EcdsaKeyPair);

    impl Signer {
        fn new() -> Self {
            use_ring();
            let random = SystemRandom::new();
            let key = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
            Self(EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, key.as_ref(), &random).unwrap())
        }

        fn key(&self) -> DecodingKey {
            DecodingKey::from_ec_der(self.0.public_key().as_ref())
        }

        fn sign(&self, header: &Value, claims: &Value) -> String {
            let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
            let message = format!("{}.{}", part(header), part(claims));
            let signature = self.0.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
            format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
        }
    }

    fn expectation(user_claim: &str) -> Expectation {
        Expectation {
            issuer: "https://login.example/tax".to_owned(),
            audience: "tithe".to_owned(),
            user_claim: user_claim.to_owned(),
            groups_claim: Some("groups".to_owned()),
        }
    }

    fn read(expectation: &Expectation, token: &str, key: &DecodingKey) -> Result<String, Refusal> {
        expectation.holder(token, &header(token)?, key).map(|principal| principal.name)
    }

    /// A good token's claims with some of them changed; a change to null takes the claim away.
    fn claims(changes: Value) -> Value {
        let mut claims = json!({
            "iss": "https://login.example/tax", "aud": ["other", "tithe"], "sub": "王小明", "exp": now() + 300,
            "email": "wang@example.tw",
        });
        let (Value::Object(all), Value::Object(changes)) = (&mut claims, changes) else { unreachable!() };
        for (name, value) in changes {
            if value.is_null() {
                all.remove(&name)
            } else {
                all.insert(name, value)
            };
        }
        claims
    }

    #[test]
    fn a_good_token_names_its_user() {
        let signer = Signer::new();
        for typ in ["JWT", "at+jwt"] {
            let token = signer.sign(&json!({"alg": "ES256", "typ": typ, "kid": "1"}), &claims(json!({})));
            assert_eq!(read(&expectation("sub"), &token, &signer.key()), Ok("王小明".to_owned()));
            assert_eq!(read(&expectation("email"), &token, &signer.key()), Ok("wang@example.tw".to_owned()));
        }
        let skewed = claims(json!({"exp": now() - CLOCK_SKEW + 10, "nbf": now() + CLOCK_SKEW - 10}));
        assert!(
            read(&expectation("sub"), &signer.sign(&json!({"alg": "ES256"}), &skewed), &signer.key()).is_ok()
        );
    }

    #[test]
    fn groups_are_those_that_the_token_lists() {
        let signer = Signer::new();
        let read = |groups_claim: Option<&str>, change: Value| {
            let expectation =
                Expectation { groups_claim: groups_claim.map(str::to_owned), ..expectation("sub") };
            let token = signer.sign(&json!({"alg": "ES256"}), &claims(change));
            let holder = expectation.holder(&token, &header(&token)?, &signer.key())?;
            Ok::<_, Refusal>(holder.groups.into_iter().collect::<Vec<_>>().join(","))
        };
        let listed = |groups: Value| read(Some("groups"), json!({"groups": groups}));
        assert_eq!(listed(json!(["臺北", "audit", "audit"])), Ok("audit,臺北".to_owned()));
        assert_eq!(listed(json!("audit")), Ok("audit".to_owned()));
        for none in [json!([]), Value::Null] {
            assert_eq!(listed(none), Ok(String::new()));
        }
        assert_eq!(read(None, json!({"groups": ["audit"]})), Ok(String::new()));
        assert_eq!(read(Some("roles"), json!({"groups": ["audit"]})), Ok(String::new()));
        let wrong = Err(Refusal::Claim("groups".to_owned()));
        for broken in [json!(7), json!({"audit": true}), json!(["audit", 7]), json!([""]), json!(["a\nb"])] {
            assert_eq!(listed(broken.clone()), wrong, "{broken}");
        }
        let elsewhere = json!({"_claim_names": {"groups": "src1"}, "_claim_sources": {"src1": {}}});
        assert_eq!(read(Some("groups"), elsewhere), Err(Refusal::ElsewhereGroups("groups".to_owned())));
    }

    #[test]
    fn any_wrong_claim_refuses_it() {
        let signer = Signer::new();
        let claim = |name: &str| Refusal::Claim(name.to_owned());
        for (change, expected) in [
            (json!({"exp": now() - 120}), Refusal::Expired),
            (json!({"exp": null}), claim("exp")),
            (json!({"exp": "tomorrow"}), claim("exp")),
            (json!({"nbf": now() + 120}), Refusal::NotYet),
            (json!({"nbf": "tomorrow"}), claim("nbf")),
            (json!({"iss": "https://login.example"}), Refusal::Issuer),
            (json!({"iss": ["https://login.example/tax", "https://evil.example"]}), Refusal::Issuer),
            (json!({"iss": null}), claim("iss")),
            (json!({"aud": "another"}), Refusal::Audience),
            (json!({"aud": []}), Refusal::Audience),
            (json!({"aud": null}), claim("aud")),
            (json!({"sub": null}), claim("sub")),
            (json!({"sub": 7}), claim("sub")),
            (json!({"sub": " "}), claim("sub")),
            (json!({"sub": "wang\n"}), claim("sub")),
            (json!({"sub": "w".repeat(257)}), claim("sub")),
        ] {
            let token = signer.sign(&json!({"alg": "ES256"}), &claims(change.clone()));
            assert_eq!(read(&expectation("sub"), &token, &signer.key()), Err(expected), "{change}");
        }
        let unverified = signer.sign(&json!({"alg": "ES256"}), &claims(json!({"email_verified": false})));
        let refused = Err(Refusal::Unverified("email".to_owned()));
        assert_eq!(read(&expectation("email"), &unverified, &signer.key()), refused);
        assert!(read(&expectation("sub"), &unverified, &signer.key()).is_ok());
    }

    #[test]
    fn only_the_providers_signature_counts() {
        let (signer, other) = (Signer::new(), Signer::new());
        let expectation = expectation("sub");
        let token = signer.sign(&json!({"alg": "ES256"}), &claims(json!({})));
        assert_eq!(read(&expectation, &token, &other.key()), Err(Refusal::Signature));
        let (message, signature) = token.rsplit_once('.').unwrap();
        let (header, _) = message.split_once('.').unwrap();
        let forged = URL_SAFE_NO_PAD.encode(claims(json!({"sub": "chief"})).to_string());
        assert_eq!(
            read(&expectation, &format!("{header}.{forged}.{signature}"), &signer.key()),
            Err(Refusal::Signature)
        );
        assert_eq!(read(&expectation, &format!("{message}."), &signer.key()), Err(Refusal::Signature));

        // Tokens without a signature, or signed with the public key as if it were a shared secret.
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        for none in ["none", "None", "nOnE"] {
            let token = format!("{}.{}.", part(&json!({"alg": none})), part(&claims(json!({}))));
            assert_eq!(read(&expectation, &token, &signer.key()), Err(Refusal::Malformed), "{none}");
        }
        for (algorithm, expected) in
            [("HS256", Refusal::Algorithm), ("RS256", Refusal::Algorithm), ("ES384", Refusal::Signature)]
        {
            let token = signer.sign(&json!({"alg": algorithm}), &claims(json!({})));
            assert_eq!(read(&expectation, &token, &signer.key()), Err(expected), "{algorithm}");
        }
        let critical =
            signer.sign(&json!({"alg": "ES256", "crit": ["b64"], "b64": false}), &claims(json!({})));
        assert_eq!(read(&expectation, &critical, &signer.key()), Err(Refusal::Critical));
        let long = signer.sign(&json!({"alg": "ES256"}), &claims(json!({"padding": "x".repeat(LONGEST)})));
        for garbage in ["", ".", "..", "a.b", "a.b.c.d", "!.!.!", "e30.e30.e30", &long] {
            assert_eq!(read(&expectation, garbage, &signer.key()), Err(Refusal::Malformed), "{garbage}");
        }
    }
}
