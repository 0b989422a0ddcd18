use super::{PRIOR_TABLE, PRIORS_VERSION, Prior, Priors};

/// A value that someone gives one of the priors.
#[derive(Debug, Clone, PartialEq)]
pub struct PriorChange<'a> {
    /// The version of the set that it belongs to.
    pub version: Option<&'a str>,
    /// The name of the prior.
    pub name: Option<&'a str>,
    /// Which of several of that name; missing and empty are one.
    pub key: Option<&'a str>,
    /// Its value.
    pub value: Option<f64>,
    /// The unit that the value is in.
    pub unit: Option<&'a str>,
}

/// Why a set of priors cannot be used: one sentence, in the words of the table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PriorError(String);

/// The built-in priors with these changes, and the version of the set.
///
/// The order of the changes does not matter. No change at all is the built-in set.
///
/// # Errors
/// When a change has no version or another than the rest, names no prior, has no value or one beyond the bounds of
/// its unit, has no unit or another than the prior's, stands twice, or gives a built-in version other values.
pub fn changed_priors(changes: &[PriorChange<'_>]) -> Result<(Priors, String), PriorError> {
    let mut priors = Priors::default();
    let mut version = None;
    let mut seen = [false; PRIOR_TABLE.len()];
    for change in changes {
        let own = change.version.filter(|version| !version.trim().is_empty());
        let Some(own) = own else {
            return Err(PriorError(format!("prior {} has no version", described(change))));
        };
        if *version.get_or_insert(own) != own {
            return Err(PriorError(format!(
                "the priors are of two versions, '{}' and '{own}'; choose one",
                version.unwrap_or_default()
            )));
        }
        let (position, prior) = find(change)?;
        if std::mem::replace(&mut seen[position], true) {
            return Err(PriorError(format!("prior {} is given twice", described(change))));
        }
        let value = checked(change, prior)?;
        if own == PRIORS_VERSION && value.to_bits() != prior.default_value().to_bits() {
            return Err(PriorError(format!(
                "version '{PRIORS_VERSION}' is built in with {} {}, not {value}; give changed priors a version of their own",
                described(change),
                prior.default_value()
            )));
        }
        prior.set(&mut priors, value);
    }
    Ok((priors, version.unwrap_or(PRIORS_VERSION).to_owned()))
}

/// A prior as a reader finds it in the table.
fn described(change: &PriorChange<'_>) -> String {
    let name = change.name.unwrap_or("NULL");
    match change.key.filter(|key| !key.is_empty()) {
        Some(key) => format!("'{name}' of '{key}'"),
        None => format!("'{name}'"),
    }
}

fn find(change: &PriorChange<'_>) -> Result<(usize, &'static Prior), PriorError> {
    let (name, key) = (change.name.unwrap_or_default(), change.key.unwrap_or_default());
    if let Some(found) =
        PRIOR_TABLE.iter().enumerate().find(|(_, prior)| prior.name == name && prior.key == key)
    {
        return Ok(found);
    }
    let keys: Vec<&str> =
        PRIOR_TABLE.iter().filter(|prior| prior.name == name).map(|prior| prior.key).collect();
    Err(PriorError(match keys.as_slice() {
        [] => format!("there is no prior {}; did you mean '{}'?", described(change), nearest(name)),
        [""] => format!("prior '{name}' has no keys, got '{key}'"),
        keys => format!("prior '{name}' has the keys {}, got '{key}'", keys.join(", ")),
    }))
}

fn checked(change: &PriorChange<'_>, prior: &Prior) -> Result<f64, PriorError> {
    let unit = prior.unit.name();
    match change.unit {
        Some(given) if given == unit => {}
        Some(given) => {
            return Err(PriorError(format!("prior {} is in '{unit}', got '{given}'", described(change))));
        }
        None => {
            return Err(PriorError(format!("prior {} has no unit; it is in '{unit}'", described(change))));
        }
    }
    let (least, most) = prior.unit.bounds();
    match change.value {
        Some(value) if (least..=most).contains(&value) => Ok(value),
        Some(value) => Err(PriorError(format!(
            "prior {} must be from {least} to {most} {unit}, got {value}",
            described(change)
        ))),
        None => Err(PriorError(format!("prior {} has no value", described(change)))),
    }
}

fn nearest(name: &str) -> &'static str {
    let name = name.to_lowercase();
    let similarity = |prior: &Prior| strsim::normalized_levenshtein(&name, prior.name);
    PRIOR_TABLE
        .iter()
        .max_by(|a, b| similarity(a).total_cmp(&similarity(b)))
        .map(|prior| prior.name)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change<'a>(name: &'a str, key: &'a str, value: f64, unit: &'a str) -> PriorChange<'a> {
        PriorChange {
            version: Some("trial"),
            name: Some(name),
            key: Some(key),
            value: Some(value),
            unit: Some(unit),
        }
    }

    #[test]
    fn the_whole_table_is_the_built_in_set() {
        let all: Vec<PriorChange<'_>> = PRIOR_TABLE
            .iter()
            .map(|prior| PriorChange {
                version: Some(PRIORS_VERSION),
                ..change(prior.name, prior.key, prior.default_value(), prior.unit.name())
            })
            .collect();
        let expected = Ok((Priors::default(), PRIORS_VERSION.to_owned()));
        assert_eq!(changed_priors(&all), expected);
        assert_eq!(changed_priors(&[]), expected);
    }

    #[test]
    fn a_change_changes_one_number_under_its_version() {
        let (priors, version) =
            changed_priors(&[change("ads_factor", "food", 2.0, "factor")]).expect("valid");
        let mut expected = Priors::default();
        expected.ads_factors[5] = 2.0;
        assert_eq!((priors, version.as_str()), (expected, "trial"));
    }

    #[test]
    fn what_is_wrong_is_said_in_one_sentence() {
        let check = |changes: &[PriorChange<'_>], expected: &str| {
            let found = changed_priors(changes).map_err(|error| error.to_string());
            assert_eq!(found.map(|_| ()), Err(expected.to_owned()));
        };
        let good = change("ads_spread", "", 0.5, "ln sd");
        check(
            &[change("ad_per_thousand", "", 35.0, "NT$ per 1000 views")],
            "there is no prior 'ad_per_thousand'; did you mean 'ads_per_thousand'?",
        );
        check(&[change("ads_spread", "food", 0.5, "ln sd")], "prior 'ads_spread' has no keys, got 'food'");
        check(&[change("compliant", "", 0.5, "shape")], "prior 'compliant' has the keys alpha, beta, got ''");
        check(
            &[PriorChange { unit: None, ..good.clone() }],
            "prior 'ads_spread' has no unit; it is in 'ln sd'",
        );
        check(&[change("ads_spread", "", 0.5, "%")], "prior 'ads_spread' is in 'ln sd', got '%'");
        for (value, text) in [
            (-1.0, "-1"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "inf"),
            (1e30, "1000000000000000000000000000000"),
        ] {
            check(
                &[change("ads_spread", "", value, "ln sd")],
                &format!("prior 'ads_spread' must be from 0.01 to 4 ln sd, got {text}"),
            );
        }
        check(&[PriorChange { value: None, ..good.clone() }], "prior 'ads_spread' has no value");
        check(&[PriorChange { version: None, ..good.clone() }], "prior 'ads_spread' has no version");
        check(&[good.clone(), good.clone()], "prior 'ads_spread' is given twice");
        check(
            &[
                good.clone(),
                PriorChange { version: Some("other"), ..change("ads_loading", "", 0.5, "power") },
            ],
            "the priors are of two versions, 'trial' and 'other'; choose one",
        );
        check(
            &[PriorChange { version: Some(PRIORS_VERSION), ..good }],
            "version 'tithe-priors-1' is built in with 'ads_spread' 0.6, not 0.5; give changed priors a version of their own",
        );
    }
}
