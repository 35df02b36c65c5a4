//! Records as they stand in a journal.

use std::io::{BufReader, ErrorKind, Read};

use super::JournalError;

/// Bytes in front of each record.
pub const HEAD: usize = 8;
/// The longest record there is.
pub const LONGEST: usize = 1 << 20;

/// How many whole records there are in the first `all` bytes, and how many bytes they take.  A record at a time is in memory.
///
/// What was torn off by a crash is the beginning of a record, or zeros that a file system had put there for it; anything else
/// that is no record is damage.
pub fn records_of(
    file: &mut impl Read,
    all: u64,
    shown: &str,
    mut seen: impl FnMut(&[u8]),
) -> std::result::Result<(usize, u64), JournalError> {
    let disk = |cause: std::io::Error| JournalError::Disk { path: shown.into(), cause: cause.to_string() };
    let damaged = |at: u64| Err(JournalError::Damaged { path: shown.into(), at: at as usize });
    let mut file = BufReader::with_capacity(LONGEST, file);
    let (mut at, mut records, mut record) = (0, 0, Vec::new());
    // Whoever writes may have taken back a half written end meanwhile.
    let filled = |file: &mut BufReader<_>, bytes: &mut [u8]| match file.read_exact(bytes) {
        Err(cause) if cause.kind() == ErrorKind::UnexpectedEof => Ok(false),
        read => read.map(|()| true).map_err(disk),
    };
    while at + HEAD as u64 <= all {
        let mut head = [0; HEAD];
        if !filled(&mut file, &mut head)? {
            break;
        }
        let number = |from: usize| u32::from_le_bytes([head[from], head[from + 1], head[from + 2], head[from + 3]]);
        let (length, sum) = (number(0) as usize, number(4));
        let end = at + (HEAD + length) as u64;
        if length == 0 || length > LONGEST {
            let mut rest = head.to_vec();
            file.take(all - at - HEAD as u64).read_to_end(&mut rest).map_err(disk)?;
            return if rest.iter().all(|byte| *byte == 0) { Ok((records, at)) } else { damaged(at) };
        }
        if end > all {
            break;
        }
        record.resize(length, 0);
        if !filled(&mut file, &mut record)? {
            break;
        }
        if crc32fast::hash(&record) != sum {
            // What follows it shows that it had been whole.
            return if end < all { damaged(at) } else { Ok((records, at)) };
        }
        seen(&record);
        (records, at) = (records + 1, end);
    }
    Ok((records, at))
}

/// Records as they stand in the file.
pub fn framed(records: &[impl AsRef<[u8]>]) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    for record in records.iter().map(AsRef::as_ref) {
        if record.len() > LONGEST {
            return Err(std::io::Error::other(format!("a record of {} bytes, of at most {LONGEST}", record.len())));
        }
        bytes.extend((record.len() as u32).to_le_bytes());
        bytes.extend(crc32fast::hash(record).to_le_bytes());
        bytes.extend(record);
    }
    Ok(bytes)
}
