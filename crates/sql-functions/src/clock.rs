//! A written time taken apart: a day, a time of that day, and how far its clock was from UTC where it says so.
//!
//! Days: `2031-05-01`, `2031/05/01`, `20310501`, `01.05.2031`, and `31/05/2031` or `05/31/2031` where only one of the two can be
//! meant.  Behind it, after `T` or space: `HH:MM`, `HH:MM:SS`, with a fraction.  Behind that: `Z`, `+02:00`, `+0200`, `+02`, `UTC`,
//! `GMT`, `CET`, `CEST`, and a zone's name in brackets, which adds nothing.

use crate::missing::trimmed;

pub const NANOSECONDS: i64 = 1_000_000_000;
const DAY: i64 = 86_400;

/// A time as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// Since 1970-01-01.
    pub days: i32,
    /// None where only a day is written.
    pub time: Option<TimeOfDay>,
    /// Seconds that the clock is ahead of UTC; None where it does not say.
    pub offset: Option<i32>,
    /// Whether the day comes before the month and the year.
    pub day_first: bool,
}

/// What a clock shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeOfDay {
    pub seconds: i32,
    pub nanoseconds: i32,
}

impl Written {
    /// Reads a time; None where the text is none.
    pub fn read(text: &str) -> Option<Self> {
        let text = trimmed(text);
        let end = text.find(['T', 't', ' ', '\u{a0}']).unwrap_or(text.len());
        let (days, day_first) = day(text[..end].as_bytes())?;
        let rest = text[end..].trim_start_matches(['T', 't', ' ', '\u{a0}']);
        if rest.is_empty() {
            return (end == text.len()).then_some(Self { days, time: None, offset: None, day_first });
        }
        let end = rest
            .find(|letter: char| !letter.is_ascii_digit() && !matches!(letter, ':' | '.' | ','))
            .unwrap_or(rest.len());
        let time = Some(time_of_day(&rest[..end])?);
        let rest = trimmed(&rest[end..]);
        let offset = if rest.is_empty() { None } else { Some(offset(rest)?) };
        Some(Self { days, time, offset, day_first })
    }

    /// Nanoseconds since 1970-01-01T00:00:00 of its own clock; None where 64 bits do not hold them (before 1678, after 2261).
    pub fn local(&self) -> Option<i64> {
        let time = self.time.unwrap_or(TimeOfDay { seconds: 0, nanoseconds: 0 });
        let seconds = i64::from(self.days) * DAY + i64::from(time.seconds);
        seconds.checked_mul(NANOSECONDS)?.checked_add(i64::from(time.nanoseconds))
    }
}

/// `2031-05-01T10:00:00`, also with a space or `Z`: nanoseconds, and whether it says that it is UTC.
pub fn plain(text: &[u8]) -> Option<(i64, bool)> {
    let (text, utc) = match text {
        [text @ .., b'Z'] if text.len() == 19 => (text, true),
        text if text.len() == 19 => (text, false),
        _ => return None,
    };
    if text[4] != b'-' || text[7] != b'-' || !matches!(text[10], b'T' | b' ') || text[13] != b':' || text[16] != b':' {
        return None;
    }
    let two = |place: usize| -> Option<i32> {
        let (tens, ones) = (text[place].wrapping_sub(b'0'), text[place + 1].wrapping_sub(b'0'));
        (tens < 10 && ones < 10).then_some(i32::from(tens) * 10 + i32::from(ones))
    };
    let year = two(0)? * 100 + two(2)?;
    let days = days(year, two(5)?, two(8)?)?;
    let (hour, minute, second) = (two(11)?, two(14)?, two(17)?);
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let seconds = i64::from(days) * DAY + i64::from(hour * 3600 + minute * 60 + second);
    Some((seconds.checked_mul(NANOSECONDS)?, utc))
}

/// A day since 1970-01-01, and whether it is written before its month.
fn day(text: &[u8]) -> Option<(i32, bool)> {
    let number = |digits: &[u8]| -> Option<i32> {
        let all = !digits.is_empty() && digits.len() <= 4 && digits.iter().all(u8::is_ascii_digit);
        all.then(|| digits.iter().fold(0, |number, digit| number * 10 + i32::from(digit - b'0')))
    };
    if text.len() == 8 && text.iter().all(u8::is_ascii_digit) {
        return Some((days(number(&text[..4])?, number(&text[4..6])?, number(&text[6..])?)?, false));
    }
    let separator = *text.iter().find(|byte| !byte.is_ascii_digit())?;
    let mut parts = text.split(|byte| *byte == separator);
    let (first, second, third) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || second.is_empty() || second.len() > 2 {
        return None;
    }
    let (one, two, three) = (number(first)?, number(second)?, number(third)?);
    match (separator, first.len(), third.len()) {
        (b'-' | b'/', 4, 1..=2) => Some((days(one, two, three)?, false)),
        (b'.', 1..=2, 4) => Some((days(three, two, one)?, true)),
        (b'/' | b'-', 1..=2, 4) => match (days(three, two, one), days(three, one, two)) {
            (Some(day), other) if other.is_none_or(|other| other == day) => Some((day, true)),
            (None, Some(day)) => Some((day, false)),
            _ => None,
        },
        _ => None,
    }
}

/// Days from 1970-01-01 to a date, by the calendar of today (Hinnant, "chrono-compatible low-level date algorithms"); None where
/// there is no such date.
fn days(year: i32, month: i32, day: i32) -> Option<i32> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let longest = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=longest).contains(&day) || year < 1 {
        return None;
    }
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year - era * 400;
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
}

fn time_of_day(text: &str) -> Option<TimeOfDay> {
    let (clock, fraction) = match text.split_once(['.', ',']) {
        Some((clock, fraction)) => (clock, Some(fraction)),
        None => (text, None),
    };
    let mut parts = clock.split(':');
    let mut part = |most: i32| -> Option<Option<i32>> {
        let Some(text) = parts.next() else { return Some(None) };
        let two = (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        two.then(|| text.parse().ok()).flatten().filter(|number| *number <= most).map(Some)
    };
    let (hour, minute, second) = (part(23)??, part(59)??, part(59)?);
    let nanoseconds = match fraction {
        Some(fraction)
            if second.is_none() || fraction.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            return None;
        }
        Some(fraction) => format!("{:0<9.9}", fraction).parse().ok()?,
        None => 0,
    };
    let done = parts.next().is_none();
    done.then_some(TimeOfDay { seconds: hour * 3600 + minute * 60 + second.unwrap_or_default(), nanoseconds })
}

/// Seconds that a clock is ahead of UTC.
fn offset(text: &str) -> Option<i32> {
    // Java adds the zone's name to the offset.
    let text = match text.split_once('[') {
        Some((text, name)) if name.ends_with(']') => text,
        Some(_) => return None,
        None => text,
    };
    match text {
        "Z" | "z" | "UTC" | "GMT" => return Some(0),
        "CET" => return Some(3600),
        "CEST" => return Some(7200),
        _ => {}
    }
    let (ahead, digits) = match text.as_bytes() {
        [b'+', ..] => (1, &text[1..]),
        [b'-', ..] => (-1, &text[1..]),
        _ => (-1, text.strip_prefix('−')?),
    };
    let digits = digits.replace(':', "");
    let (hours, minutes) = match digits.len() {
        2 => (digits.parse::<u8>().ok()?, 0),
        4 => (digits.get(..2)?.parse::<u8>().ok()?, digits.get(2..)?.parse::<u8>().ok()?),
        _ => return None,
    };
    (hours <= 14 && minutes <= 59).then_some(ahead * (i32::from(hours) * 3600 + i32::from(minutes) * 60))
}
