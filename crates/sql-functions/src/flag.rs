//! `flag(text)`: what somebody wrote for yes or no; NULL where that is missing or neither.

use std::sync::Arc;

use datafusion::arrow::array::{BooleanArray, StringArray};
use datafusion::arrow::datatypes::DataType;
use datafusion::logical_expr::ScalarUDF;

use crate::missing::trimmed;
use crate::number::Written;
use crate::of_text::of_text;

/// The function as a session registers it.
pub fn function() -> ScalarUDF {
    of_text("flag", DataType::Boolean, |texts: &StringArray| {
        Arc::new(texts.iter().map(|text| text.and_then(flag)).collect::<BooleanArray>())
    })
}

/// In English, German, French and Italian, in capitals or not; Excel writes WAHR and FALSCH.
const YES: [&str; 13] = ["true", "t", "yes", "y", "on", "ja", "j", "wahr", "oui", "vrai", "si", "sì", "vero"];
const NO: [&str; 10] = ["false", "f", "no", "n", "off", "nein", "falsch", "non", "faux", "falso"];

/// true for a word for yes and for the number 1, false for a word for no and for 0, however these are written (1.0, "0,00").
pub fn flag(text: &str) -> Option<bool> {
    match text {
        "1" | "true" => return Some(true),
        "0" | "false" => return Some(false),
        _ => {}
    }
    let text = trimmed(text).to_lowercase();
    if YES.contains(&text.as_str()) {
        return Some(true);
    }
    if NO.contains(&text.as_str()) {
        return Some(false);
    }
    match Written::read(&text)?.whole()? {
        1 => Some(true),
        0 => Some(false),
        _ => None,
    }
}
