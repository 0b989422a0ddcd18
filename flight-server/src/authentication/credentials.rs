//! The `authorization` header.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use tonic::Status;
use tonic::metadata::MetadataMap;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What a client says to prove who it is. Deliberately without `Debug`.
#[derive(PartialEq, Eq)]
pub(crate) enum Credentials {
    None,
    Basic { name: String, password: String },
    Bearer(String),
}

impl Credentials {
    pub(crate) fn read(headers: &MetadataMap) -> Result<Self, Status> {
        let Some(header) = headers.get("authorization") else { return Ok(Self::None) };
        let malformed =
            || Status::unauthenticated("the authorization header is neither \"Basic …\" nor \"Bearer …\"");
        let text = header.to_str().map_err(|_binary| malformed())?;
        let (scheme, rest) = text.split_once(' ').ok_or_else(malformed)?;
        if scheme.eq_ignore_ascii_case("bearer") {
            return Ok(Self::Bearer(rest.trim().to_owned()));
        }
        if !scheme.eq_ignore_ascii_case("basic") {
            return Err(malformed());
        }
        let decoded = BASE64.decode(rest.trim()).map_err(|_not_base64| malformed())?;
        let decoded = String::from_utf8(decoded).map_err(|_not_utf8| malformed())?;
        let (name, password) = decoded.split_once(':').ok_or_else(malformed)?;
        Ok(Self::Basic { name: name.to_owned(), password: password.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(header: &str) -> Result<Credentials, Status> {
        let mut headers = MetadataMap::new();
        headers.insert("authorization", header.parse().unwrap());
        Credentials::read(&headers)
    }

    fn basic(name: &str, password: &str) -> Credentials {
        Credentials::Basic { name: name.to_owned(), password: password.to_owned() }
    }

    #[test]
    fn both_schemes_are_read() {
        assert!(Credentials::read(&MetadataMap::new()).is_ok_and(|none| none == Credentials::None));
        for header in ["Basic d2FuZzpwYTpzcw==", "basic d2FuZzpwYTpzcw"] {
            assert!(read(header).is_ok_and(|read| read == basic("wang", "pa:ss")), "{header}");
        }
        let chinese = format!("Basic {}", BASE64.encode("王:密"));
        assert!(read(&chinese).is_ok_and(|read| read == basic("王", "密")));
        assert!(read("Bearer abc").is_ok_and(|read| read == Credentials::Bearer("abc".to_owned())));
    }

    #[test]
    fn anything_else_is_refused() {
        for header in
            ["", "Basic", "Basic !!!", "Basic d2FuZw==", "Basic /////w==", "Digest abc", "Negotiate x"]
        {
            assert!(read(header).is_err(), "{header}");
        }
    }
}
