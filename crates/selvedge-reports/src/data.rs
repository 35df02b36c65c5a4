//! `reports/data.md` and `reports/data.json`: what the export holds, every surprise in it, and what was done about each.

use charts::{Caption, Picture, Unit, bars};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::markdown::{details, picture, table};
use super::{Report, ReportError};
use selvedge_engine::Engine;
use selvedge_project::error::Result;
use selvedge_project::numbers::{count, counted};
use selvedge_project::project::Project;
use selvedge_project::sql::{SourceHeader, TableName};

/// One line of `sources.surprises`.
#[derive(Deserialize)]
struct Line {
    file: String,
    kind: String,
    #[serde(default)]
    code: String,
    #[serde(default)]
    column: String,
    #[serde(default)]
    rows: u64,
    first_line: Option<u64>,
    #[serde(default)]
    found: String,
    #[serde(default)]
    done: String,
}

/// One line of `split.gaps`: days without events.
#[derive(Deserialize, Serialize)]
struct Gap {
    source: String,
    /// `event`, or a kind of event.
    kind: String,
    /// The last day before it and the first after it that have such events.
    last_before: String,
    first_after: String,
    days: u64,
    /// How many such events as many days before and after have.
    usual_before: u64,
    usual_after: u64,
}

/// What the served log holds, as `ingest` counts it.
const SERVED: [(&str, &str); 2] = [
    ("served/events", "What customers did, as the shop's pages sent it to the server."),
    ("served/shown", "What the server's lists showed, a row for each place of each answer."),
];

const CHART: &str = "set-aside.png";

pub fn report(project: &Project, engine: &Engine) -> Result<Report> {
    let lines = lines(engine)?;
    let shop = &project.params.shop;
    let total = |kind: &str| -> u64 { lines.iter().filter(|line| line.kind == kind).map(|line| line.rows).sum() };
    let (rows, kept) = (total("rows"), total("kept"));
    let mut out = String::from("# What the export holds\n\n");
    out += &format!(
        "Export of {} ({}). Of {}, {} are used and {} were set aside, each with a reason. Nothing is lost: every row \
         that was set aside is in `work/ingest/rejected.parquet` with its file, line and reason.\n\n",
        shop.delivered_at.with_timezone(&shop.timezone).format("%-d %B %Y, %H:%M"),
        shop.timezone.name(),
        counted(rows, "row", "rows"),
        count(kept),
        count(rows - kept),
    );
    if let Some(until) = shop.served_until {
        out += &format!(
            "Among them are the rows of what was served until {}, which are read in like the export's.\n\n",
            until.with_timezone(&shop.timezone).format("%-d %B %Y, %H:%M"),
        );
    }
    let mut charts = std::collections::BTreeMap::new();
    let chart = chart(&lines, rows, kept);
    out += &picture(CHART, &chart.caption.title);
    charts.insert(CHART.into(), chart.png().map_err(|cause| ReportError::Chart { chart: CHART, cause })?);
    out += "\n";
    let profile: Vec<Profile> = engine.rows(&TableName::new("sources", "profile"))?;
    let gaps: Vec<Gap> = engine.rows(&TableName::new("split", "gaps"))?;
    out += &contract_section(engine)?;
    for (_, header) in project.library.sources().filter(|(_, header)| !header.is_absent()) {
        out += &file_section(&header.from(), &header.description, &lines);
        gaps.iter().filter(|gap| gap.source == header.name).for_each(|gap| out += &gap_in_words(gap));
        if !header.derived {
            out += &columns_section(header, &profile);
        }
    }
    for (file, description) in SERVED.iter().filter(|(file, _)| lines.iter().any(|line| line.file == *file)) {
        out += &file_section(file, description, &lines);
    }
    Ok(Report { markdown: out, charts })
}

/// The same numbers for programs: files, their columns, and what was found by its code.  Keys stay as they are.
pub fn json(project: &Project, engine: &Engine) -> Result<Vec<u8>> {
    let lines = lines(engine)?;
    let profile: Vec<Profile> = engine.rows(&TableName::new("sources", "profile"))?;
    let gaps: Vec<Gap> = engine.rows(&TableName::new("split", "gaps"))?;
    let mut files = serde_json::Map::new();
    let sources = project.library.sources().filter(|(_, header)| !header.is_absent());
    let served = SERVED.iter().filter(|(file, _)| lines.iter().any(|line| line.file == *file));
    let all = sources.map(|(_, header)| (header.from(), header.name.as_str()));
    for (from, name) in all.chain(served.map(|(file, _)| ((*file).to_owned(), ""))) {
        let of = |kind: &'static str| {
            let from = &from;
            lines.iter().filter(move |line| line.file == *from && line.kind == kind)
        };
        let total = |kind| of(kind).map(|line| line.rows).sum::<u64>();
        let columns = profile.iter().filter(|column| column.file == from).map(|column| {
            let figures = json!({
                "looks_like": column.looks_like, "missing": column.missing, "distinct": column.distinct,
                "padded": column.padded, "unlike": column.unlike, "lowest": column.lowest, "highest": column.highest,
            });
            (column.name.clone(), figures)
        });
        let codes = |kind| {
            let of_code = |line: &Line| {
                let column = Some(&line.column).filter(|column| !column.is_empty());
                let figures = json!({
                    "rows": line.rows, "column": column, "first_line": line.first_line,
                    "found": line.found, "done": line.done,
                });
                (line.code.clone(), figures)
            };
            of(kind).map(of_code).collect::<serde_json::Map<_, _>>()
        };
        let file = json!({
            "rows": total("rows"), "kept": total("kept"), "set_aside": total("rows") - total("kept"),
            "columns": columns.collect::<serde_json::Map<_, _>>(),
            "set_aside_because": codes("set_aside"), "odd_but_used": codes("surprise"),
            "days_without": gaps.iter().filter(|gap| gap.source == name).collect::<Vec<_>>(),
        });
        files.insert(from.clone(), file);
    }
    let all = |kind: &str| -> u64 { lines.iter().filter(|line| line.kind == kind).map(|line| line.rows).sum() };
    let whole = json!({
        "exported_at": project.params.shop.delivered_at.to_rfc3339(), "rows": all("rows"), "kept": all("kept"),
        "set_aside": all("rows") - all("kept"), "files": files, "not_there": missing(engine)?,
    });
    let mut bytes = serde_json::to_vec_pretty(&whole).unwrap_or_default();
    bytes.push(b'\n');
    Ok(bytes)
}

/// One line of `sources.contract`: what an export must, should or may have.
#[derive(Deserialize, Serialize)]
pub struct Term {
    pub source: String,
    /// A column, a kind of row, or `*` for the source as a whole.
    #[serde(rename = "column_name")]
    pub column: String,
    #[serde(default, skip_serializing)]
    given: bool,
    #[serde(default)]
    pub without: String,
}

impl Term {
    /// `products.brand`, or `recommendations` where nothing of it is there.
    pub fn place(&self) -> String {
        if self.column == "*" { self.source.clone() } else { format!("{}.{}", self.source, self.column) }
    }
}

/// What the export does not have.
pub fn missing(engine: &Engine) -> Result<Vec<Term>> {
    let terms: Vec<Term> = engine.rows(&TableName::new("sources", "contract"))?;
    Ok(terms.into_iter().filter(|term| !term.given).collect())
}

/// What the export does not have, and what is left out for it.
fn contract_section(engine: &Engine) -> Result<String> {
    let rows: Vec<Vec<String>> =
        missing(engine)?.into_iter().map(|term| vec![format!("`{}`", term.place()), term.without]).collect();
    if rows.is_empty() {
        return Ok(String::new());
    }
    let headings = ["Not in the export", "So"];
    Ok(format!(
        "## What the export does not have\n\nWith it, the pages would say more; `selvedge check` tells how it is given.\n\n{}\n",
        table(&headings, &rows)
    ))
}

fn gap_in_words(gap: &Gap) -> String {
    format!(
        "**Something is missing:** no {} between {} and {} ({}), where as many days before have {} and after {}. Looks whose \
         outcome falls into it are left out of training.\n\n",
        gap.kind,
        gap.last_before,
        gap.first_after,
        counted(gap.days, "day", "days"),
        count(gap.usual_before),
        count(gap.usual_after),
    )
}

/// One column of a file as it was written.
#[derive(Deserialize)]
struct Profile {
    file: String,
    #[serde(rename = "column")]
    name: String,
    #[serde(default)]
    looks_like: String,
    #[serde(default)]
    missing: u64,
    #[serde(default)]
    distinct: u64,
    #[serde(default)]
    padded: u64,
    #[serde(default)]
    unlike: u64,
    #[serde(default)]
    lowest: String,
    #[serde(default)]
    highest: String,
}

/// Every column of a file, folded away.
fn columns_section(header: &SourceHeader, profile: &[Profile]) -> String {
    let short = |text: &str| match text.char_indices().nth(30) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    };
    let columns = profile.iter().filter(|column| column.file == header.file).map(|column| {
        let meaning = header.columns.get(&column.name).cloned().unwrap_or_default();
        let odd = match column.padded + column.unlike {
            0 => String::new(),
            _ => format!("{} with spaces around, {} of another type", count(column.padded), count(column.unlike)),
        };
        vec![
            format!("`{}`", column.name),
            meaning,
            column.looks_like.clone(),
            count(column.missing),
            count(column.distinct),
            short(&column.lowest),
            short(&column.highest),
            odd,
        ]
    });
    let headings = ["Column", "Meaning", "Looks like", "Missing#", "Different#", "From", "To", "Odd values"];
    let body = table(&headings, &columns.collect::<Vec<_>>());
    format!("{}\n", details("Every column as it was written", &body))
}

/// What was found, the most frequent first.
fn lines(engine: &Engine) -> Result<Vec<Line>> {
    let mut lines: Vec<Line> = engine.rows(&TableName::new("sources", "surprises"))?;
    lines.sort_by_key(|line| std::cmp::Reverse(line.rows));
    Ok(lines)
}

fn chart(lines: &[Line], rows: u64, kept: u64) -> bars::Chart {
    let aside: Vec<&Line> = lines.iter().filter(|line| line.kind == "set_aside" && line.rows > 0).collect();
    let title = match aside.first() {
        None => format!("All {} can be used.", counted(rows, "row", "rows")),
        Some(most) => format!(
            "{} of {} cannot be used; the most frequent reason: {}.",
            count(rows - kept),
            counted(rows, "row", "rows"),
            because(most),
        ),
    };
    let bar = |line: &&Line| bars::Bar {
        label: because(line),
        value: Some(line.rows as f64),
        note: line.file.clone(),
        tone: None,
    };
    let caption = Caption {
        title,
        subtitle: "Rows set aside, by reason".into(),
        footnote: "Source: work/ingest/rejected.parquet".into(),
    };
    bars::Chart { caption, unit: Unit::Count, bars: aside.iter().map(bar).collect() }
}

/// `the whole row is repeated`, short enough for a sentence.
fn because(line: &Line) -> String {
    line.found.split([',', ':', '(']).next().unwrap_or_default().trim().to_owned()
}

fn file_section(file: &str, description: &str, lines: &[Line]) -> String {
    let of = |kind: &'static str| lines.iter().filter(move |line| line.file == file && line.kind == kind);
    let total = |kind| of(kind).map(|line| line.rows).sum::<u64>();
    let (rows, kept) = (total("rows"), total("kept"));
    let mut out = format!("## {file}\n\nOne row is: {}\n\n", lower_first(description.trim()));
    out += &format!("{}: {} used, {} set aside.\n\n", counted(rows, "row", "rows"), count(kept), count(rows - kept));
    for (kind, heading) in [("set_aside", "Set aside"), ("surprise", "Odd, but used")] {
        let met: Vec<&Line> = of(kind).filter(|line| line.rows > 0).collect();
        if !met.is_empty() {
            let cells = met.iter().map(|line| {
                let first = line.first_line.map_or(String::new(), |line| line.to_string());
                let column = if line.column.is_empty() { "(the row)".to_owned() } else { format!("`{}`", line.column) };
                vec![count(line.rows), column, line.found.clone(), line.done.clone(), first]
            });
            let headings = ["Rows#", "Column", "What was found", "What was done", "First on line#"];
            out += &format!("**{heading}**\n\n{}\n", table(&headings, &cells.collect::<Vec<_>>()));
        }
    }
    let clean: Vec<String> = of("set_aside")
        .chain(of("surprise"))
        .filter(|line| line.rows == 0)
        .map(|line| match line.column.as_str() {
            "" => format!("- {}", line.found),
            column => format!("- `{column}`: {}", line.found),
        })
        .collect();
    if !clean.is_empty() {
        let summary = format!("Looked for and not found: {}", counted(clean.len() as u64, "kind", "kinds"));
        out += &format!("{}\n", details(&summary, &(clean.join("\n") + "\n")));
    }
    out
}

fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_lowercase().chain(letters).collect())
}
