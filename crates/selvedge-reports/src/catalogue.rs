//! `reports/features.md`: every view and column, what it means, how its values are spread, where it comes from, who uses it.

use std::collections::BTreeMap;

use charts::distributions::{self, MOST_PANELS, Panel, Spread};
use charts::{Caption, ChartError, Picture};
use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Float64Type};
use rayon::prelude::*;

use super::Report;
use super::markdown::{details, picture, table};
use selvedge_engine::Engine;
use selvedge_learning::evaluate;
use selvedge_learning::train::Kind;
use selvedge_project::error::{Advice, Result};
use selvedge_project::numbers::{count, counted};
use selvedge_project::project::Project;
use selvedge_project::sql::{Column, FeatureHeader, Header, Layer, SqlFile};

/// Names of one picture; the rest is "other".
const NAMES: usize = 5;

/// File name -> PNG.
type Drawings = Vec<(String, Vec<u8>)>;

#[derive(Debug, thiserror::Error)]
#[error("the picture of {view} cannot be drawn: {cause}")]
pub struct CatalogueError {
    view: String,
    cause: ChartError,
}

impl Advice for CatalogueError {}

/// The catalogue of every feature view that the features stage left behind.
pub fn report(project: &Project, engine: &Engine) -> Result<Report> {
    let views: Vec<(&SqlFile, &FeatureHeader)> = project.library.layer(Layer::FEATURES).filter_map(header).collect();
    let columns = views.iter().map(|(_, header)| header.columns.len()).sum::<usize>();
    let mut markdown = format!(
        "# The features\n\n{} with {}: everything a model may know of a customer and an article at a moment, and nothing \
         that happens at that moment or after it. `selvedge test` proves that; a customer who has not agreed to \
         personalisation has none that rest on behaviour.\n\n",
        counted(views.len() as u64, "view", "views"),
        counted(columns as u64, "column", "columns"),
    );
    let overview = views.iter().map(|(_, header)| {
        let link = format!("[{}](#{})", header.name, header.name);
        vec![
            link,
            header.entity.clone(),
            header.columns.len().to_string(),
            header.owner.clone(),
            first_sentence(header),
        ]
    });
    let headings = ["View", "One row for each", "Columns#", "Owner", "What it says"];
    markdown += &format!("{}\n", table(&headings, &overview.collect::<Vec<_>>()));
    let described: Vec<Result<(String, Drawings)>> =
        views.par_iter().map(|(file, header)| described(project, engine, file, header)).collect();
    let mut charts = BTreeMap::new();
    for described in described {
        let (section, drawings) = described?;
        markdown += &section;
        charts.extend(drawings);
    }
    Ok(Report { markdown, charts })
}

/// A view's section, and its charts with their files' names.
fn described(project: &Project, engine: &Engine, file: &SqlFile, header: &FeatureHeader) -> Result<(String, Drawings)> {
    let batch = engine.read(&file.table())?;
    let found = |name: &String| batch.column_by_name(name);
    let rows = batch.num_rows();
    let mut markdown = section(project, engine, file, header, rows)?;
    let panels = header.columns.iter().filter_map(|(name, column)| Some(panel(name, column, found(name)?)));
    let mut drawings = Vec::new();
    for (name, chart) in drawn(header, rows, panels.collect()) {
        markdown += &format!("{}\n", picture(&name, &chart.caption.title));
        let png = chart.png().map_err(|cause| CatalogueError { view: header.name.clone(), cause })?;
        drawings.push((name, png));
    }
    let lines = header.columns.iter().filter_map(|(name, column)| Some(line(project, name, column, found(name)?)));
    let headings = ["Column", "Meaning", "Unit", "Driver", "Missing#", "Lowest#", "Middle#", "Highest#", "Used by"];
    markdown += &format!("{}\n", table(&headings, &lines.collect::<Vec<_>>()));
    Ok((markdown, drawings))
}

/// The pictures of a view with their files' names: one, or several where its columns have no room in one.
fn drawn(header: &FeatureHeader, rows: usize, panels: Vec<Panel>) -> Vec<(String, distributions::Chart)> {
    // A view of vectors alone has nothing to draw.
    if panels.iter().all(|panel| matches!(panel.spread, Spread::Words(_))) {
        return Vec::new();
    }
    let columns = counted(header.columns.len() as u64, "column", "columns");
    let parts: Vec<&[Panel]> = panels.chunks(MOST_PANELS).collect();
    let chart = |(index, part): (usize, &&[Panel])| {
        let (end, of) = match parts.len() {
            1 => (String::new(), String::new()),
            all => (format!("-{}", index + 1), format!(", part {} of {all}", index + 1)),
        };
        let caption = Caption {
            title: format!("{}: how the values of its {columns} are spread{of}", header.name),
            subtitle: format!(
                "{} of grain.{}; the number over the highest bar is its share",
                counted(rows as u64, "row", "rows"),
                header.entity
            ),
            footnote: format!(
                "Source: work/features/{}.parquet. The outermost 1 in 100 values on each side are counted into the first and the last bar.",
                header.name
            ),
        };
        (format!("features-{}{end}.png", header.name), distributions::Chart { caption, panels: part.to_vec() })
    };
    parts.iter().enumerate().map(chart).collect()
}

fn header(file: &SqlFile) -> Option<(&SqlFile, &FeatureHeader)> {
    match &file.header {
        Header::Feature(header) => Some((file, header)),
        _ => None,
    }
}

fn first_sentence(header: &FeatureHeader) -> String {
    let text = header.description.split_whitespace().collect::<Vec<_>>().join(" ");
    text.split_inclusive(". ").next().unwrap_or_default().trim().to_owned()
}

fn section(project: &Project, engine: &Engine, file: &SqlFile, header: &FeatureHeader, rows: usize) -> Result<String> {
    let read = engine.columns_read(project, file)?;
    let tables: Vec<String> = read.keys().map(|table| format!("`{table}`")).collect();
    let from = read
        .iter()
        .map(|(table, columns)| vec![table.to_string(), columns.iter().cloned().collect::<Vec<_>>().join(", ")]);
    Ok(format!(
        "## {}\n\n{}\n\n`{}`, version {}, owner {}; {}, one for each row of `grain.{}`. It reads {}.\n\n{}\n",
        header.name,
        header.description.split_whitespace().collect::<Vec<_>>().join(" "),
        file.shown,
        header.version,
        header.owner,
        counted(rows as u64, "row", "rows"),
        header.entity,
        tables.join(", "),
        details("The columns it reads", &table(&["Table", "Columns"], &from.collect::<Vec<_>>())),
    ))
}

fn line(project: &Project, name: &str, column: &Column, array: &ArrayRef) -> Vec<String> {
    let driver = column.driver.clone().unwrap_or_default();
    let (lowest, middle, highest) = match numbers(array) {
        Some(numbers) if !numbers.is_empty() && *array.data_type() != DataType::Boolean => {
            (short(numbers[0]), short(numbers[numbers.len() / 2]), short(numbers[numbers.len() - 1]))
        }
        _ => Default::default(),
    };
    let missing = match (array.null_count(), array.len()) {
        (_, 0) => "no rows".to_owned(),
        (0, _) => "none".to_owned(),
        (missing, rows) => format!("{:.1} %", missing as f64 / rows as f64 * 100.0),
    };
    let users = users(project, name);
    vec![
        format!("`{name}`"),
        column.meaning.clone(),
        column.unit.replace("EUR", &project.params.shop.currency),
        driver,
        missing,
        lowest,
        middle,
        highest,
        users,
    ]
}

/// The models that learn from a column, and the SQL files outside of the features that name it.
fn users(project: &Project, column: &str) -> String {
    let models = Kind::ALL.into_iter().filter(|kind| kind.features(project).iter().any(|name| name == column));
    let models: Vec<&str> = models.map(Kind::name).collect();
    let mut users = match models.as_slice() {
        [] => Vec::new(),
        [one] => vec![format!("{one} model")],
        some => vec![format!("{} models", some.join(" and "))],
    };
    let crossed = |file: &SqlFile| match &file.header {
        Header::Feature(header) => header.crosses.iter().any(|cross| cross.names(column)),
        _ => false,
    };
    if project.library.layer(Layer::FEATURES).any(crossed) {
        users.push("ranking of the lists".into());
    }
    let word = |text: &str| text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == column);
    for layer in [evaluate::LAYER, Layer::AUDITS] {
        let files = project.library.layer(layer).filter(|file| file.reads.iter().any(|table| table.name == "frame"));
        users.extend(files.filter(|file| word(file.text())).map(|file| file.shown.clone()));
    }
    if users.is_empty() { "nobody".into() } else { users.join(", ") }
}

/// The values that are there, in order; none where they are no numbers.
fn numbers(array: &ArrayRef) -> Option<Vec<f64>> {
    if !array.data_type().is_numeric() && *array.data_type() != DataType::Boolean {
        return None;
    }
    let array = cast(array, &DataType::Float64).ok()?;
    let mut values: Vec<f64> = array.as_primitive::<Float64Type>().iter().flatten().filter(|x| x.is_finite()).collect();
    values.sort_unstable_by(f64::total_cmp);
    Some(values)
}

fn panel(name: &str, column: &Column, array: &ArrayRef) -> Panel {
    let missing = match (array.null_count(), array.len()) {
        (0, _) | (_, 0) => "none missing".to_owned(),
        (missing, rows) => format!("{:.0} in 100 missing", missing as f64 / rows as f64 * 100.0),
    };
    Panel { name: name.into(), note: format!("{}, {missing}", column.unit), spread: spread(array) }
}

fn spread(array: &ArrayRef) -> Spread {
    match numbers(array) {
        Some(values) if *array.data_type() == DataType::Boolean && !values.is_empty() => {
            let yes = values.iter().filter(|value| **value > 0.0).count() as f64 / values.len() as f64;
            Spread::Names(vec![("yes".into(), yes), ("no".into(), 1.0 - yes)])
        }
        Some(values) => Spread::of_numbers(&values),
        None => match array.as_string_opt::<i32>() {
            Some(texts) => names(texts.iter().flatten()),
            None => Spread::Words("a vector; no picture of it says much".into()),
        },
    }
}

fn names<'a>(texts: impl Iterator<Item = &'a str>) -> Spread {
    let mut counts = BTreeMap::<&str, usize>::new();
    texts.for_each(|text| *counts.entry(text).or_default() += 1);
    let total = counts.values().sum::<usize>() as f64;
    let mut sorted: Vec<(&str, usize)> = counts.into_iter().collect();
    sorted.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    if sorted.is_empty() {
        return Spread::Words("no values".into());
    }
    // One name more is shown rather than called "other".
    let shown = if sorted.len() == NAMES { NAMES } else { NAMES - 1 };
    let rest: usize = sorted.iter().skip(shown).map(|(_, count)| count).sum();
    let others = sorted.len().saturating_sub(shown);
    let mut names: Vec<_> =
        sorted.iter().take(shown).map(|(name, n)| ((*name).to_owned(), *n as f64 / total)).collect();
    if rest > 0 {
        names.push((format!("{others} others"), rest as f64 / total));
    }
    Spread::Names(names)
}

/// Three digits are enough to know a size by.
fn short(value: f64) -> String {
    match value.abs() {
        size if size >= 1000.0 => format!("{}{}", if value < 0.0 { "-" } else { "" }, count(size.round() as u64)),
        size if value.fract() == 0.0 && size < 1000.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}
