//! `plain_text(text)`: a text without HTML; `items(text)`: the parts of a list that somebody wrote into one cell.

use std::borrow::Cow;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, ListBuilder, StringArray, StringBuilder};
use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::logical_expr::ScalarUDF;
use html_escape::decode_html_entities;

use crate::missing::{given, is_space};
use crate::of_text::of_text;

/// The functions as a session registers them.
pub fn functions() -> [ScalarUDF; 2] {
    let list = DataType::List(Arc::new(Field::new_list_field(DataType::Utf8, true)));
    [of_text("plain_text", DataType::Utf8, plain_texts), of_text("items", list, lists)]
}

/// How often a text may have been written as HTML, one time over the other.
const TIMES: usize = 3;

fn plain_texts(texts: &StringArray) -> ArrayRef {
    Arc::new(texts.iter().map(|text| text.and_then(plain_text)).collect::<StringArray>())
}

/// HTML codes as the characters they stand for, tags and comments gone (with a space where a line or a block ends), no space
/// around it; NULL where nothing is left, or a word for missing.
fn plain_text(text: &str) -> Option<Cow<'_, str>> {
    let text = given(text)?;
    if !text.contains(['&', '<']) {
        return Some(Cow::Borrowed(text));
    }
    let mut plain = Cow::Borrowed(text);
    for _ in 0..TIMES {
        let decoded = decode_html_entities(&without_tags(&plain)).into_owned();
        if decoded == *plain {
            break;
        }
        plain = Cow::Owned(decoded);
    }
    let left = without_tags(&plain);
    given(&left).map(|left| Cow::Owned(left.to_owned()))
}

/// Without tags: `<`, perhaps `/`, a letter, up to `>`; or a comment.
fn without_tags(text: &str) -> Cow<'_, str> {
    let Some(first) = text.find('<') else { return Cow::Borrowed(text) };
    let mut out = text[..first].to_owned();
    let mut rest = &text[first..];
    let mut cut = false;
    while let Some(start) = rest.find('<') {
        out.push_str(&rest[..start]);
        rest = &rest[start..];
        match tag(rest) {
            Some(end) => {
                if !is_inline(&rest[1..end]) {
                    out.push(' ');
                }
                cut = true;
                rest = &rest[end..];
            }
            None => {
                out.push('<');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    if !cut {
        return Cow::Borrowed(text);
    }
    // Where tags were, spaces come together.
    let words = out.split(is_space).filter(|word| !word.is_empty()).collect::<Vec<_>>();
    Cow::Owned(words.join(" "))
}

/// Whether words on either side of a tag belong together.
fn is_inline(tag: &str) -> bool {
    let name: String = tag.trim_start_matches('/').chars().take_while(char::is_ascii_alphanumeric).collect();
    ["b", "i", "u", "em", "strong", "span", "a", "sup", "sub", "small", "font"]
        .contains(&name.to_ascii_lowercase().as_str())
}

/// Where the tag ends that a text begins with; None where it is no tag.
fn tag(text: &str) -> Option<usize> {
    if text.starts_with("<!--") {
        return text.find("-->").map(|end| end + 3);
    }
    let name = text[1..].strip_prefix('/').unwrap_or(&text[1..]);
    let begins = name.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '!');
    text.find('>').filter(|_| begins).map(|end| end + 1)
}

fn lists(texts: &StringArray) -> ArrayRef {
    let mut lists = ListBuilder::new(StringBuilder::new());
    for text in texts {
        match text.and_then(plain_text) {
            Some(text) => {
                items(&text).for_each(|item| lists.values().append_value(item));
                lists.append(true);
            }
            None => lists.append(false),
        }
    }
    Arc::new(lists.finish())
}

/// Separated by semicolons, commas, bars, slashes or lines; what says that there is nothing is no item, and `n/a` is one word.
fn items(text: &str) -> impl Iterator<Item = &str> {
    let parts = text.split([';', ',', '|', '\n', '\r']).filter_map(given);
    parts.flat_map(at_slashes).filter_map(given)
}

/// The pieces between slashes; those that are a word for missing together, such as `n/a`, are none.
fn at_slashes(part: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(part);
    std::iter::from_fn(move || {
        loop {
            let text = rest?;
            let Some((piece, after)) = text.split_once('/') else { return rest.take() };
            let end = after.find('/').unwrap_or(after.len());
            let together = &text[..piece.len() + 1 + end];
            if given(piece).is_some() && given(together).is_none() {
                rest = after.get(end + 1..);
                continue;
            }
            rest = Some(after);
            return Some(piece);
        }
    })
}
