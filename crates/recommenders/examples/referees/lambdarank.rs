//! `lambdarank`: LightGBM's ranking example, N at 1, 3, 5 and 10 with gains 2^label - 1, by the example's settings.

use std::{error::Error, path::Path, time::Instant};

use ndarray::{Array2, s};
use recommenders::{
    boosted::{Boosted, BoostedSettings},
    maths,
    metrics::order,
    rank::Ranker,
};

use crate::{Line, Table, data};

const PLACES: [usize; 4] = [1, 3, 5, 10];
/// The median of so many fits counts.
const FITS: usize = 3;

/// Rows of queries: a matrix, labels, and queries.
struct Rows {
    matrix: Array2<f64>,
    labels: Vec<u8>,
    /// How many rows each query has.
    queries: Vec<usize>,
}

pub fn run(folder: &Path) -> Result<Table, Box<dyn Error>> {
    let folder = folder.join("lambdarank");
    let (train, test) = (folder.join("rank.train"), folder.join("rank.test"));
    let (rows, columns) = (data::lines(&train)?, data::lines(&test)?);
    let width = rows.iter().chain(&columns).map(|line| highest(line)).max().unwrap_or(0) + 1;
    let train_rows = read(&rows, &data::lines(&folder.join("rank.train.query"))?, width)?;
    let test_rows = read(&columns, &data::lines(&folder.join("rank.test.query"))?, width)?;
    // The example's configuration, without bagging.
    let settings = BoostedSettings {
        trees: 100,
        rate: 0.1,
        leaves: 31,
        rows_a_leaf: 50,
        curvature_a_leaf: 5.0,
        columns: 1.0,
        l2: 0.0,
        truncation: 30,
        normalised: true,
        seed: 0,
    };
    let mut seconds = Vec::new();
    let fit = || Boosted::fit(train_rows.matrix.view(), &train_rows.labels, &train_rows.queries, settings);
    let mut model = fit()?;
    for _ in 0..FITS {
        let since = Instant::now();
        model = fit()?;
        seconds.push(since.elapsed().as_secs_f64());
    }
    seconds.sort_by(f64::total_cmp);
    let seconds = seconds[FITS / 2];
    let figures = judge(&model, &test_rows)?;
    let name = format!("{} (version {})", model.name(), model.version());
    let lines = vec![Line { model: name, users: test_rows.queries.len(), figures, seconds }];
    let hash = data::hash(&[&train, &test])?;
    Ok(Table { protocol: "lambdarank", figures: &["N@1", "N@3", "N@5", "N@10"], hash, lines })
}

/// The highest column of a line of `label column:value …`.
fn highest(line: &[String]) -> usize {
    line[1..].iter().filter_map(|cell| cell.split_once(':')?.0.parse().ok()).max().unwrap_or(0)
}

fn read(lines: &[Vec<String>], counts: &[Vec<String>], width: usize) -> Result<Rows, Box<dyn Error>> {
    let (mut matrix, mut labels) = (Array2::zeros((lines.len(), width)), Vec::new());
    for (row, line) in lines.iter().enumerate() {
        labels.push(line[0].parse::<f64>()? as u8);
        for cell in &line[1..] {
            let (column, value) = cell.split_once(':').ok_or_else(|| format!("`{cell}` is not column:value"))?;
            matrix[(row, column.parse()?)] = value.parse()?;
        }
    }
    let queries: Result<Vec<usize>, _> = counts.iter().map(|count| count[0].parse()).collect();
    let queries = queries?;
    let counted: usize = queries.iter().sum();
    if counted != lines.len() {
        return Err(format!("queries of {counted} rows for {} rows", lines.len()).into());
    }
    Ok(Rows { matrix, labels, queries })
}

/// The mean over queries; one without anything relevant counts 1, as LightGBM's.
fn judge(model: &Boosted, rows: &Rows) -> Result<Vec<f64>, Box<dyn Error>> {
    let mut sums = vec![0.0; PLACES.len()];
    let mut start = 0;
    for count in &rows.queries {
        let query = start..start + count;
        start += count;
        let scores = model.scores(rows.matrix.slice(s![query.clone(), ..]))?;
        let labels = &rows.labels[query];
        let mut best: Vec<usize> = (0..labels.len()).collect();
        best.sort_by_key(|row| std::cmp::Reverse(labels[*row]));
        let ranked = order(&scores, &[]);
        for (sum, places) in sums.iter_mut().zip(PLACES) {
            let most = gain(labels, &best, places);
            *sum += if most > 0.0 { gain(labels, &ranked, places) / most } else { 1.0 };
        }
    }
    Ok(sums.into_iter().map(|sum| sum / rows.queries.len().max(1) as f64).collect())
}

fn gain(labels: &[u8], order: &[usize], places: usize) -> f64 {
    let at = |(place, row): (usize, &usize)| {
        (maths::pow(2.0, f64::from(labels[*row])) - 1.0) / maths::log2(place as f64 + 2.0)
    };
    order.iter().take(places).enumerate().map(at).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_and_a_column_that_knows_the_label_is_found() {
        let line = |row: usize| format!("{} 2:{}.5 4:{}", row % 3, row % 3, row % 7);
        let words = |text: String| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let lines: Vec<Vec<String>> = (0..600).map(|row| words(line(row))).collect();
        let counts: Vec<Vec<String>> = (0..60).map(|_| vec!["10".to_owned()]).collect();
        assert_eq!(highest(&lines[0]), 4);
        let rows = read(&lines, &counts, 5).unwrap();
        assert_eq!((rows.matrix[(4, 2)], rows.matrix[(4, 4)], rows.labels[4]), (1.5, 4.0, 1));
        let settings = BoostedSettings { trees: 5, rows_a_leaf: 10, columns: 1.0, ..BoostedSettings::default() };
        let model = Boosted::fit(rows.matrix.view(), &rows.labels, &rows.queries, settings).unwrap();
        assert_eq!(judge(&model, &rows).unwrap(), [1.0; 4]);
        assert!(read(&lines, &counts[1..], 5).is_err());
    }
}
