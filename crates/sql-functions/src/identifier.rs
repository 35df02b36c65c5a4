//! `identifier(text)`: a number or name that stands for something, without what programs put around it.

use datafusion::arrow::datatypes::DataType;
use datafusion::logical_expr::ScalarUDF;

use crate::missing::{cleaned, given, is_space, trimmed};
use crate::of_text::of_text;

/// The function as a session registers it.
pub fn function() -> ScalarUDF {
    of_text("identifier", DataType::Utf8, |texts| cleaned(texts, identifier))
}

/// Without the space around it, the quotes or `="…"` that keep a table program from reading it as a number, and the `.0` of one
/// that was read so.  NULL where it is missing, and where a table program has shortened it (`1.23E+11`): its digits are lost.
fn identifier(text: &str) -> Option<&str> {
    if is_plain(text.as_bytes()) {
        return Some(text);
    }
    let text = given(text)?;
    let unquoted = unquoted(text);
    let whole = unquoted.strip_suffix(".0").filter(|whole| whole.bytes().all(|byte| byte.is_ascii_digit()));
    let id = match whole {
        Some(whole) if !whole.is_empty() => whole,
        _ => unquoted,
    };
    if id.len() == text.len() {
        return (!is_shortened(id)).then_some(id);
    }
    given(id).filter(|id| !is_shortened(id))
}

/// Letters and digits, which begin like no word for missing: most identifiers.
fn is_plain(text: &[u8]) -> bool {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'/');
    text.first().is_some_and(|first| first.is_ascii_alphanumeric() && !b"nukmNUKM".contains(first))
        && text.iter().all(plain)
}

fn unquoted(text: &str) -> &str {
    let odd = |byte: &u8| matches!(byte, b'=' | b'"' | b'\'') || !byte.is_ascii();
    if !text.as_bytes().first().is_some_and(odd) {
        return text;
    }
    let inner = text.strip_prefix('=').unwrap_or(text);
    let pairs = [('"', '"'), ('\'', '\''), ('“', '”'), ('„', '“')];
    let within = |(open, close): (char, char)| inner.strip_prefix(open)?.strip_suffix(close);
    match pairs.into_iter().find_map(within) {
        Some(inner) => trimmed(inner),
        // A table program hides an apostrophe before what is to stay a text.
        None => text.strip_prefix('\'').unwrap_or(text).trim_matches(is_space),
    }
}

/// Digits, a separator, digits and a power of ten with its sign, as table programs show long numbers.
fn is_shortened(text: &str) -> bool {
    let Some((number, power)) = text.split_once("E+").or_else(|| text.split_once("e+")) else { return false };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits(power) && number.split_once(['.', ',']).is_some_and(|(whole, part)| digits(whole) && digits(part))
}
