//! The object store behind a lake's location.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::path::Path;
use object_store::{ClientConfigKey, ObjectStore, RetryConfig};
use url::Url;

use crate::catalog::LakeLocation;
use crate::catalog::disk::Disk;
use crate::error::{EngineError, Result, innermost};

/// How long a request is tried again before the store counts as unreachable.
const RETRY: Duration = Duration::from_secs(6);
/// How long opening a lake may take in all.
const OPEN: Duration = Duration::from_secs(10);

/// A store for `url` where DataFusion has none of its own; credentials, endpoint and region come from the
/// `AWS_*` environment.
pub(crate) fn store_for(location: &LakeLocation) -> Result<Option<Arc<dyn ObjectStore>>> {
    let url = location.url();
    match url.scheme() {
        "s3" => {}
        "file" => return Ok(Some(Arc::new(Disk::default()))),
        _ => return Ok(None),
    }
    let retry = RetryConfig { max_retries: 3, retry_timeout: RETRY, ..RetryConfig::default() };
    let mut builder = AmazonS3Builder::from_env().with_url(url.as_str()).with_retry(retry);
    let unset = |builder: &AmazonS3Builder, key| builder.get_config_value(&key).is_none();
    if unset(&builder, AmazonS3ConfigKey::Region) && unset(&builder, AmazonS3ConfigKey::DefaultRegion) {
        builder = builder.with_region("us-east-1");
    }
    if endpoint(&builder).is_some_and(|endpoint| endpoint.starts_with("http://")) {
        builder = builder.with_allow_http(true);
    }
    builder = builder.with_config(AmazonS3ConfigKey::Client(ClientConfigKey::ConnectTimeout), "3 seconds");
    let store = builder.build().map_err(|error| EngineError::LakeLocation {
        location: location.to_string(),
        reason: innermost(&error),
    })?;
    Ok(Some(Arc::new(store)))
}

fn endpoint(builder: &AmazonS3Builder) -> Option<String> {
    builder.get_config_value(&AmazonS3ConfigKey::Endpoint)
}

/// Looks whether anything lies below `root`.
///
/// # Errors
/// When nothing does, or the store cannot be asked.
pub(crate) async fn probe(location: &LakeLocation, store: &dyn ObjectStore, root: &Path) -> Result<()> {
    let missing = || EngineError::LakeNotFound { location: location.to_string() };
    let mut objects = store.list(Some(root));
    let first =
        tokio::time::timeout(OPEN, objects.next()).await.map_err(|_elapsed| EngineError::Connection {
            location: location.to_string(),
            reason: format!("no answer within {} seconds; {}", OPEN.as_secs(), what_to_check(location.url())),
        })?;
    match first {
        Some(Ok(_)) => Ok(()),
        None => Err(missing()),
        Some(Err(object_store::Error::NotFound { .. })) => Err(missing()),
        Some(Err(error)) if error.to_string().contains("NoSuchBucket") => Err(missing()),
        Some(Err(error)) if is_refusal(&error) => Err(EngineError::NotAllowed {
            what: format!("reading {location}"),
            reason: "the store refused the credentials; check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
                .to_owned(),
        }),
        Some(Err(error)) => Err(EngineError::Connection {
            location: location.to_string(),
            reason: format!("{}; {}", innermost(&error), what_to_check(location.url())),
        }),
    }
}

fn is_refusal(error: &object_store::Error) -> bool {
    let refused = matches!(
        error,
        object_store::Error::PermissionDenied { .. } | object_store::Error::Unauthenticated { .. }
    );
    // Listing tells the status in words alone.
    let said = innermost(error);
    refused || said.contains("403 Forbidden") || said.contains("401 Unauthorized")
}

fn what_to_check(url: &Url) -> &'static str {
    match url.scheme() {
        "s3" => "check the network, AWS_ENDPOINT_URL and the AWS_* credentials",
        _ => "check the disk",
    }
}
