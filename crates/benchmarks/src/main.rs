//! Draws how cost grows with events: `benchmarks growth.csv picture.png`; each line of the CSV holds events, our seconds
//! and the peer's.

use std::error::Error;

use charts::bars::{Bar, Chart};
use charts::{Caption, Picture, Tone, Unit};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(figures), Some(picture)) = (arguments.next(), arguments.next()) else {
        return Err("give a CSV of figures and the picture's place".into());
    };
    let mut bars = Vec::new();
    let mut largest = (0.0, 0.0, 0.0);
    for line in std::fs::read_to_string(figures)?.lines() {
        let numbers = line.split(',').map(str::parse).collect::<Result<Vec<f64>, _>>()?;
        let [events, ours, peer] = numbers[..] else { return Err(format!("three numbers, not {line}").into()) };
        let millions = events / 1e6;
        for (who, seconds, tone) in [("selvedge", ours, Some(Tone::Better)), ("DuckDB, by hand", peer, None)] {
            let label = format!("{millions} million events, {who}");
            bars.push(Bar { label, value: Some(seconds), note: String::new(), tone });
        }
        largest = (millions, ours, peer);
    }
    let (millions, ours, peer) = largest;
    let caption = Caption {
        title: format!("Point-in-time windows over {millions} million events take {ours:.1} seconds"),
        subtitle: format!(
            "The SQL a person writes, run as it is; the version rewritten by hand for DuckDB takes {peer:.1} seconds. Seconds from Parquet to sorted Parquet, two threads."
        ),
        footnote: "A moment for every tenth event; medians of runs that take turns. Figures: reports/benchmarks.md."
            .into(),
    };
    std::fs::write(picture, Chart { caption, unit: Unit::Number(2), bars }.png()?)?;
    Ok(())
}
