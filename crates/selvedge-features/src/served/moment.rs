//! Moments in JSON: RFC 3339, to the nanosecond, UTC.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serializer, de::Error};

/// Writes a moment.
pub fn serialize<S: Serializer>(moment: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&moment.to_rfc3339_opts(SecondsFormat::AutoSi, true))
}

/// Reads one, whatever its offset.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DateTime<Utc>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let moment = DateTime::parse_from_rfc3339(&text);
    moment
        .map(|moment| moment.to_utc())
        .map_err(|_| Error::custom(format!("'{text}' is no moment such as 2031-05-01T10:00:00Z")))
}

/// The same where it may be missing.
pub mod option {
    use super::{DateTime, Deserialize, Deserializer, Serializer, Utc};

    /// Writes a moment, or null.
    pub fn serialize<S: Serializer>(moment: &Option<DateTime<Utc>>, serializer: S) -> Result<S::Ok, S::Error> {
        match moment {
            Some(moment) => super::serialize(moment, serializer),
            None => serializer.serialize_none(),
        }
    }

    /// Reads one, or null.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<DateTime<Utc>>, D::Error> {
        #[derive(Deserialize)]
        struct Written(#[serde(with = "super")] DateTime<Utc>);
        Ok(Option::<Written>::deserialize(deserializer)?.map(|Written(moment)| moment))
    }
}
