//! How a client's requests are recognised as belonging together.

use tithe_engine::Principal;
use tonic::metadata::MetadataMap;

use super::COOKIE;
use crate::connection::Peer;

/// The names under which a request's session may be found, the surest first.
///
/// Clients that keep cookies are known by theirs; drivers that do not (ADBC's, unless told to) by their login, or else
/// by their connection. The principal is part of every name: nobody reaches another's session.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct SessionKeys {
    principal: String,
    cookie: Option<String>,
    implicit: Option<String>,
}

impl SessionKeys {
    pub(crate) fn new(principal: &Principal, headers: &MetadataMap, peer: Option<Peer>) -> Self {
        let bearer = headers
            .get("authorization")
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, token)| scheme.eq_ignore_ascii_case("bearer") && token.len() >= 32);
        let implicit = bearer
            .map(|(_, token)| format!("login {token}"))
            .or_else(|| peer.map(|peer| format!("connection {}", peer.connection)));
        Self { principal: principal.name.clone(), cookie: cookie(headers), implicit }
    }

    /// The principal's name and each name of the session.
    pub(crate) fn all(&self) -> impl Iterator<Item = (String, String)> + '_ {
        let cookie = self.cookie.as_ref().map(|cookie| format!("cookie {cookie}"));
        cookie.into_iter().chain(self.implicit.clone()).map(|key| (self.principal.clone(), key))
    }

    /// True when the client sent our cookie.
    pub(crate) fn has_cookie(&self) -> bool {
        self.cookie.is_some()
    }

    /// The same client, when it sends `cookie` from now on.
    pub(crate) fn with_cookie(self, cookie: String) -> Self {
        Self { cookie: Some(cookie), ..self }
    }
}

fn cookie(headers: &MetadataMap) -> Option<String> {
    headers
        .get_all("cookie")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.split_once('='))
        .find(|(name, _)| name.trim() == COOKIE)
        .map(|(_, value)| value.trim().trim_matches('"').to_owned())
        .filter(|value| !value.is_empty() && value.len() <= 128)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(header: Option<(&'static str, &str)>) -> Vec<String> {
        let mut headers = MetadataMap::new();
        if let Some((name, value)) = header {
            headers.insert(name, value.parse().unwrap());
        }
        let peer = Some(Peer { connection: 9, address: None });
        SessionKeys::new(&Principal::local(), &headers, peer).all().map(|(_, key)| key).collect()
    }

    #[test]
    fn cookie_then_login_then_connection() {
        assert_eq!(keys(None), ["connection 9"]);
        assert_eq!(keys(Some(("authorization", "Bearer local"))), ["connection 9"]);
        let token = "t".repeat(64);
        assert_eq!(keys(Some(("authorization", &format!("Bearer {token}")))), [format!("login {token}")]);
        let cookies = "a=b; arrow_flight_session_id=\"xyz\"; c=d";
        assert_eq!(keys(Some(("cookie", cookies))), ["cookie xyz", "connection 9"]);
        assert_eq!(keys(Some(("cookie", "arrow_flight_session_id="))), ["connection 9"]);
    }
}
