//! Configuration from the environment: every error names the variable, its value (never a secret's) and
//! what is expected.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};

/// Where settings come from: the process's environment, or a map (in tests, and where `up` makes them).
///
/// It remembers what it was asked for: a variable that nobody ever asks for is a misspelt one.
#[derive(Clone)]
pub struct Env {
    source: Source,
    asked: Arc<Mutex<BTreeSet<String>>>,
}

#[derive(Clone)]
enum Source {
    Process,
    Map(Arc<BTreeMap<String, String>>),
}

/// A setting that is missing or makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// It has to be set.
    #[error("{variable} is not set; expected {expected}")]
    Missing {
        /// The variable.
        variable: String,
        /// What it should be.
        expected: String,
    },
    /// It makes no sense.
    #[error("{variable}={value:?} is not valid; expected {expected}")]
    Invalid {
        /// The variable.
        variable: String,
        /// What it is.
        value: String,
        /// What it should be.
        expected: String,
    },
    /// A secret makes no sense; its value is not shown.
    #[error("{variable} is not valid (value not shown); expected {expected}")]
    InvalidSecret {
        /// The variable.
        variable: String,
        /// What it should be.
        expected: String,
    },
}

impl ConfigError {
    /// `variable` is set to something else than `expected`.
    pub fn invalid(variable: impl Into<String>, value: impl Into<String>, expected: impl Display) -> Self {
        Self::Invalid { variable: variable.into(), value: value.into(), expected: expected.to_string() }
    }

    /// The secret `variable` is not what is `expected`.
    pub fn secret(variable: impl Into<String>, expected: impl Display) -> Self {
        Self::InvalidSecret { variable: variable.into(), expected: expected.to_string() }
    }
}

impl Env {
    /// The environment of this process.
    pub fn process() -> Self {
        Self { source: Source::Process, asked: Arc::default() }
    }

    /// These variables and no others.
    pub fn map<K: Into<String>, V: Into<String>>(variables: impl IntoIterator<Item = (K, V)>) -> Self {
        let map = variables.into_iter().map(|(k, v)| (k.into(), v.into())).collect();
        Self { source: Source::Map(Arc::new(map)), asked: Arc::default() }
    }

    /// Every variable that was asked for so far, set or not.
    pub fn asked(&self) -> BTreeSet<String> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The names of all variables that are there.
    pub fn names(&self) -> Vec<String> {
        match &self.source {
            Source::Process => std::env::vars_os().map(|(name, _)| name.to_string_lossy().into_owned()).collect(),
            Source::Map(map) => map.keys().cloned().collect(),
        }
    }

    /// A variable as text; an empty one counts as not set.
    pub fn get(&self, variable: &str) -> Option<String> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).insert(variable.to_owned());
        let value = match &self.source {
            Source::Process => std::env::var(variable).ok(),
            Source::Map(map) => map.get(variable).cloned(),
        };
        value.map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    /// A variable that has to be set. Its value is never part of the error.
    pub fn required(&self, variable: &str, expected: &str) -> Result<String, ConfigError> {
        self.get(variable)
            .ok_or_else(|| ConfigError::Missing { variable: variable.to_owned(), expected: expected.to_owned() })
    }

    /// A variable of some type, `None` if not set. Not for secrets: the error shows the value.
    pub fn parse<T: FromStr>(&self, variable: &str, expected: &str) -> Result<Option<T>, ConfigError> {
        let Some(value) = self.get(variable) else { return Ok(None) };
        value.parse().map(Some).map_err(|_| ConfigError::invalid(variable, value, expected))
    }

    /// A variable of some type, with a default.
    pub fn parse_or<T: FromStr>(&self, variable: &str, default: T, expected: &str) -> Result<T, ConfigError> {
        Ok(self.parse(variable, expected)?.unwrap_or(default))
    }

    /// One of a few words.
    pub fn choice<T: Copy>(&self, variable: &str, choices: &[(&str, T)]) -> Result<Option<T>, ConfigError> {
        let Some(value) = self.get(variable) else { return Ok(None) };
        match choices.iter().find(|(word, _)| *word == value) {
            Some((_, choice)) => Ok(Some(*choice)),
            None => {
                let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
                Err(ConfigError::invalid(variable, value, words.join(" or ")))
            }
        }
    }

    /// Comma-separated words; empty if not set.
    pub fn list(&self, variable: &str) -> Vec<String> {
        let value = self.get(variable).unwrap_or_default();
        value.split(',').map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_variable_value_and_what_is_expected() {
        let env = Env::map([("PORT", "eighty"), ("LOG_FORMAT", "xml"), ("EMPTY", " ")]);
        let error = env.parse::<u16>("PORT", "a port number").unwrap_err();
        assert_eq!(error.to_string(), r#"PORT="eighty" is not valid; expected a port number"#);
        let error = env.choice("LOG_FORMAT", &[("text", 1), ("json", 2)]).unwrap_err();
        assert_eq!(error.to_string(), r#"LOG_FORMAT="xml" is not valid; expected text or json"#);
        let error = env.required("EMPTY", "something").unwrap_err();
        assert_eq!(error.to_string(), "EMPTY is not set; expected something");
    }

    #[test]
    fn values_are_read() {
        let env = Env::map([("PORT", "8080"), ("LOG_FORMAT", "json"), ("ORIGINS", "a, b,,c ")]);
        assert_eq!(env.parse_or("PORT", 1, "a port"), Ok(8080));
        assert_eq!(env.parse_or("OTHER", 1, "a port"), Ok(1));
        assert_eq!(env.choice("LOG_FORMAT", &[("text", 1), ("json", 2)]), Ok(Some(2)));
        assert_eq!(env.list("ORIGINS"), ["a", "b", "c"]);
        assert!(env.list("NONE").is_empty());
    }
}
