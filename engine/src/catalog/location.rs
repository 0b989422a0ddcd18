//! Where a lake is: a directory or a URL.

use std::path::{Component, Path, PathBuf};
use std::str::FromStr;

use url::Url;

use crate::error::EngineError;

/// A lake's root as a URL that ends in `/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LakeLocation {
    url: Url,
}

impl LakeLocation {
    /// The root; its path ends in `/`.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }
}

impl std::fmt::Display for LakeLocation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.url.to_file_path() {
            Ok(path) if self.url.scheme() == "file" => write!(f, "{}", path.display()),
            _ => write!(f, "{}", self.url),
        }
    }
}

impl FromStr for LakeLocation {
    type Err = EngineError;

    fn from_str(text: &str) -> Result<Self, EngineError> {
        let refuse = |reason: String| EngineError::LakeLocation { location: text.to_owned(), reason };
        if text.contains("://") {
            let mut url = Url::parse(text).map_err(|error| refuse(error.to_string()))?;
            match url.scheme() {
                "s3" if url.host_str().is_none_or(str::is_empty) => {
                    return Err(refuse("it names no bucket, write s3://bucket/prefix".to_owned()));
                }
                "file" | "s3" => {}
                "hdfs" => {
                    return Err(refuse(
                        "hdfs:// cannot be read yet, copy the lake to a directory or an S3-compatible store"
                            .to_owned(),
                    ));
                }
                other => {
                    return Err(refuse(format!(
                        "scheme {other}:// is not supported, use a directory or s3://"
                    )));
                }
            }
            if !url.path().ends_with('/') {
                let path = format!("{}/", url.path());
                url.set_path(&path);
            }
            return Ok(Self { url });
        }
        let absolute = std::path::absolute(Path::new(text)).map_err(|error| refuse(error.to_string()))?;
        let absolute = without_parents(absolute);
        let url = Url::from_directory_path(&absolute)
            .map_err(|()| refuse("it is not an absolute path".to_owned()))?;
        Ok(Self { url })
    }
}

/// The same place without `..`, which stores do not take; a link keeps its meaning where it exists.
fn without_parents(path: PathBuf) -> PathBuf {
    if !path.components().any(|part| part == Component::ParentDir) {
        return path;
    }
    path.canonicalize().unwrap_or_else(|_absent| {
        let mut clean = PathBuf::new();
        for part in path.components() {
            match part {
                Component::ParentDir => drop(clean.pop()),
                other => clean.push(other),
            }
        }
        clean
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lose_their_dots() {
        let check = |text: &str, expected: &str| {
            assert_eq!(text.parse::<LakeLocation>().unwrap().to_string(), expected, "{text}");
        };
        check("/no/such/./lake", "/no/such/lake/");
        check("/no/such/../lake/", "/no/lake/");
        check("/../no/such/..", "/no/");
    }
}
