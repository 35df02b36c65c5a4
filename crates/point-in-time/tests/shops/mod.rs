//! Random shops: keys, times and rows as awkward as exports have them.

use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, BooleanArray, Decimal128Array, FixedSizeListArray, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use datafusion::arrow::datatypes::Float32Type;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

pub const SHOPS: i64 = 300;

/// Grain, events and the tables they are joined with; the same for the same seed.
pub fn tables(seed: u64) -> Vec<(&'static str, RecordBatch)> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let (mut grain, mut events) = (Vec::new(), Vec::new());
    for shop in 0..SHOPS {
        let step = [1, 1, 1, 86_400_000_000, 900_000_000_000][random.gen_range(0..5)];
        let hot = random.gen_bool(0.3);
        let (moments, times) = ([0, 1, 4, 9][random.gen_range(0..4)], [0, 1, 6, 14][random.gen_range(0..4)]);
        let row = |random: &mut ChaCha8Rng| {
            let pair = [(1, 12), (11, 2), (1, 2), (11, 12)]
                [if hot && random.gen_bool(0.5) { 0 } else { random.gen_range(0..4) }];
            let a = random.gen_bool(0.9).then_some(pair.0);
            let b = random.gen_bool(0.9).then_some(pair.1);
            let time = random.gen_bool(0.9).then(|| step * random.gen_range(-6..8));
            (Some(shop).filter(|_| random.gen_bool(0.97)), a, b, time)
        };
        for _ in 0..moments {
            grain.push(row(&mut random));
            if random.gen_bool(0.2) {
                grain.push(*grain.last().unwrap());
            }
        }
        events.extend((0..times).map(|_| row(&mut random)));
    }
    let numbers = |rows: &[Row], of: fn(&Row) -> Option<i64>| -> ArrayRef {
        Arc::new(rows.iter().map(of).collect::<Int64Array>())
    };
    let times =
        |rows: &[Row]| -> ArrayRef { Arc::new(rows.iter().map(|row| row.3).collect::<TimestampMicrosecondArray>()) };
    let grain_batch = RecordBatch::try_from_iter_with_nullable([
        ("shop", numbers(&grain, |row| row.0), true),
        ("a", numbers(&grain, |row| row.1), true),
        ("b", numbers(&grain, |row| row.2), true),
        ("as_of", times(&grain), true),
        (
            "until",
            Arc::new(grain.iter().map(|row| row.3.map(|time| time ^ 3)).collect::<TimestampMicrosecondArray>()),
            true,
        ),
        ("label", Arc::new(grain.iter().map(|row| row.1.map(|a| format!("l{a}"))).collect::<StringArray>()), true),
        ("open", Arc::new(grain.iter().map(|row| row.3.map(|time| time % 3 != 0)).collect::<BooleanArray>()), true),
    ]);
    let mut maybe = |share: f64| random.gen_bool(share);
    let quantity: Vec<_> = events.iter().map(|row| maybe(0.8).then_some(row.3.unwrap_or(3) % 5)).collect();
    let amount: Decimal128Array =
        quantity.iter().map(|q| q.filter(|_| maybe(0.9)).map(|q| i128::from(q) * 1999 - 700)).collect();
    let kind: Vec<_> = quantity.iter().map(|q| q.map(|q| ["a", "b", "c"][(q.rem_euclid(3)) as usize])).collect();
    let vectors = quantity.iter().map(|q| q.map(|q| vec![Some(q as f32 * 0.3), Some(1.0)]));
    let ends = events.iter().map(|row| row.3.filter(|_| maybe(0.8)).map(|at| at + row.1.unwrap_or(-1) * (at & 3) - 1));
    let ends = ends.collect::<TimestampMicrosecondArray>();
    let events_batch = RecordBatch::try_from_iter_with_nullable([
        ("shop", numbers(&events, |row| row.0), true),
        ("a", numbers(&events, |row| row.1), true),
        ("b", numbers(&events, |row| row.2), true),
        ("at", times(&events), true),
        ("ends", Arc::new(ends), true),
        ("line", Arc::new(Int64Array::from_iter_values(0..events.len() as i64)), true),
        ("kind", Arc::new(StringArray::from(kind)), true),
        ("amount", Arc::new(amount.with_precision_and_scale(14, 2).unwrap()), true),
        ("score", Arc::new(quantity.iter().map(|q| q.map(|q| q as f64 * 0.25)).collect::<Float64Array>()), true),
        ("flag", Arc::new(quantity.iter().map(|q| q.map(|q| q % 2 == 0)).collect::<BooleanArray>()), true),
        ("weight", Arc::new(quantity.iter().map(|q| q.map(|q| q as f64 * 0.5 - 0.3)).collect::<Float64Array>()), true),
        ("vector", Arc::new(FixedSizeListArray::from_iter_primitive::<Float32Type, _, _>(vectors, 2)), true),
        ("quantity", Arc::new(Int64Array::from(quantity)), true),
    ]);
    let kinds = RecordBatch::try_from_iter([
        ("kind", Arc::new(StringArray::from(vec!["a", "b"])) as ArrayRef),
        ("rank", Arc::new(Int64Array::from(vec![10, 20]))),
    ]);
    let shops = RecordBatch::try_from_iter([
        ("shop", Arc::new(Int64Array::from_iter_values(0..SHOPS)) as ArrayRef),
        ("tall", Arc::new((0..SHOPS).map(|shop| Some(shop % 4 != 0)).collect::<BooleanArray>())),
    ]);
    [("grain", grain_batch), ("events", events_batch), ("kinds", kinds), ("shops", shops)]
        .map(|(name, batch)| (name, batch.unwrap()))
        .into()
}

type Row = (Option<i64>, Option<i64>, Option<i64>, Option<i64>);
