//! Draws how cost grows with events: `benchmarks growth.csv picture.png`; each line of the CSV holds events, our seconds
//! and the peer's.  `benchmarks cluster cluster.csv picture.png` draws the same of one process and two executors.

use std::error::Error;

use charts::bars::{Bar, Chart};
use charts::{Caption, Picture, Tone, Unit};

/// Who is compared, and what the picture says of the last line.
struct Words {
    ours: &'static str,
    others: &'static str,
    caption: fn(f64, f64, f64) -> Caption,
}

const PEER: Words = Words {
    ours: "selvedge",
    others: "DuckDB, by hand",
    caption: |millions, ours, peer| Caption {
        title: format!("Point-in-time windows over {millions} million events take {ours:.1} seconds"),
        subtitle: format!(
            "The SQL a person writes, run as it is; the version rewritten by hand for DuckDB takes {peer:.1} seconds. Seconds from Parquet to sorted Parquet, two threads."
        ),
        footnote: "A moment for every tenth event; medians of runs that take turns. Figures: reports/benchmarks.md."
            .into(),
    },
};

const CLUSTER: Words = Words {
    ours: "two executors",
    others: "here alone",
    caption: |millions, executors, alone| {
        Caption {
        title: format!(
            "Two executors take {:.1} times as long as one process over {millions} million events",
            executors / alone
        ),
        subtitle: "The same bytes, on the same two processors: what a cluster costs where it gains nothing. Seconds from Parquet to sorted Parquet.".into(),
        footnote: "Executors of one task and 2 GiB each; medians of runs that take turns. Figures: reports/cluster.md.".into(),
    }
    },
};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1).peekable();
    let words = if arguments.next_if(|first| first == "cluster").is_some() { CLUSTER } else { PEER };
    let (Some(figures), Some(picture)) = (arguments.next(), arguments.next()) else {
        return Err("give a CSV of figures and the picture's place".into());
    };
    let mut bars = Vec::new();
    let mut largest = (0.0, 0.0, 0.0);
    for line in std::fs::read_to_string(figures)?.lines() {
        let numbers = line.split(',').map(str::parse).collect::<Result<Vec<f64>, _>>()?;
        let [events, ours, others] = numbers[..] else { return Err(format!("three numbers, not {line}").into()) };
        let millions = events / 1e6;
        for (who, seconds, tone) in [(words.ours, ours, Some(Tone::Better)), (words.others, others, None)] {
            let label = format!("{millions} million events, {who}");
            bars.push(Bar { label, value: Some(seconds), note: String::new(), tone });
        }
        largest = (millions, ours, others);
    }
    let caption = (words.caption)(largest.0, largest.1, largest.2);
    std::fs::write(picture, Chart { caption, unit: Unit::Number(2), bars }.png()?)?;
    Ok(())
}
