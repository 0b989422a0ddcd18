//! A session's settings, carried to the workers with each task: there too, nothing else decides an answer.

use std::collections::BTreeMap;

use datafusion::common::config::ConfigOptions;
use datafusion::prelude::SessionConfig;
use http::{HeaderMap, HeaderValue};
use uuid::Uuid;

use crate::error::{EngineError, Result};
use crate::settings::Settings;

const SETTINGS_HEADER: &str = "tithe-settings";
const QUERY_HEADER: &str = "tithe-query-id";
const CARRIED: [&str; 2] = ["datafusion.", "tithe."];

type Entries = BTreeMap<String, Option<String>>;

fn entries(options: &ConfigOptions) -> Entries {
    let mut all: Entries = options.entries().into_iter().map(|entry| (entry.key, entry.value)).collect();
    all.retain(|key, _value| CARRIED.iter().any(|prefix| key.starts_with(prefix)));
    all
}

/// What a worker's configuration is before it has taken anything.
fn plain() -> ConfigOptions {
    let mut options = ConfigOptions::new();
    options.extensions.insert(Settings::default());
    options
}

/// The settings of `options` that a worker would not have by itself.
///
/// # Errors
/// When one cannot be written as a header.
pub(crate) fn carried_settings(options: &ConfigOptions) -> Result<HeaderMap> {
    let usual = entries(&plain());
    let mut changed = entries(options);
    changed.retain(|key, value| usual.get(key) != Some(value));
    let refuse = |error: String| EngineError::Defect { reason: format!("settings cannot travel: {error}") };
    let text = serde_json::to_vec(&changed).map_err(|error| refuse(error.to_string()))?;
    let value = HeaderValue::from_bytes(&text).map_err(|error| refuse(error.to_string()))?;
    Ok(HeaderMap::from_iter([(http::HeaderName::from_static(SETTINGS_HEADER), value)]))
}

/// `headers`, and the id of the query for the worker's log.
///
/// # Errors
/// When it cannot be written as a header.
pub(crate) fn with_query_id(mut headers: HeaderMap, id: Uuid) -> Result<HeaderMap> {
    let value = HeaderValue::from_str(&id.to_string())
        .map_err(|error| EngineError::Defect { reason: format!("a query id cannot travel: {error}") })?;
    headers.insert(QUERY_HEADER, value);
    Ok(headers)
}

/// The id of the query whose task came with `headers`; nil where it says none.
pub(crate) fn query_id(headers: &HeaderMap) -> Uuid {
    let sent = headers.get(QUERY_HEADER).and_then(|value| value.to_str().ok());
    sent.and_then(|text| Uuid::parse_str(text).ok()).unwrap_or_default()
}

/// Gives `config` the settings in `headers`.
///
/// # Errors
/// When there are none, or this worker cannot follow one.
pub(crate) fn take_carried_settings(config: &mut SessionConfig, headers: &HeaderMap) -> Result<()> {
    let missing = || EngineError::Defect { reason: "a task came without the session's settings".to_owned() };
    let sent = headers.get(SETTINGS_HEADER).ok_or_else(missing)?;
    let changed: Entries = serde_json::from_slice(sent.as_bytes()).map_err(|_error| missing())?;
    config.options_mut().extensions.insert(Settings::default());
    for (key, value) in changed {
        if let Some(value) = value {
            config.options_mut().set(&key, &value)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_changed_setting_arrives() {
        let mut sent = plain();
        sent.set("datafusion.execution.batch_size", "77").unwrap();
        sent.set("datafusion.execution.time_zone", "Asia/Taipei").unwrap();
        sent.set("datafusion.optimizer.enable_leaf_expression_pushdown", "false").unwrap();
        sent.set("tithe.json.skip_bad_lines", "true").unwrap();
        sent.set("tithe.compute.backend", "cpu").unwrap();
        let headers = carried_settings(&sent).unwrap();
        let mut config = SessionConfig::new();
        take_carried_settings(&mut config, &headers).unwrap();
        assert_eq!(entries(config.options()), entries(&sent));
    }

    #[test]
    fn the_query_s_id_arrives() {
        let id = Uuid::new_v4();
        let headers = with_query_id(carried_settings(&plain()).unwrap(), id).unwrap();
        assert_eq!(query_id(&headers), id);
        assert!(take_carried_settings(&mut SessionConfig::new(), &headers).is_ok());
        assert_eq!(query_id(&HeaderMap::new()), Uuid::nil());
    }

    #[test]
    fn a_task_without_settings_is_refused() {
        assert!(take_carried_settings(&mut SessionConfig::new(), &HeaderMap::new()).is_err());
    }
}
