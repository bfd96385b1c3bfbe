//! Several ids in a query string: `?ids=a,b,c`.

use std::fmt::Display;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Which objects a batch read is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdsQuery<T: Display + FromStr> {
    /// Ids, separated by commas on the wire.
    #[serde(with = "crate::ids")]
    pub ids: Vec<T>,
}

/// Joins with commas.
pub fn serialize<T: Display, S: Serializer>(ids: &[T], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&ids.iter().map(T::to_string).collect::<Vec<_>>().join(","))
}

/// Splits at commas.
pub fn deserialize<'de, T: FromStr, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let is_not_an_id = |word: &str| serde::de::Error::custom(format!("`{word}` is not an id"));
    text.split(',').filter(|word| !word.is_empty()).map(|word| word.parse().map_err(|_| is_not_an_id(word))).collect()
}

/// The same where there may be none; an empty text names no id, which is not the same as not being asked.
pub mod optional {
    use std::fmt::Display;
    use std::str::FromStr;

    use serde::{Deserializer, Serializer};

    /// Joins with commas.
    pub fn serialize<T: Display, S: Serializer>(ids: &Option<Vec<T>>, serializer: S) -> Result<S::Ok, S::Error> {
        super::serialize(ids.as_deref().unwrap_or_default(), serializer)
    }

    /// Splits at commas.
    pub fn deserialize<'de, T: FromStr, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<T>>, D::Error> {
        super::deserialize(deserializer).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use events::ProductId;

    use super::*;

    #[test]
    fn ids_round_trip_and_nonsense_is_refused() {
        let query = IdsQuery { ids: vec![ProductId::new(), ProductId::new()] };
        let json = serde_json::to_string(&query).unwrap();
        assert_eq!(serde_json::from_str::<IdsQuery<ProductId>>(&json).unwrap(), query);
        assert!(serde_json::from_str::<IdsQuery<ProductId>>(r#"{"ids": "1,2"}"#).is_err());
        assert_eq!(serde_json::from_str::<IdsQuery<ProductId>>(r#"{"ids": ""}"#).unwrap().ids, []);
    }
}
