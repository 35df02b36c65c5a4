//! `given(text)`: what stands in a cell without the space around it; NULL where that says that nothing is known.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, StringArray};
use datafusion::arrow::datatypes::DataType;
use datafusion::logical_expr::ScalarUDF;

use crate::of_text::of_text;

/// The function as a session registers it.
pub fn function() -> ScalarUDF {
    of_text("given", DataType::Utf8, |texts| cleaned(texts, given))
}

/// A cell that is one of these, in capitals or not, says that there is nothing: what databases, table programs, R, pandas and
/// people write.  Each stands for the whole cell only; `no` and `0` are answers, and `ohne Kragen` is a value.
const WORDS: [&str; 53] = [
    "null",
    "(null)",
    "[null]",
    "none",
    "nil",
    "nan",
    "nat",
    "na",
    "n/a",
    "n.a.",
    "n.a",
    "<na>",
    "#n/a",
    "#na",
    "#nv",
    "#null!",
    "\\n",
    "-",
    "--",
    "---",
    "–",
    "—",
    "?",
    "??",
    ".",
    "...",
    "…",
    "''",
    "\"\"",
    "()",
    "[]",
    "{}",
    "undefined",
    "unknown",
    "unspecified",
    "not given",
    "not available",
    "not specified",
    "not applicable",
    "no data",
    "missing",
    "(empty)",
    "(blank)",
    "(leer)",
    "unbekannt",
    "kein",
    "keine",
    "keiner",
    "keines",
    "keine angabe",
    "keine angaben",
    "k.a.",
    "k. a.",
];

/// MySQL's day for no day, with whatever time.
const NO_DAY: &str = "0000-00-00";

/// The longest of them, in bytes.
const LONGEST: usize = 14;

/// The text without the space around it; None where it is empty or a word for missing.
pub fn given(text: &str) -> Option<&str> {
    let text = trimmed(text);
    (!text.is_empty() && !is_word(text) && !text.starts_with(NO_DAY)).then_some(text)
}

/// Without the space around it, which may be of the kinds that nobody sees.
pub fn trimmed(text: &str) -> &str {
    let (first, last) = (text.as_bytes().first(), text.as_bytes().last());
    // Most begin and end with a letter or a digit.
    if first.is_none_or(u8::is_ascii_graphic) && last.is_none_or(u8::is_ascii_graphic) {
        return text;
    }
    text.trim_matches(is_space)
}

/// White space, and the marks without width that copied texts carry.
pub fn is_space(letter: char) -> bool {
    letter.is_whitespace() || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{ad}' | '\0')
}

fn is_word(text: &str) -> bool {
    let may_be =
        |first: &u8| !matches!(first, b'0'..=b'9') && (!first.is_ascii_alphabetic() || b"nukmNUKM".contains(first));
    text.len() <= LONGEST
        && text.as_bytes().first().is_some_and(may_be)
        && WORDS.iter().any(|word| word.eq_ignore_ascii_case(text))
}

/// Every text as `clean` makes it; the column itself where it changes none.
pub fn cleaned(texts: &StringArray, clean: impl Fn(&str) -> Option<&str>) -> ArrayRef {
    let stays = |text: Option<&str>| text.is_none_or(|text| clean(text).is_some_and(|clean| clean.len() == text.len()));
    match texts.iter().all(stays) {
        true => Arc::new(texts.clone()),
        false => Arc::new(texts.iter().map(|text| text.and_then(&clean)).collect::<StringArray>()),
    }
}
