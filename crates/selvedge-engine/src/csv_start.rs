//! What a file begins with: what is no CSV at all is told by its first bytes, and a header line by what stands in it.

use std::collections::BTreeSet;

use csv::Reader;
use memchr::{memchr_iter, memrchr};

use super::csv::refuse_open_quote;
use super::csv_error::CsvError;
use selvedge_project::error::Result;

pub const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// First bytes of other formats: what the file is, and what to do.
const OTHERS: [(&[u8], &str, &str); 11] = [
    (
        b"\x1f\x8b",
        "compressed with gzip",
        "unpack it, or let its name end with .gz, there and in the header of its file in sql/sources",
    ),
    (b"PK\x03\x04", "a zip archive or an Excel workbook", "unpack it; save a workbook as CSV in UTF-8"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook", "save it as CSV in UTF-8"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd", UNPACK),
    (b"\xfd7zXZ", "compressed with xz", UNPACK),
    (b"BZh", "compressed with bzip2", UNPACK),
    (
        b"PAR1",
        "a Parquet file",
        "export it as CSV in UTF-8, or let its name end with .parquet, there and in the header of its file in sql/sources",
    ),
    (b"%PDF", "a PDF", "ask for the export as CSV in UTF-8"),
    (b"\xff\xfe", "written in UTF-16", "save it as CSV in UTF-8"),
    (b"\xfe\xff", "written in UTF-16", "save it as CSV in UTF-8"),
    (b"<", "a page of HTML or XML", "ask for the export again: perhaps the download was answered with a page of words"),
];

const UNPACK: &str = "unpack it";

/// How many bytes stand before the header line, and how many lines: a byte order mark, and the line by which Excel is told
/// what separates columns.
pub fn before_header(text: &[u8], file: &str) -> Result<(usize, u64)> {
    if let Some((_, what, todo)) = OTHERS.iter().find(|(bytes, ..)| text.starts_with(bytes)) {
        return Err(CsvError::OtherFormat { file: file.into(), what, todo }.into());
    }
    let mark = if text.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
    let line = text[mark..].split_inclusive(|byte| *byte == b'\n').next().unwrap_or_default();
    let words = String::from_utf8_lossy(line).trim().trim_matches('"').to_lowercase();
    match words.strip_prefix("sep=") {
        Some(",") => Ok((mark + line.len(), 1)),
        Some(separator) => Err(CsvError::OtherSeparator { file: file.into(), separator: separator.into() }.into()),
        None => Ok((mark, 0)),
    }
}

/// The columns that the first line of `text` names, which must be those that are expected, in any order.
pub fn header(
    reader: &mut Reader<&[u8]>,
    text: &[u8],
    file: &str,
    expected: &BTreeSet<&str>,
    definition: &str,
) -> Result<Vec<String>> {
    let header =
        reader.byte_headers().map_err(|e| CsvError::Broken { file: file.into(), line: 1, cause: e.to_string() })?;
    if header.is_empty() {
        return Err(CsvError::Empty { file: file.into() }.into());
    }
    let first_line = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    refuse_open_quote(header, first_line, header.len(), file, 1)?;
    let found: Vec<String> = header.iter().map(|name| String::from_utf8_lossy(name).trim().to_owned()).collect();
    if found.iter().any(|name| name.contains(['\0', '\u{fffd}'])) {
        return Err(CsvError::NotUtf8 { file: file.into() }.into());
    }
    let line: String = String::from_utf8_lossy(first_line).trim_end().chars().take(120).collect();
    let seen: BTreeSet<&str> = found.iter().map(String::as_str).collect();
    if expected.len() > 1 && !expected.iter().any(|name| seen.contains(name)) {
        let named_in_line = expected.iter().any(|name| line.contains(name));
        return Err(match expected.iter().next().filter(|_| found.len() > 1 || !named_in_line) {
            Some(column) => CsvError::NoHeader { file: file.into(), column: (*column).into(), text: line }.into(),
            None => CsvError::NotCommas { file: file.into(), text: line }.into(),
        });
    }
    if let Some(place) = found.iter().position(String::is_empty) {
        let (place, at_end) = (place + 1, found[place..].iter().all(String::is_empty));
        return Err(CsvError::NoName { file: file.into(), place, at_end }.into());
    }
    refuse_other_columns(&found, file, expected, definition)?;
    Ok(found)
}

/// Fails where a file's columns are not those that are expected, each once, in any order.
pub fn refuse_other_columns(found: &[String], file: &str, expected: &BTreeSet<&str>, definition: &str) -> Result<()> {
    let mut seen = BTreeSet::new();
    if let Some(column) = found.iter().find(|name| !seen.insert(name.as_str())) {
        return Err(CsvError::ColumnTwice { file: file.into(), column: column.clone() }.into());
    }
    if seen.contains("line") {
        return Err(CsvError::OwnName { file: file.into(), definition: definition.into() }.into());
    }
    let missing: Vec<String> = expected.iter().filter(|name| !seen.contains(**name)).map(ToString::to_string).collect();
    if !missing.is_empty() {
        return Err(CsvError::MissingColumns { file: file.into(), columns: missing, found: found.to_vec() }.into());
    }
    let extra: Vec<String> = found.iter().filter(|name| !expected.contains(name.as_str())).cloned().collect();
    if !extra.is_empty() {
        return Err(CsvError::ExtraColumns { file: file.into(), columns: extra, definition: definition.into() }.into());
    }
    Ok(())
}

/// The first line of `text` that ends with a carriage return alone, counted from 0.  Within quotes it belongs to a text.
pub fn lone_return(text: &[u8]) -> Option<u64> {
    let (mut seen, mut quotes) = (0, 0);
    for place in memchr_iter(b'\r', text).filter(|place| text.get(place + 1) != Some(&b'\n')) {
        quotes += memchr_iter(b'"', &text[seen..place]).count();
        seen = place;
        if quotes % 2 == 0 {
            let line = memrchr(b'\n', &text[..place]).map_or(0, |end| memchr_iter(b'\n', &text[..=end]).count());
            return Some(line as u64);
        }
    }
    None
}
