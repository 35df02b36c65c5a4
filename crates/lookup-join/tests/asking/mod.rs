//! Random rows that ask, and tables to look things up in.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

const SHOPS: i64 = 100;

/// Rows that ask; what they look up, mostly one row a key; the same with keys that come often; and nothing.
pub fn tables(seed: u64) -> Vec<(&'static str, RecordBatch)> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut table = |rows: usize| {
        let (mut shops, mut a, mut b, mut names, mut sizes) = (vec![], vec![], vec![], vec![], vec![]);
        for _ in 0..rows {
            let pair = [(1, 12), (11, 2), (1, 2), (11, 12)][random.gen_range(0..4)];
            shops.push(random.gen_bool(0.95).then(|| random.gen_range(0..SHOPS)));
            a.push(random.gen_bool(0.95).then_some(pair.0));
            b.push(random.gen_bool(0.95).then_some(pair.1));
            names.push(random.gen_bool(0.9).then(|| format!("name {}", random.gen_range(0..40))));
            sizes.push(random.gen_bool(0.9).then(|| random.gen_range(-3..9)));
        }
        let columns: [(&str, ArrayRef); 5] = [
            ("shop", Arc::new(Int64Array::from(shops))),
            ("a", Arc::new(Int64Array::from(a))),
            ("b", Arc::new(Int64Array::from(b))),
            ("name", Arc::new(StringArray::from(names))),
            ("size", Arc::new(Int64Array::from(sizes))),
        ];
        let columns = columns.into_iter().map(|(name, column)| (name, column, true));
        RecordBatch::try_from_iter_with_nullable(columns).unwrap()
    };
    vec![("asking", table(10_000)), ("known", table(150)), ("often", table(900)), ("nothing", table(0))]
}
