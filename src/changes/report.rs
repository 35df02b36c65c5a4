//! `reports/changes.md`: to be pasted into a pull request, so never longer than one may be.

use std::collections::BTreeMap;

use charts::{Caption, ChartError, Picture, before_after};
use similar::TextDiff;

use super::columns::short;
use super::sides::Side;
use super::{Change, Changed};
use selvedge_project::numbers::{count, counted};
use selvedge_reports::markdown::{details, table};

/// What a pull request holds, less room for the sentence about what was left out.
const MOST: usize = 60_000 - 300;
/// Panels in the picture.
const PANELS: usize = 12;

/// Nothing differs.
pub fn nothing(revision: &str, commit: &str) -> String {
    format!(
        "# What changes\n\nNothing: `sql/` and `params.yaml` are as they were in {revision} (`{}`).\n",
        commit.get(..12).unwrap_or(commit)
    )
}

/// The whole report; sections that do not fit are left out, and it says which.
pub fn markdown(
    before: &Side,
    after: &Side,
    changed: &[Changed],
    lists: &str,
    revision: &str,
    commit: &str,
    picture: bool,
) -> String {
    let mut text = format!(
        "# What changes\n\nThe working tree against {revision} (`{}`), both computed on the same materials.\n\n{}\n",
        commit.get(..12).unwrap_or(commit),
        summary(changed),
    );
    let mut sections = vec![("the lists", lists.to_owned()), ("the figures of the models", metrics(before, after))];
    if picture {
        let words = "How the values of the columns that moved most were spread before, and are after";
        sections.push(("the picture", format!("![{words}](changes.png)\n")));
    }
    sections.push(("the columns", columns(changed)));
    let files = definitions(before, after);
    sections.extend(files.iter().map(|(name, diff)| (name.as_str(), diff.clone())));
    let mut left_out = Vec::new();
    for (name, section) in sections {
        match text.len() + section.len() < MOST {
            _ if section.is_empty() => {}
            true => text.extend(["\n", &section]),
            false => left_out.push(name),
        }
    }
    if !left_out.is_empty() {
        let names = left_out.join(", ");
        let shown: String = names.chars().take(150).collect();
        let rest = if shown.len() < names.len() { " …" } else { "" };
        let sections = counted(left_out.len() as u64, "section", "sections");
        text += &format!("\nLeft out, because a pull request holds 60,000 characters: {sections} ({shown}{rest}).\n");
    }
    text
}

fn summary(changed: &[Changed]) -> String {
    if changed.is_empty() {
        return "No column of a feature view means anything else: comments, formatting, or what no feature reads."
            .into();
    }
    let of = |change| changed.iter().filter(|column| column.change == change).count();
    let moved = changed.iter().filter(|column| column.moved.changed > 0).count();
    let counts = [Change::Added, Change::Removed, Change::Direct, Change::Upstream];
    let words =
        counts.into_iter().filter(|change| of(*change) > 0).map(|change| format!("{} {}", of(change), change.words()));
    format!(
        "**{} something else** (what changed: {}); the values of {moved} moved.",
        counted(changed.len() as u64, "column of feature views means", "columns of feature views mean"),
        words.collect::<Vec<_>>().join(", "),
    )
}

fn metrics(before: &Side, after: &Side) -> String {
    let (was, is): (BTreeMap<_, _>, BTreeMap<_, _>) =
        (before.metrics().into_iter().collect(), after.metrics().into_iter().collect());
    let names: std::collections::BTreeSet<&String> = was.keys().chain(is.keys()).collect();
    let show = |value: Option<&f64>| value.map_or("–".to_owned(), |value| format!("{value:.4}"));
    let mut rows = Vec::new();
    for name in names {
        let (was, is) = (was.get(name), is.get(name));
        let still = |was: &f64, is: &f64| (is - was).abs() < 0.00005;
        if was.zip(is).is_some_and(|(was, is)| still(was, is)) {
            continue;
        }
        let step = was.zip(is).map_or("–".to_owned(), |(was, is)| format!("{:+.4}", is - was));
        rows.push(vec![name.clone(), show(was), show(is), step]);
    }
    match rows.is_empty() {
        true => "## Models\n\nNo figure of the models moved by 0.0001 or more.\n".into(),
        false => format!("## Models\n\n{}", table(&["figure", "before#", "after#", "change#"], &rows)),
    }
}

fn columns(changed: &[Changed]) -> String {
    if changed.is_empty() {
        return String::new();
    }
    let share = |share: Option<f64>| share.map_or("–".to_owned(), |share| format!("{:.1}", 100.0 * share));
    let rows: Vec<Vec<String>> = changed
        .iter()
        .map(|Changed { view, column, change, moved }| {
            let rows = match change {
                Change::Added | Change::Removed => "–".to_owned(),
                _ => format!("{} of {}", count(moved.changed as u64), count(moved.rows as u64)),
            };
            let largest = moved
                .largest
                .as_ref()
                .map_or("–".to_owned(), |(row, was, is)| format!("{} → {} ({row})", short(*was), short(*is)));
            let (was, is) = moved.missing;
            vec![format!("{view}.{column}"), change.words().into(), rows, share(was), share(is), largest]
        })
        .collect();
    let headings =
        ["column", "what changed", "rows with another value#", "missing in 100 before#", "after#", "largest change"];
    format!("## Columns\n\n{}", table(&headings, &rows))
}

/// A folded diff for every file that differs.
fn definitions(before: &Side, after: &Side) -> Vec<(String, String)> {
    let (was, is): (BTreeMap<_, _>, BTreeMap<_, _>) =
        (before.texts.iter().cloned().collect(), after.texts.iter().cloned().collect());
    let names: std::collections::BTreeSet<&String> = was.keys().chain(is.keys()).collect();
    let text = |side: &BTreeMap<String, String>, name: &String| side.get(name).cloned().unwrap_or_default();
    let mut sections = Vec::new();
    for name in names {
        let (was, is) = (text(&was, name), text(&is, name));
        if was == is {
            continue;
        }
        let diff =
            TextDiff::from_lines(&was, &is).unified_diff().context_radius(2).header("before", "after").to_string();
        // A fence longer than any in the text.
        sections.push((name.clone(), details(&format!("<code>{name}</code>"), &format!("````diff\n{diff}````\n"))));
    }
    sections
}

/// The columns that moved in most rows; none where nothing has a distribution.
pub fn picture(changed: &[Changed], revision: &str) -> Result<Option<Vec<u8>>, ChartError> {
    let mut drawn: Vec<&Changed> = changed.iter().filter(|column| !column.moved.bins.is_empty()).collect();
    drawn.retain(|column| column.moved.changed > 0 || matches!(column.change, Change::Added | Change::Removed));
    drawn.sort_by_key(|column| std::cmp::Reverse(column.moved.changed));
    let all = drawn.len();
    drawn.truncate(PANELS);
    let Some(first) = drawn.first() else { return Ok(None) };
    let panel = |column: &&Changed| {
        let note = match column.change {
            Change::Added | Change::Removed => column.change.words().to_owned(),
            _ => format!("{} of {} rows moved", count(column.moved.changed as u64), count(column.moved.rows as u64)),
        };
        let (from, to) = column.moved.ends.clone();
        before_after::Panel { name: column.column.clone(), note, bins: column.moved.bins.clone(), from, to }
    };
    let title = match first.moved.changed {
        0 => format!("{} came or went", counted(all as u64, "column", "columns")),
        rows => {
            format!("{} moved most: {} of {} rows", first.column, count(rows as u64), count(first.moved.rows as u64))
        }
    };
    let shown = match all > drawn.len() {
        true => format!("{} of {all} columns that moved, ", drawn.len()),
        false => String::new(),
    };
    let caption = Caption {
        title,
        subtitle: format!("{shown}share of rows for each value, against {revision}"),
        footnote: "Each panel has its own scale; missing values are not drawn.".into(),
    };
    before_after::Chart { caption, panels: drawn.iter().map(panel).collect() }.png().map(Some)
}
