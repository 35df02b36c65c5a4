//! One section of params.yaml while its keys are taken out and checked.

use std::collections::BTreeMap;
use std::rc::Rc;

use chrono::{NaiveDateTime, TimeZone, Utc};
use chrono_tz::Tz;
use serde_yaml::{Mapping, Value};

use super::shift::{self, Shift, Standing};
use super::{Consent, DRIVERS, Days, OTHER, ParamsError, Shop, SqlParams};
use crate::error::Result;
use crate::paths::PARAMS;

/// One section while its keys are taken out and checked.
pub struct Section {
    pub text: Rc<str>,
    pub name: &'static str,
    pub keys: Mapping,
}

impl Section {
    fn bad(&self, key: &str, value: &Value, wanted: &'static str) -> ParamsError {
        ParamsError::BadValue {
            place: place(&self.text, self.name, Some(key)),
            section: self.name,
            key: key.into(),
            value: shown(value),
            wanted,
        }
    }

    fn take<T>(&mut self, key: &'static str, wanted: &'static str, read: impl Fn(&Value) -> Option<T>) -> Result<T> {
        let missing = || ParamsError::MissingKey {
            place: place(&self.text, self.name, None),
            section: self.name,
            key,
            found: self.keys.keys().map(shown).collect(),
        };
        let value = self.keys.get(key).ok_or_else(missing)?;
        let read = read(value).ok_or_else(|| self.bad(key, value, wanted))?;
        self.keys.remove(key);
        Ok(read)
    }

    pub fn text(&mut self, key: &'static str) -> Result<String> {
        self.take(key, "a text", |v| v.as_str().map(str::to_owned))
    }

    /// A text, or nothing.
    pub fn text_or_null(&mut self, key: &'static str) -> Result<Option<String>> {
        self.take(key, "a text, or null", |v| match v {
            Value::Null => Some(None),
            v => v.as_str().map(|text| Some(text.to_owned())),
        })
    }

    /// The same, where the key is there.
    pub fn text_if_there(&mut self, key: &'static str) -> Result<Option<String>> {
        if self.keys.contains_key(key) { self.text_or_null(key) } else { Ok(None) }
    }

    pub fn count(&mut self, key: &'static str) -> Result<usize> {
        self.take(key, "a whole number from 1 on", |v| {
            v.as_u64().filter(|n| *n >= 1).and_then(|n| usize::try_from(n).ok())
        })
    }

    /// So many that the ends of a 95 % range, one draw in 40 beyond each, are not simply the outermost draws.
    pub fn draws(&mut self, key: &'static str) -> Result<usize> {
        self.take(key, "a whole number from 40 on: of fewer draws no range of 19 in 20 can be read off", |v| {
            v.as_u64().filter(|n| *n >= 40).and_then(|n| usize::try_from(n).ok())
        })
    }

    pub fn whole(&mut self, key: &'static str) -> Result<usize> {
        self.take(key, "a whole number from 0 on", |v| v.as_u64().and_then(|n| usize::try_from(n).ok()))
    }

    /// The same, where the key is there.
    pub fn whole_if_there(&mut self, key: &'static str) -> Result<Option<usize>> {
        if self.keys.contains_key(key) { self.whole(key).map(Some) } else { Ok(None) }
    }

    /// Bytes, where the key is there.
    pub fn size(&mut self, key: &'static str) -> Result<Option<usize>> {
        match self.keys.contains_key(key) {
            true => self.take(key, "a size such as 512MiB or 2GiB", size).map(Some),
            false => Ok(None),
        }
    }

    /// An address such as http://127.0.0.1:5000, or nothing.
    pub fn address(&mut self, key: &'static str) -> Result<Option<String>> {
        self.take(key, "an address such as http://127.0.0.1:5000, or null", |v| match v {
            Value::Null => Some(None),
            Value::String(text) if text.starts_with("http://") || text.starts_with("https://") => {
                Some(Some(text.trim_end_matches('/').to_owned()))
            }
            _ => None,
        })
    }

    /// The same, where the key is there.
    pub fn address_if_there(&mut self, key: &'static str) -> Result<Option<String>> {
        if self.keys.contains_key(key) { self.address(key) } else { Ok(None) }
    }

    pub fn flag(&mut self, key: &'static str) -> Result<bool> {
        self.take(key, "true or false", Value::as_bool)
    }

    pub fn seed(&mut self) -> Result<u64> {
        self.take("seed", "a whole number from 0 on", Value::as_u64)
    }

    pub fn share(&mut self, key: &'static str) -> Result<f64> {
        self.take(key, "a share between 0 and 1", |v| v.as_f64().filter(|x| (0.0..=1.0).contains(x)))
    }

    pub fn positive(&mut self, key: &'static str) -> Result<f64> {
        self.take(key, "a number above 0", positive)
    }

    pub fn positive_numbers(&mut self, key: &'static str) -> Result<Vec<f64>> {
        self.take(key, "a list of numbers above 0, such as [0.1, 1.0]", |v| {
            v.as_sequence()?.iter().map(positive).collect::<Option<Vec<_>>>().filter(|list| !list.is_empty())
        })
    }

    pub fn counts(&mut self, key: &'static str) -> Result<Vec<usize>> {
        self.take(key, "a list of whole numbers from 1 on, such as [8, 16]", |v| {
            let count = |v: &Value| v.as_u64().filter(|n| *n >= 1).and_then(|n| usize::try_from(n).ok());
            v.as_sequence()?.iter().map(count).collect::<Option<Vec<_>>>().filter(|list| !list.is_empty())
        })
    }

    pub fn shares(&mut self, key: &'static str) -> Result<Vec<f64>> {
        self.take(key, "a list of shares above 0 and up to 1, such as [0.5, 1.0]", |v| {
            let share = |v: &Value| positive(v).filter(|share| *share <= 1.0);
            v.as_sequence()?.iter().map(share).collect::<Option<Vec<_>>>().filter(|list| !list.is_empty())
        })
    }

    pub fn texts(&mut self, key: &'static str) -> Result<Vec<String>> {
        self.take(key, "a list of names, such as [age_group, region]", |v| {
            let names = v.as_sequence()?.iter().map(|name| name.as_str().map(str::to_owned));
            names.collect::<Option<Vec<_>>>().filter(|list| !list.is_empty())
        })
    }

    pub fn standing(&mut self, key: &'static str) -> Result<Vec<Standing>> {
        let wanted = "a list such as [{segment: age_group=45-54, drop: 60%, from: 2031-09-18, noticed_within: 5 days}]";
        self.take(key, wanted, |v| v.as_sequence()?.iter().map(standing).collect())
    }

    pub fn shop(&mut self) -> Result<Shop> {
        let timezone =
            self.take("timezone", "an IANA time zone such as Europe/Berlin", |v| v.as_str()?.parse::<Tz>().ok())?;
        let exported_at = self.take(
            "exported_at",
            "a local time such as 2026-10-01 00:00:00 that exists on the shop's clock",
            |v| {
                let local = NaiveDateTime::parse_from_str(v.as_str()?, "%Y-%m-%d %H:%M:%S").ok()?;
                timezone.from_local_datetime(&local).earliest().map(|t| t.with_timezone(&Utc))
            },
        )?;
        let purchase_days = self.take("purchase_window", "a number of days such as 14 days", days)?;
        let return_days = self.take("return_window", "a number of days such as 21 days", days)?;
        let consent = match self.keys.contains_key("consent") {
            true => self.take("consent", "one of column, not_asked and nobody", consent)?,
            false => Consent::Column,
        };
        let currency = match self.keys.contains_key("currency") {
            true => self.take("currency", "three capital letters such as EUR", currency)?,
            false => "EUR".to_owned(),
        };
        let drivers = match self.keys.contains_key("drivers") {
            true => {
                let wanted = "a list of different words in small letters but 'other', such as [price, brand]";
                self.take("drivers", wanted, drivers)?
            }
            false => DRIVERS.map(str::to_owned).to_vec(),
        };
        let pseudonym_key = match self.keys.contains_key("pseudonym_key") {
            true => self.text_or_null("pseudonym_key")?,
            false => None,
        };
        let (delivered_at, served_until) = (exported_at, None);
        Ok(Shop {
            exported_at,
            delivered_at,
            served_until,
            timezone,
            purchase_days,
            return_days,
            consent,
            currency,
            drivers,
            pseudonym_key,
        })
    }

    /// The keys that are left, as literals for SQL.
    pub fn sql_params(self) -> Result<SqlParams> {
        let mut literals = SqlParams::new();
        for (key, value) in &self.keys {
            let literal = match (value, days(value)) {
                (_, Some(days)) => Some(format!("INTERVAL '{}' DAY", days.0)),
                (Value::Number(number), _) => Some(number.to_string()),
                (Value::Bool(yes), _) => Some(yes.to_string()),
                (Value::String(text), _) => Some(format!("'{}'", text.replace('\'', "''"))),
                _ => None,
            };
            let wanted = "a number, a text, true or false, or days such as 14 days";
            let literal = literal.ok_or_else(|| self.bad(&shown(key), value, wanted))?;
            literals.insert(shown(key), literal);
        }
        Ok(literals)
    }
}

/// Words of small letters, digits and spaces: they name columns, too.
fn drivers(value: &Value) -> Option<Vec<String>> {
    let mut words: Vec<String> = Vec::new();
    for word in value.as_sequence()? {
        let word = word.as_str()?;
        let letters = word.chars().all(|letter| letter.is_lowercase() || letter.is_ascii_digit() || letter == ' ');
        let names = letters && word.trim() == word && !word.is_empty() && word != OTHER;
        if !names || words.iter().any(|other| other == word) {
            return None;
        }
        words.push(word.to_owned());
    }
    Some(words).filter(|words| !words.is_empty())
}

fn currency(value: &Value) -> Option<String> {
    let text = value.as_str()?;
    (text.len() == 3 && text.bytes().all(|letter| letter.is_ascii_uppercase())).then(|| text.to_owned())
}

fn consent(value: &Value) -> Option<Consent> {
    Some(match value.as_str()? {
        "column" => Consent::Column,
        "not_asked" => Consent::NotAsked,
        "nobody" => Consent::Nobody,
        _ => return None,
    })
}

fn positive(value: &Value) -> Option<f64> {
    value.as_f64().filter(|x| x.is_finite() && *x > 0.0)
}

/// `512MiB` or `2GiB`.
fn size(value: &Value) -> Option<usize> {
    let text = value.as_str()?;
    let units = [("MiB", 1 << 20), ("GiB", 1 << 30)];
    let (number, unit) = units.iter().find_map(|(name, unit)| Some((text.strip_suffix(name)?, *unit)))?;
    number.trim().parse::<usize>().ok().filter(|number| *number > 0)?.checked_mul(unit)
}

fn standing(value: &Value) -> Option<Standing> {
    let keys = value.as_mapping().filter(|keys| keys.len() == 4)?;
    let text = |key: &str| keys.get(key)?.as_str();
    let shift = Shift {
        segment: shift::segment(text("segment")?).ok()?,
        drop: shift::percent(text("drop")?).ok()?,
        from: shift::day(text("from")?).ok()?,
    };
    let Days(noticed_within) = days(keys.get("noticed_within")?)?;
    Some(Standing { shift, noticed_within })
}

/// `14 days` or `1 day`.
fn days(value: &Value) -> Option<Days> {
    let (number, unit) = value.as_str()?.split_once(' ')?;
    let number: u32 = number.parse().ok()?;
    matches!(unit, "day" | "days").then_some(Days(number))
}

/// A YAML value as a person wrote it, on one line.
pub fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Sequence(values) => format!("[{}]", values.iter().map(shown).collect::<Vec<_>>().join(", ")),
        other => serde_yaml::to_string(other).unwrap_or_default().trim().replace('\n', " "),
    }
}

/// `params.yaml:12`: the line of a section or of one of its keys, where it is found.
pub fn place(text: &str, section: &str, key: Option<&str>) -> String {
    let begins =
        |line: &str, name: &str| line.strip_prefix(name).is_some_and(|rest| rest.trim_start().starts_with(':'));
    let mut lines = (1..).zip(text.lines());
    let head = lines.find(|(_, line)| begins(line, section));
    let inside = lines.take_while(|(_, line)| line.is_empty() || line.starts_with([' ', '#']));
    let found = match key {
        Some(key) => inside.into_iter().find(|(_, line)| begins(line.trim_start(), key)).or(head),
        None => head,
    };
    found.map_or(PARAMS.to_owned(), |(line, _)| format!("{PARAMS}:{line}"))
}

/// Every key of the file as `section.key`, with its value in one line.
pub fn flat(text: &str) -> BTreeMap<String, String> {
    let sections: Mapping = serde_yaml::from_str(text).unwrap_or_default();
    let keys = |(section, keys): (Value, Value)| {
        let keys = keys.as_mapping().cloned().unwrap_or_default().into_iter();
        keys.map(move |(key, value)| (format!("{}.{}", shown(&section), shown(&key)), shown(&value)))
    };
    sections.into_iter().flat_map(keys).collect()
}
