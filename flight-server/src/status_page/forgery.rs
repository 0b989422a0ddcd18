//! Whether a form was sent by a page of this server, and not by one of another site in the browser of somebody who is
//! logged in here.

use std::fmt;

use axum::http::{HeaderMap, header};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::error::Unspecified;
use ring::hmac::{HMAC_SHA256, Key, sign, verify};
use ring::rand::SystemRandom;
use uuid::Uuid;

use super::viewer::host;

/// Makes and checks what only this process can put into a form.
pub(super) struct Forgery(Key);

impl fmt::Debug for Forgery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Forgery")
    }
}

impl Forgery {
    /// # Errors
    /// When the machine gives no random numbers.
    pub(super) fn new() -> Result<Self, Unspecified> {
        Ok(Self(Key::generate(HMAC_SHA256, &SystemRandom::new())?))
    }

    /// What the form of `user` about `run` carries.
    pub(super) fn token(&self, user: &str, run: Uuid) -> String {
        URL_SAFE_NO_PAD.encode(sign(&self.0, &message(user, run)))
    }

    /// Whether `token` is that of the form of `user` about `run`.
    pub(super) fn is_token(&self, token: &str, user: &str, run: Uuid) -> bool {
        let given = URL_SAFE_NO_PAD.decode(token);
        given.is_ok_and(|given| verify(&self.0, &message(user, run), &given).is_ok())
    }
}

fn message(user: &str, run: Uuid) -> Vec<u8> {
    [run.as_bytes(), user.as_bytes()].concat()
}

/// Whether the browser says that a page of another origin sends this. One that says nothing is no browser of today.
pub(super) fn comes_from_elsewhere(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    if let Some(site) = text("sec-fetch-site") {
        return site != "same-origin";
    }
    let origin = text(header::ORIGIN.as_str());
    origin.is_some_and(|origin| origin.split_once("://").map(|(_, authority)| authority) != host(headers))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_of_one_user_and_run_and_process() {
        let (forgery, run) = (Forgery::new().unwrap(), Uuid::new_v4());
        let token = forgery.token("王小明", run);
        assert!(forgery.is_token(&token, "王小明", run));
        assert!(!forgery.is_token(&token, "lin", run));
        assert!(!forgery.is_token(&token, "王小明", Uuid::new_v4()));
        assert!(!Forgery::new().unwrap().is_token(&token, "王小明", run));
        for other in ["", "!", &token[1..], "AAAA"] {
            assert!(!forgery.is_token(other, "王小明", run), "{other}");
        }
    }

    #[test]
    fn another_origin_is_recognised() {
        let check = |sent: &[(&'static str, &str)], expected: bool| {
            let headers = sent.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
            assert_eq!(comes_from_elsewhere(&headers.collect()), expected, "{sent:?}");
        };
        let here = ("host", "127.0.0.1:32011");
        check(&[here], false);
        check(&[here, ("sec-fetch-site", "same-origin")], false);
        check(&[here, ("sec-fetch-site", "cross-site")], true);
        check(&[here, ("sec-fetch-site", "same-site")], true);
        check(&[here, ("sec-fetch-site", "none")], true);
        check(&[here, ("origin", "http://127.0.0.1:32011")], false);
        check(&[here, ("origin", "http://127.0.0.1:80")], true);
        check(&[here, ("origin", "https://evil.example")], true);
        check(&[here, ("origin", "null")], true);
    }
}
