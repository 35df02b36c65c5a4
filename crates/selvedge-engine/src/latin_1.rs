//! Texts of old programs: every byte is a letter (windows-1252, which is what programs mean by Latin-1).

use std::io::Read;

/// What the bytes from 0x80 to 0x9f stand for; five stand for nothing.
const BETWEEN: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}', '‘', '’',
    '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// Reads such a file as UTF-8.
pub struct Latin1<R> {
    inner: R,
    /// What did not fit into the reader's hands, back to front.
    left: Vec<u8>,
}

impl<R: Read> Latin1<R> {
    pub fn new(inner: R) -> Self {
        Self { inner, left: Vec::new() }
    }
}

impl<R: Read> Read for Latin1<R> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let mut written = 0;
        while written < out.len()
            && let Some(byte) = self.left.pop()
        {
            out[written] = byte;
            written += 1;
        }
        if written > 0 || out.is_empty() {
            return Ok(written);
        }
        let mut bytes = vec![0; out.len()];
        let count = self.inner.read(&mut bytes)?;
        let mut all = Vec::with_capacity(2 * count);
        let mut letter = [0; 4];
        for byte in &bytes[..count] {
            let read = match byte {
                0x80..=0x9f => BETWEEN[usize::from(byte - 0x80)],
                byte => char::from(*byte),
            };
            all.extend_from_slice(read.encode_utf8(&mut letter).as_bytes());
        }
        let now = all.len().min(out.len());
        out[..now].copy_from_slice(&all[..now]);
        self.left = all.split_off(now);
        self.left.reverse();
        Ok(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_a_letter_however_small_the_steps() {
        let written = b"caf\xe9 \x80 5, \xdcber".as_slice();
        for step in [1, 2, 3, 64] {
            let (mut reader, mut all, mut part) = (Latin1::new(written), Vec::new(), vec![0; step]);
            loop {
                match reader.read(&mut part).unwrap() {
                    0 => break,
                    count => all.extend_from_slice(&part[..count]),
                }
            }
            assert_eq!(String::from_utf8(all).unwrap(), "café € 5, Über");
        }
    }
}
