//! Written times as moments, on the clock of a zone where they do not say whose: `moment(text, zone)`,
//! `moment_after(text, zone, cause)`, `local_time(moment, zone)` and `day(text, zone)`; `own_offset(text)` and `day_first(text)`
//! say how a time is written.  `from_month_first(text)` and `from_day_first(text)` are for a column that is always written so
//! (`12/1/2010 8:26`): what could be meant in two ways by itself is written as what it means.

use std::sync::Arc;

use chrono::offset::LocalResult;
use chrono::{DateTime, Offset, TimeZone};
use chrono_tz::Tz;
use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Date32Array, StringArray, TimestampNanosecondArray,
};
use datafusion::arrow::datatypes::{DataType, TimeUnit, TimestampNanosecondType};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};

use crate::clock::{NANOSECONDS, Written, plain};
use crate::missing::trimmed;
use crate::of_text::of_text;

const TIME: DataType = DataType::Timestamp(TimeUnit::Nanosecond, None);

/// The functions as a session registers them.
pub fn functions() -> [ScalarUDF; 8] {
    let of = |reads, arguments| {
        ScalarUDF::from(OfTime { reads, signature: Signature::exact(arguments, Volatility::Immutable) })
    };
    [
        of(Reads::Moment, vec![DataType::Utf8, DataType::Utf8]),
        of(Reads::After, vec![DataType::Utf8, DataType::Utf8, TIME]),
        of(Reads::Local, vec![TIME, DataType::Utf8]),
        of(Reads::Day, vec![DataType::Utf8, DataType::Utf8]),
        of_text("own_offset", DataType::Boolean, |texts| written(texts, |written| written.offset.is_some())),
        of_text("day_first", DataType::Boolean, |texts| written(texts, |written| written.day_first)),
        of_text("from_month_first", DataType::Utf8, |texts| reordered(texts, |[month, day, year]| [year, month, day])),
        of_text("from_day_first", DataType::Utf8, |texts| reordered(texts, |[day, month, year]| [year, month, day])),
    ]
}

/// Each text whose day is written as three numbers with `/`, `.` or `-` between them and the year last, with the year first; the
/// others as they are.
fn reordered(texts: &StringArray, order: fn([&str; 3]) -> [&str; 3]) -> ArrayRef {
    let of = |text: &str| -> Option<String> {
        let text = trimmed(text);
        let end = text.find(['T', ' ']).unwrap_or(text.len());
        let mut parts = text[..end].split(['/', '.', '-']);
        let three = [parts.next()?, parts.next()?, parts.next()?];
        let number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let fits = parts.next().is_none() && three.iter().all(|part| number(part)) && three[2].len() == 4;
        let [year, month, day] = order(three);
        fits.then(|| format!("{year}-{month:0>2}-{day:0>2}{}", &text[end..]))
    };
    Arc::new(
        texts.iter().map(|text| text.map(|text| of(text).unwrap_or_else(|| text.to_owned()))).collect::<StringArray>(),
    )
}

/// Whether each text is a time that is written so; NULL where it is no time.
fn written(texts: &StringArray, so: fn(&Written) -> bool) -> ArrayRef {
    let [clock, utc] =
        [None, Some(0)].map(|offset| Some(so(&Written { days: 0, time: None, offset, day_first: false })));
    let is = |text: &str| match text.as_bytes() {
        bytes if plain(bytes).is_none() => Written::read(text).as_ref().map(so),
        [.., b'Z'] => utc,
        _ => clock,
    };
    Arc::new(texts.iter().map(|text| text.and_then(is)).collect::<BooleanArray>())
}

/// What a written time is.
enum Meaning {
    /// UTC, whatever the zone.
    Moment(i64),
    /// The clock of the zone.
    Clock(i64),
}

/// Both in nanoseconds; None where the text is no time.
fn meaning(text: &str) -> Option<Meaning> {
    match plain(text.as_bytes()) {
        Some((time, true)) => Some(Meaning::Moment(time)),
        Some((time, false)) => Some(Meaning::Clock(time)),
        None => {
            let written = Written::read(text)?;
            let local = written.local()?;
            Some(match written.offset {
                Some(offset) => Meaning::Moment(local.checked_sub(i64::from(offset) * NANOSECONDS)?),
                None => Meaning::Clock(local),
            })
        }
    }
}

/// The moment a text names.  Of two with one clock time the first is meant that is not before its cause; a time that the
/// clock skipped is none.
fn moment(text: &str, zone: Tz, cause: Option<i64>) -> Option<i64> {
    let clock = match meaning(text)? {
        Meaning::Moment(moment) => return Some(moment),
        Meaning::Clock(clock) if zone == Tz::UTC => return Some(clock),
        Meaning::Clock(clock) => clock,
    };
    let nanoseconds = |moment: DateTime<Tz>| moment.timestamp_nanos_opt();
    match zone.from_local_datetime(&DateTime::from_timestamp_nanos(clock).naive_utc()) {
        LocalResult::None => None,
        LocalResult::Single(moment) => nanoseconds(moment),
        LocalResult::Ambiguous(one, other) => {
            let (first, second) = (nanoseconds(one.min(other))?, nanoseconds(one.max(other))?);
            Some(if cause.is_some_and(|cause| first < cause && cause <= second) { second } else { first })
        }
    }
}

/// What the clock of the zone shows at a moment.
fn local_time(moment: i64, zone: Tz) -> Option<i64> {
    let utc = DateTime::from_timestamp_nanos(moment).naive_utc();
    let offset = zone.offset_from_utc_datetime(&utc).fix().local_minus_utc();
    moment.checked_add(i64::from(offset) * NANOSECONDS)
}

/// The day a text names, since 1970-01-01.  One that was written as a moment (`2031-04-30T22:00:00Z`, midnight in Berlin) is the
/// day that the zone's clock shows then; midnight as written is the day as written.
fn day(text: &str, zone: Tz) -> Option<i32> {
    let written = Written::read(text)?;
    match (written.offset, written.time) {
        (Some(offset), Some(time)) if time.seconds != 0 || time.nanoseconds != 0 => {
            let local = local_time(written.local()?.checked_sub(i64::from(offset) * NANOSECONDS)?, zone)?;
            i32::try_from(local.div_euclid(86_400 * NANOSECONDS)).ok()
        }
        _ => Some(written.days),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Reads {
    Moment,
    After,
    Local,
    Day,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct OfTime {
    reads: Reads,
    signature: Signature,
}

impl ScalarUDFImpl for OfTime {
    fn name(&self) -> &str {
        match self.reads {
            Reads::Moment => "moment",
            Reads::After => "moment_after",
            Reads::Local => "local_time",
            Reads::Day => "day",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(if self.reads == Reads::Day { DataType::Date32 } else { TIME })
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let zones = zones(&args.args[1])?;
        let zone = |row: usize| if let [zone] = zones[..] { zone } else { zones[row] };
        let rows = 0..args.number_rows;
        let array = |place: usize| args.args[place].to_array(args.number_rows);
        let answer: ArrayRef = match self.reads {
            Reads::Local => {
                let moments = array(0)?;
                let moments = moments.as_primitive::<TimestampNanosecondType>();
                let read = |row| local_time(value(moments, row)?, zone(row)?);
                Arc::new(rows.map(read).collect::<TimestampNanosecondArray>())
            }
            Reads::Day => {
                let texts = array(0)?;
                let texts = texts.as_string::<i32>();
                let read = |row| day(text(texts, row)?, zone(row)?);
                Arc::new(rows.map(read).collect::<Date32Array>())
            }
            Reads::Moment | Reads::After => {
                let texts = array(0)?;
                let texts = texts.as_string::<i32>();
                let causes = if self.reads == Reads::After { Some(array(2)?) } else { None };
                let causes = causes.as_ref().map(|causes| causes.as_primitive::<TimestampNanosecondType>());
                let read = |row| moment(text(texts, row)?, zone(row)?, causes.and_then(|causes| value(causes, row)));
                Arc::new(rows.map(read).collect::<TimestampNanosecondArray>())
            }
        };
        Ok(ColumnarValue::Array(answer))
    }
}

fn text(texts: &StringArray, row: usize) -> Option<&str> {
    texts.is_valid(row).then(|| texts.value(row))
}

fn value(moments: &TimestampNanosecondArray, row: usize) -> Option<i64> {
    moments.is_valid(row).then(|| moments.value(row))
}

/// The zone of every row; nearly always one for all.
fn zones(names: &ColumnarValue) -> Result<Vec<Option<Tz>>> {
    let zone = |name: Option<&str>| match name.map(|name| name.parse::<Tz>().map_err(|_| name)) {
        Some(Ok(zone)) => Ok(Some(zone)),
        Some(Err(name)) => exec_err!("'{name}' is no time zone such as Europe/Berlin"),
        None => Ok(None),
    };
    match names {
        ColumnarValue::Scalar(name) => Ok(vec![zone(name.try_as_str().flatten())?]),
        ColumnarValue::Array(names) => names.as_string::<i32>().iter().map(zone).collect(),
    }
}
