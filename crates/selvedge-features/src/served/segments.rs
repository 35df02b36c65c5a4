//! The served log: sealed files of what was answered, of what the answers showed, and of what customers did.
//!
//! A file's name says until when: `events-20310501T100000Z.parquet` holds what arrived before that moment and stands in no
//! earlier file.  Files never change, but for customers who are taken out because they do not agree any more.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, NaiveDateTime, Utc};
use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, Int64Array, RecordBatch, StringArray, TimestampNanosecondArray,
};
use datafusion::arrow::compute::concat_batches;
use datafusion::arrow::datatypes::{Int64Type, TimestampNanosecondType};
use datafusion::parquet::arrow::ProjectionMask;
use datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::event::{Arrived, Event, Kind};
use selvedge_engine::{Table, write_parquet};
use selvedge_project::error::{Advice, Result};

/// How a file's name says its moment.
const MOMENT: &str = "%Y%m%dT%H%M%S%.fZ";

/// What a segment holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// What customers did: a row for each event, in the order of arrival.
    Events,
    /// A row for each answer.
    Requests,
    /// A row for each place of each answer.
    Shown,
}

/// A sealed file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// Everything in it came before; its files' order.
    pub until: DateTime<Utc>,
    pub path: PathBuf,
}

/// An event with its number in the order of arrival, the file that it stands in, and its row there; the first is 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Placed {
    pub arrived: Arrived,
    pub number: usize,
    pub file: usize,
    pub row: i64,
}

#[derive(Debug, thiserror::Error)]
pub enum SegmentError {
    #[error("{path} cannot be read or written: {cause}")]
    Disk { path: String, cause: String },
    #[error("{path} is no part of the served log: {cause}")]
    Damaged { path: String, cause: String },
}

impl Advice for SegmentError {
    fn advice(&self) -> Option<String> {
        Some(match self {
            Self::Disk { .. } => "free some space on the disk, or check that the folder may be written to".into(),
            Self::Damaged { path, .. } => {
                format!("bring {path} back from a backup, or take it out of the folder: what it says is lost then")
            }
        })
    }
}

fn disk(path: &Path, cause: impl ToString) -> SegmentError {
    SegmentError::Disk { path: path.to_string_lossy().into_owned(), cause: cause.to_string() }
}

fn damaged(path: &Path, cause: impl ToString) -> SegmentError {
    SegmentError::Damaged { path: path.to_string_lossy().into_owned(), cause: cause.to_string() }
}

impl Part {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Events, Self::Requests, Self::Shown];

    /// As files and tables name it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Requests => "requests",
            Self::Shown => "shown",
        }
    }

    /// The files of a folder, the earliest first; none where there is no folder.
    ///
    /// # Errors
    /// A folder that cannot be read, or a file whose name says no moment.
    pub fn files(self, folder: &Path) -> Result<Vec<Segment>> {
        let mut found = Vec::new();
        if !folder.exists() {
            return Ok(found);
        }
        for entry in std::fs::read_dir(folder).map_err(|e| disk(folder, e))? {
            let path = entry.map_err(|e| disk(folder, e))?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let moment = name.strip_prefix(self.word()).and_then(|rest| rest.strip_prefix('-'));
            let Some(moment) = moment.and_then(|rest| rest.strip_suffix(".parquet")) else { continue };
            let until = NaiveDateTime::parse_from_str(moment, MOMENT).map_err(|e| damaged(&path, e))?.and_utc();
            found.push(Segment { until, path });
        }
        found.sort_by_key(|segment| segment.until);
        Ok(found)
    }

    /// Where what came before `until` is kept.
    pub fn file(self, folder: &Path, until: DateTime<Utc>) -> PathBuf {
        folder.join(format!("{}-{}.parquet", self.word(), until.format(MOMENT)))
    }
}

/// Everything before has been sealed.
///
/// # Errors
/// As [`Part::files`].
pub fn sealed_until(folder: &Path) -> Result<Option<DateTime<Utc>>> {
    let mut last = None;
    for part in Part::ALL {
        last = last.max(part.files(folder)?.last().map(|segment| segment.until));
    }
    Ok(last)
}

/// Writes a table, at once and for good.
///
/// # Errors
/// Disks.
pub fn write(path: &Path, table: &Table) -> Result<()> {
    let folder = path.parent().unwrap_or(Path::new(""));
    std::fs::create_dir_all(folder).map_err(|e| disk(folder, e))?;
    let scratch = path.with_extension("new");
    let file = write_parquet(&scratch, table, &[]).map_err(|e| disk(path, e))?;
    file.sync_all().map_err(|e| disk(path, e))?;
    std::fs::rename(&scratch, path).map_err(|e| disk(path, e))?;
    Ok(File::open(folder).and_then(|folder| folder.sync_all()).map_err(|e| disk(folder, e))?)
}

/// Reads the columns of a file that are wanted.
///
/// # Errors
/// A file that is not there any more or is no Parquet.
pub fn read(path: &Path, wanted: impl Fn(&str) -> bool) -> Result<RecordBatch> {
    let file = File::open(path).map_err(|e| disk(path, e))?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|e| damaged(path, e))?;
    let fields = builder.schema().fields().iter().enumerate();
    let columns: Vec<usize> = fields.filter(|(_, field)| wanted(field.name())).map(|(place, _)| place).collect();
    let mask = ProjectionMask::roots(builder.parquet_schema(), columns);
    let reader = builder.with_projection(mask).build().map_err(|e| damaged(path, e))?;
    let schema = datafusion::arrow::array::RecordBatchReader::schema(&reader);
    let batches = reader.collect::<std::result::Result<Vec<_>, _>>().map_err(|e| damaged(path, e))?;
    Ok(concat_batches(&schema, &batches).map_err(|e| damaged(path, e))?)
}

/// Events, with their numbers in the order of arrival, as a table.
///
/// # Errors
/// Two of one number.
pub fn table<'a>(events: impl Iterator<Item = (usize, &'a Arrived)>) -> Result<Table> {
    let events: Vec<(usize, &Arrived)> = events.collect();
    let given = |of: fn(&Event) -> &str| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(events.iter().map(|(_, one)| of(&one.event))))
    };
    let texts = |of: fn(&Event) -> Option<&String>| -> ArrayRef {
        Arc::new(events.iter().map(|(_, one)| of(&one.event)).collect::<StringArray>())
    };
    let moments = |of: fn(&Arrived) -> DateTime<Utc>| -> ArrayRef {
        let nanoseconds = events.iter().map(|(_, one)| of(one).timestamp_nanos_opt());
        Arc::new(nanoseconds.collect::<TimestampNanosecondArray>())
    };
    let kinds = events.iter().map(|(_, one)| one.event.kind.word());
    let sent = events.iter().map(|(_, one)| one.event.at.and_then(|at| at.timestamp_nanos_opt()));
    let pieces = events.iter().map(|(_, one)| one.event.quantity.map(i64::from));
    let columns: [(&str, ArrayRef); 15] = [
        ("number", Arc::new(Int64Array::from_iter_values(events.iter().map(|(number, _)| *number as i64)))),
        ("id", given(|event| &event.id)),
        ("at", moments(Arrived::at)),
        ("kind", Arc::new(StringArray::from_iter_values(kinds))),
        ("customer_id", given(|event| &event.customer_id)),
        ("product_id", given(|event| &event.product_id)),
        ("season", texts(|event| event.season.as_ref())),
        ("order_id", texts(|event| event.order_id.as_ref())),
        ("quantity", Arc::new(pieces.collect::<Int64Array>())),
        ("unit_price_eur", texts(|event| event.unit_price_eur.as_ref())),
        ("session_id", texts(|event| event.session_id.as_ref())),
        ("channel", texts(|event| event.channel.as_ref())),
        ("request", texts(|event| event.request.as_ref())),
        ("sent_at", Arc::new(sent.collect::<TimestampNanosecondArray>())),
        ("arrived", moments(|one| one.arrived)),
    ];
    Table::of_columns("served.events", &["number"], columns)
}

/// The events of a file, the `file`th.
///
/// # Errors
/// A file that holds no events.
pub fn events(segment: &Segment, file: usize) -> Result<Vec<Placed>> {
    let path = &segment.path;
    let batch = read(path, |_| true)?;
    let column = |name: &str| batch.column_by_name(name).ok_or_else(|| damaged(path, format!("no column {name}")));
    let no = |name: &str| damaged(path, format!("{name} is of another type"));
    let texts =
        |name: &str| -> Result<&StringArray> { Ok(column(name)?.as_string_opt::<i32>().ok_or_else(|| no(name))?) };
    let moments = |name: &str| -> Result<&TimestampNanosecondArray> {
        Ok(column(name)?.as_primitive_opt::<TimestampNanosecondType>().ok_or_else(|| no(name))?)
    };
    let numbers = column("number")?.as_primitive_opt::<Int64Type>().ok_or_else(|| no("number"))?;
    let pieces = column("quantity")?.as_primitive_opt::<Int64Type>().ok_or_else(|| no("quantity"))?;
    let (ids, kinds, customers, articles) = (texts("id")?, texts("kind")?, texts("customer_id")?, texts("product_id")?);
    let [seasons, orders, prices] = [texts("season")?, texts("order_id")?, texts("unit_price_eur")?];
    let [sessions, channels, requests] = [texts("session_id")?, texts("channel")?, texts("request")?];
    let (sent, arrived) = (moments("sent_at")?, moments("arrived")?);
    let given = |column: &StringArray, row: usize| column.is_valid(row).then(|| column.value(row).to_owned());
    let event = |row: usize| -> Result<Placed> {
        let kind = Kind::of(kinds.value(row)).ok_or_else(|| damaged(path, format!("the kind {}", kinds.value(row))))?;
        let event = Event {
            id: ids.value(row).to_owned(),
            customer_id: customers.value(row).to_owned(),
            product_id: articles.value(row).to_owned(),
            season: given(seasons, row),
            kind,
            at: sent.is_valid(row).then(|| DateTime::from_timestamp_nanos(sent.value(row))),
            order_id: given(orders, row),
            quantity: pieces.is_valid(row).then(|| u32::try_from(pieces.value(row)).unwrap_or(u32::MAX)),
            unit_price_eur: given(prices, row),
            session_id: given(sessions, row),
            channel: given(channels, row),
            request: given(requests, row),
        };
        let arrived = Arrived { event, arrived: DateTime::from_timestamp_nanos(arrived.value(row)) };
        let number = usize::try_from(numbers.value(row)).unwrap_or_default();
        Ok(Placed { arrived, number, file, row: row as i64 + 1 })
    };
    (0..batch.num_rows()).map(event).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_back_as_they_were_and_files_in_their_order() {
        let folder = tempfile::tempdir().unwrap();
        let json = r#"{"event":{"id":"e","customer_id":"c","product_id":"7","kind":"purchase","at":"2031-05-01T10:00:00.5Z","order_id":"o","quantity":2,"unit_price_eur":"3"},"arrived":"2031-05-01T10:00:01.000000001Z"}"#;
        let first: Arrived = serde_json::from_str(json).unwrap();
        let second: Arrived = serde_json::from_str(
            r#"{"event":{"id":"f","customer_id":"c","product_id":"7","kind":"clicked","request":"r"},"arrived":"2031-05-01T10:00:02Z"}"#,
        )
        .unwrap();
        let later = Part::Events.file(folder.path(), "2031-05-01T10:00:02.000000001Z".parse().unwrap());
        let sooner = Part::Events.file(folder.path(), "2031-05-01T10:00:02Z".parse().unwrap());
        write(&later, &table([(1, &second)].into_iter()).unwrap()).unwrap();
        write(&sooner, &table([(0, &first)].into_iter()).unwrap()).unwrap();
        std::fs::write(folder.path().join(".gitignore"), "*").unwrap();
        let files = Part::Events.files(folder.path()).unwrap();
        assert_eq!(files.iter().map(|file| &file.path).collect::<Vec<_>>(), [&sooner, &later]);
        let read: Vec<Arrived> =
            files.iter().flat_map(|file| events(file, 0).unwrap()).map(|placed| placed.arrived).collect();
        assert_eq!(read, [first, second]);
        assert_eq!(sealed_until(folder.path()).unwrap(), Some(files[1].until));
    }
}
