//! What a written number can mean: separators for thousands, a decimal comma, signs on either side.
//!
//! The last separator is the decimal one, except that one separator alone before exactly three digits can be either
//! (`1,299`, `1.299`): then there are two readings.  Thousands are groups of three between points, commas, apostrophes or spaces.

use crate::missing::{is_space, trimmed};

/// A number as somebody wrote it: an exact decimal, or two that the text can mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    value: Decimal,
    /// What it is where its one separator is for thousands.
    or: Option<i128>,
    pub spelling: Spelling,
}

/// An exact number: `digits` divided by ten to the power of `decimals`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Decimal {
    digits: i128,
    decimals: u32,
}

/// How a number is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spelling {
    /// Digits, and a decimal point at most.
    Plain,
    DecimalComma,
    /// With separators for thousands, whatever the decimal one.
    Thousands,
    /// In two ways at once.
    Unclear,
}

/// More digits than any number of an export has; sums of so many fit an i128 after every scaling here.
const MOST_DIGITS: usize = 24;

impl Written {
    /// Reads a number; None where the text is none.
    pub fn read(text: &str) -> Option<Self> {
        plain(text).or_else(|| {
            let (negative, text) = unsigned(trimmed(text));
            let (text, power) = without_power(text)?;
            let mut written = body(text)?;
            written.value.decimals = match i64::from(written.value.decimals) - power {
                decimals @ 0..=20 => decimals as u32,
                tens @ -20..0 => {
                    written.value.digits = written.value.digits.checked_mul(10_i128.checked_pow(-tens as u32)?)?;
                    0
                }
                _ => return None,
            };
            written.or = written.or.filter(|_| power == 0);
            if negative {
                written.value.digits = -written.value.digits;
                written.or = written.or.map(|or| -or);
            }
            Some(written)
        })
    }

    /// The number in units of ten to the power of `-decimals`, halves rounded away from zero; None where it is unclear.
    pub fn scaled(&self, decimals: u32) -> Option<i128> {
        if self.or.is_some() { None } else { self.value.scaled(decimals) }
    }

    /// The whole number it is; None where it has a part, or is unclear.
    pub fn whole(&self) -> Option<i128> {
        self.scaled(0).filter(|_| self.has_at_most(0))
    }

    /// Whether it has no more decimals than so many, zeros at the end aside.
    pub fn has_at_most(&self, decimals: u32) -> bool {
        let exact = self.value.scaled(self.value.decimals.max(decimals));
        let more = self.value.decimals.saturating_sub(decimals);
        exact == self.value.scaled(decimals).and_then(|digits| scale(digits, more))
    }

    /// As [`Self::scaled`], and where two numbers can be meant, the one of them that lies within `low` and `high`.
    pub fn scaled_between(&self, decimals: u32, low: f64, high: f64) -> Option<i128> {
        let fits = |digits: &i128| (low..=high).contains(&(*digits as f64 / 10_f64.powi(decimals as i32)));
        let Some(or) = self.or else { return self.value.scaled(decimals).filter(fits) };
        match (self.value.scaled(decimals).filter(fits), scale(or, decimals).filter(fits)) {
            (Some(one), None) | (None, Some(one)) => Some(one),
            _ => None,
        }
    }
}

impl Decimal {
    fn scaled(self, decimals: u32) -> Option<i128> {
        if decimals >= self.decimals {
            return scale(self.digits, decimals - self.decimals);
        }
        let unit = 10_i128.checked_pow(self.decimals - decimals)?;
        let rounded = (self.digits.abs() + unit / 2) / unit;
        Some(if self.digits < 0 { -rounded } else { rounded })
    }
}

fn scale(digits: i128, decimals: u32) -> Option<i128> {
    digits.checked_mul(10_i128.checked_pow(decimals)?)
}

/// The ordinary spelling, quickly: a sign, digits, and a point that is not before exactly three digits.
fn plain(text: &str) -> Option<Written> {
    let (negative, body) = match text.as_bytes() {
        [b'-', body @ ..] => (true, body),
        body => (false, body),
    };
    let (mut digits, mut point) = (0_i64, None);
    if body.len() > 18 {
        return None;
    }
    for (place, byte) in body.iter().enumerate() {
        match byte {
            b'0'..=b'9' => digits = digits * 10 + i64::from(byte - b'0'),
            b'.' if point.is_none() => point = Some(place),
            _ => return None,
        }
    }
    let decimals = point.map_or(0, |point| body.len() - point - 1);
    if body.len() <= usize::from(point.is_some())
        || decimals == 3
        || point == Some(0)
        || point.is_some() && decimals == 0
    {
        return None;
    }
    let digits = i128::from(if negative { -digits } else { digits });
    Some(Written { value: Decimal { digits, decimals: decimals as u32 }, or: None, spelling: Spelling::Plain })
}

/// Whether it is below zero (a minus before or behind it, or brackets as in accounts), and the rest.
fn unsigned(text: &str) -> (bool, &str) {
    let minus = ['-', '−', '–'];
    if let Some(inner) = text.strip_prefix('(').and_then(|text| text.strip_suffix(')')) {
        return (true, trimmed(inner));
    }
    let behind = || text.strip_suffix(minus).filter(|rest| rest.ends_with(|last: char| last.is_ascii_digit()));
    match text.strip_prefix(minus).or_else(behind) {
        Some(rest) => (true, trimmed(rest)),
        None => (false, trimmed(text.strip_prefix('+').unwrap_or(text))),
    }
}

/// `1.5e3` as `1.5` and 3.
fn without_power(text: &str) -> Option<(&str, i64)> {
    match text.split_once(['e', 'E']) {
        Some((text, power)) => Some((text, power.strip_prefix('+').unwrap_or(power).parse().ok()?)),
        None => Some((text, 0)),
    }
}

fn body(text: &str) -> Option<Written> {
    let is_separator = |letter: char| matches!(letter, '.' | ',');
    let is_gap = |letter: char| matches!(letter, '\'' | '’' | '_') || is_space(letter);
    let digits = text.chars().filter(char::is_ascii_digit).count();
    if digits == 0 || digits > MOST_DIGITS || !text.chars().all(|l| l.is_ascii_digit() || is_separator(l) || is_gap(l))
    {
        return None;
    }
    let (points, commas) = (text.matches('.').count(), text.matches(',').count());
    let gaps = text.chars().filter(|letter| is_gap(*letter)).count();
    let last = text.rfind(is_separator);
    let (before, after) = last.map_or((text, ""), |last| (&text[..last], &text[last + 1..]));
    let exact = |whole: &str, part: &str, spelling| {
        let all = whole.chars().chain(part.chars()).filter(char::is_ascii_digit);
        let digits = all.fold(0, |number, digit| number * 10 + i128::from(digit as u8 - b'0'));
        Written { value: Decimal { digits, decimals: part.len() as u32 }, or: None, spelling }
    };
    let in_groups = |text: &str, apart: &dyn Fn(char) -> bool| {
        let mut groups = text.split(apart);
        groups.next().is_some_and(|first| (1..=3).contains(&first.len())) && groups.all(|group| group.len() == 3)
    };
    let decimal =
        if text[last.unwrap_or(text.len())..].starts_with(',') { Spelling::DecimalComma } else { Spelling::Plain };
    if after.contains(is_gap) {
        return None;
    }
    match (points, commas, gaps) {
        (0, 0, 0) => Some(exact(text, "", Spelling::Plain)),
        (0, 0, _) => in_groups(text, &is_gap).then(|| exact(text, "", Spelling::Thousands)),
        // Spaces or apostrophes are for thousands, so the separator is the decimal one.
        (..=1, ..=1, 1..) if points + commas == 1 => {
            in_groups(before, &is_gap).then(|| exact(before, after, Spelling::Thousands))
        }
        (_, _, 1..) => None,
        (1, 0, 0) | (0, 1, 0) => {
            let one = exact(before, after, decimal);
            let may_be_thousands = after.len() == 3 && (1..=3).contains(&before.len()) && !before.starts_with('0');
            let or = may_be_thousands.then(|| exact(text, "", Spelling::Thousands).value.digits);
            Some(Written { or, spelling: if or.is_some() { Spelling::Unclear } else { one.spelling }, ..one })
        }
        // Of two kinds the last is the decimal one, and stands there once.
        (1.., 1.., 0) => {
            let other = if text[last?..].starts_with(',') { '.' } else { ',' };
            let once = !before.contains(if other == '.' { ',' } else { '.' });
            (once && in_groups(before, &|letter| letter == other)).then(|| exact(before, after, Spelling::Thousands))
        }
        (_, _, 0) => in_groups(text, &is_separator).then(|| exact(text, "", Spelling::Thousands)),
    }
}
