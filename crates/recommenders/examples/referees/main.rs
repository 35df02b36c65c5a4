//! Models held to public data sets: `referees FOLDER`, where FOLDER holds what the user has fetched.
//!
//! | protocol | files | from |
//! |---|---|---|
//! | `tois-ml100k` | `ml-100k-tois/train.txt`, `test.txt`: lines of a user and then all its items | the split of the TOIS study of top-n recommendation (Anelli and others; Dong and others 2023) |
//! | `beauty-loo` | `beauty.txt`: lines of a user and an item, in the order of time | SASRec's repository |
//! | `seed-sampled`, `ials-sweeps` | `ml-100k/u.data`: user, item, rating, time | GroupLens |
//! | `lambdarank` | `lambdarank/rank.train`, `rank.test`, each with `.query` | LightGBM's examples |
//!
//! Prints a table for each protocol whose files are there.  Figures of different protocols are not to be compared.

mod data;
mod lambdarank;
mod leave_one_out;
mod sampled;
mod split;
mod sweeps;

use std::{
    error::Error,
    io::{Write, stdout},
    path::Path,
};

/// One line of a table.
pub struct Line {
    pub model: String,
    /// Whom the figures are means over.
    pub users: usize,
    /// In the order of the protocol's names.
    pub figures: Vec<f64>,
    pub seconds: f64,
}

/// A protocol's lines under its name.
pub struct Table {
    pub protocol: &'static str,
    pub figures: &'static [&'static str],
    /// Names the data.
    pub hash: u64,
    pub lines: Vec<Line>,
}

type Run = fn(&Path) -> Result<Table, Box<dyn Error>>;

const PROTOCOLS: [(&str, &[&str], Run); 5] = [
    ("tois-ml100k", &["ml-100k-tois/train.txt", "ml-100k-tois/test.txt"], split::run),
    ("beauty-loo", &["beauty.txt"], leave_one_out::run),
    ("seed-sampled", &["ml-100k/u.data"], sampled::run),
    ("ials-sweeps", &["ml-100k/u.data"], sweeps::run),
    (
        "lambdarank",
        &["lambdarank/rank.train", "lambdarank/rank.train.query", "lambdarank/rank.test", "lambdarank/rank.test.query"],
        lambdarank::run,
    ),
];

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).ok_or("name the folder with the data: referees FOLDER")?;
    let folder = Path::new(&folder);
    let mut out = stdout().lock();
    writeln!(out, "# Models and public referees\n")?;
    for (protocol, files, run) in PROTOCOLS {
        let missing: Vec<&str> = files.iter().copied().filter(|file| !folder.join(file).exists()).collect();
        if missing.is_empty() {
            write(&mut out, &run(folder)?)?;
        } else {
            writeln!(out, "`{protocol}`: not run, for {} is not there.\n", missing.join(", "))?;
        }
    }
    Ok(())
}

fn write(out: &mut impl Write, table: &Table) -> std::io::Result<()> {
    writeln!(out, "## {}\nData {:016x}.\n", table.protocol, table.hash)?;
    writeln!(out, "| model | users | {} | seconds |", table.figures.join(" | "))?;
    writeln!(out, "|---|---:|{}---:|", "---:|".repeat(table.figures.len()))?;
    for line in &table.lines {
        let figures: Vec<String> = line.figures.iter().map(|figure| format!("{figure:.4}")).collect();
        writeln!(out, "| {} | {} | {} | {:.2} |", line.model, line.users, figures.join(" | "), line.seconds)?;
    }
    writeln!(out)
}
