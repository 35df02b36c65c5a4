//! How old what is known may be when it is used.

use std::time::Duration;

use serde::Deserialize;

/// How old something may be, written `30 seconds`, `10 minutes`, `2 hours` or `1 day`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct FreshFor(pub Duration);

impl TryFrom<String> for FreshFor {
    type Error = String;

    fn try_from(text: String) -> std::result::Result<Self, String> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let seconds = match words.get(1).map(|unit| unit.trim_end_matches('s')) {
            Some("second") => 1,
            Some("minute") => 60,
            Some("hour") => 3_600,
            Some("day") => 86_400,
            _ => 0,
        };
        let number = words.first().and_then(|number| number.parse::<u32>().ok()).unwrap_or_default();
        match u64::from(number) * seconds {
            found if found > 0 && words.len() == 2 => Ok(Self(Duration::from_secs(found))),
            _ => Err(format!("'{text}' is no span of time such as 10 minutes")),
        }
    }
}

impl std::fmt::Display for FreshFor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let seconds = self.0.as_secs();
        let units = [(86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")];
        let (size, unit) = units.into_iter().find(|(size, _)| seconds.is_multiple_of(*size)).unwrap_or((1, "second"));
        let number = seconds / size;
        write!(f, "{number} {unit}{}", if number == 1 { "" } else { "s" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_and_written_in_words() {
        for (text, seconds, again) in [
            ("10 minutes", 600, "10 minutes"),
            ("1 day", 86_400, "1 day"),
            ("90 seconds", 90, "90 seconds"),
            ("120 minutes", 7_200, "2 hours"),
        ] {
            let read = FreshFor::try_from(text.to_owned()).unwrap();
            assert_eq!((read.0.as_secs(), read.to_string().as_str()), (seconds, again));
        }
        for text in ["", "10", "minutes", "0 minutes", "ten minutes", "10 fortnights", "10 minutes ago"] {
            assert!(FreshFor::try_from(text.to_owned()).is_err(), "{text}");
        }
    }
}
