//! A CSV in blocks of whole rows, to be read side by side.

use std::io::Read;
use std::path::Path;

use memchr::{memchr, memchr_iter, memrchr};

use super::csv::Kind;
use super::csv_start::BYTE_ORDER_MARK;
use super::latin_1::Latin1;

/// Bytes of a file that are read in one go, where memory has room for them.
pub const BLOCK: usize = 1 << 23;

/// Some of a CSV's rows, as they are written.
#[derive(Debug, Default)]
pub struct Written {
    pub text: Vec<u8>,
    pub first_line: u64,
    /// How many line ends there are, and so about how many rows.
    pub lines: usize,
}

/// A file in blocks that end with a row.  A quote may hold line ends, so from the first on the text is looked at byte by byte.
pub struct Blocks {
    file: Box<dyn Read + Send>,
    /// The beginning of the next block.
    begun: Vec<u8>,
    line: u64,
    quotes: bool,
    /// Bytes that are read in one go.
    size: usize,
}

/// Where a byte stands in its cell.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// At its beginning, where a quote opens.
    Start,
    /// In a cell without quotes, or behind them.
    Plain,
    Quoted,
    /// Behind a quote in quotes: the end, or the first of two that stand for one.
    Quote,
}

impl Place {
    fn after(self, byte: u8) -> Self {
        match (self, byte) {
            (Self::Quoted, b'"') => Self::Quote,
            (Self::Quoted, _) | (Self::Start | Self::Quote, b'"') => Self::Quoted,
            (_, b',' | b'\r' | b'\n') => Self::Start,
            _ => Self::Plain,
        }
    }
}

/// Where a text ends that is looked at from the beginning of a row on.
#[derive(Clone, Copy)]
struct Seen {
    place: Place,
    /// How many bytes have been looked at, and behind which the last row ends.
    bytes: usize,
    row_end: Option<usize>,
}

impl Seen {
    fn look(&mut self, text: &[u8]) {
        if self.bytes == 0 && text.starts_with(BYTE_ORDER_MARK) {
            self.bytes = BYTE_ORDER_MARK.len();
        }
        for byte in &text[self.bytes..] {
            self.place = self.place.after(*byte);
            self.bytes += 1;
            if *byte == b'\n' && self.place == Place::Start {
                self.row_end = Some(self.bytes);
            }
        }
    }
}

impl Blocks {
    pub fn open(path: &Path, kind: Kind, latin_1: bool, size: usize) -> std::io::Result<Self> {
        let file = kind.open(path)?;
        let file = if latin_1 { Box::new(Latin1::new(file)) } else { file };
        Ok(Self { file, begun: Vec::new(), line: 1, quotes: false, size })
    }

    fn block(&mut self) -> std::io::Result<Option<Written>> {
        let mut text = Vec::with_capacity(self.begun.len() + self.size);
        text.append(&mut self.begun);
        let mut seen = Seen { place: Place::Start, bytes: 0, row_end: None };
        let end = loop {
            let before = text.len();
            self.file.by_ref().take(self.size as u64).read_to_end(&mut text)?;
            self.quotes |= memchr(b'"', &text[before..]).is_some();
            if text.len() < before + self.size {
                break text.len();
            }
            let row_end = if self.quotes {
                seen.look(&text);
                seen.row_end
            } else {
                memrchr(b'\n', &text).map(|end| end + 1)
            };
            if let Some(end) = row_end {
                break end;
            }
        };
        self.begun = text.split_off(end);
        let lines = memchr_iter(b'\n', &text).count();
        let first_line = self.line;
        self.line += lines as u64;
        Ok((!text.is_empty()).then_some(Written { text, first_line, lines }))
    }
}

impl Iterator for Blocks {
    type Item = std::io::Result<Written>;

    fn next(&mut self) -> Option<Self::Item> {
        self.block().transpose()
    }
}
