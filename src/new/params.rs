//! params.yaml of a new project: the product's own, with what a new shop says of itself.

use super::sources::Sources;
use super::{NewError, Request};
use selvedge_project::error::Result;

const OWN: &str = include_str!("../../params.yaml");

/// Keys that hold what was measured on one export, and numbers that only one export's sources need.
const OF_ONE_EXPORT: [&str; 9] = [
    "reference:",
    "reference_export:",
    "reference_auc:",
    "reference_average_precision:",
    "pseudonym_key:",
    "robot_looks:",
    "robot_seconds_per_look:",
    "heavy_purchases:",
    "german_words:",
];

/// The text of the file.
pub fn text(request: &Request, sources: &Sources) -> Result<String> {
    let exported_at = request.exported_at.clone().or_else(|| sources.latest.clone());
    let exported_at = exported_at.ok_or(NewError::NoMoment)?;
    let told = if request.exported_at.is_some() {
        ""
    } else {
        "; the last event in the files: set it to when the export was taken"
    };
    let model = request.model.as_ref().map_or(
        "null # no sentence model: descriptions are not compared; `selvedge new --model DIR`".to_owned(),
        |folder| std::path::absolute(folder).unwrap_or_else(|_| folder.clone()).display().to_string(),
    );
    let segments = if sources.segments.is_empty() {
        "age_group".to_owned()
    } else {
        sources.segments.iter().take(3).cloned().collect::<Vec<_>>().join(", ")
    };
    let mut out = String::new();
    for line in OWN.lines() {
        let key = line.trim_start();
        match key {
            _ if OF_ONE_EXPORT.iter().any(|name| key.starts_with(name)) => {}
            _ if key.starts_with("exported_at:") => {
                out += &format!("  exported_at: \"{exported_at}\" # on the shop's clock{told}\n");
            }
            _ if key.starts_with("timezone:") => {
                out += &format!("  timezone: {}\n  currency: {}\n", request.timezone, request.currency);
                if let Some(consent) = &request.consent {
                    out += &format!(
                        "  consent: {consent} # whose behaviour may be used: not_asked (everybody's) or nobody\n"
                    );
                }
            }
            _ if key.starts_with("max_set_aside_share:") && sources.nobodys > 0.1 => {
                let (share, percent) = (sources.nobodys + 0.1, 100.0 * sources.nobodys);
                out += &format!(
                    "  max_set_aside_share: {share:.2} # {percent:.0} of 100 order lines name no customer; above this, the run stops …\n"
                );
            }
            _ if key.starts_with("model: .minilm") => out += &format!("  model: {model}\n"),
            _ if key.starts_with("segments:") => {
                out += &format!("  segments: [{segments}] # columns of customers or articles\n")
            }
            _ if key.starts_with("- {segment:") => {}
            _ if key.starts_with("standing:") => {
                out += "  standing: [] # such as {segment: region=North, drop: 70%, from: \"2031-09-21\", noticed_within: 7 days}\n"
            }
            _ => out += &format!("{line}\n"),
        }
    }
    Ok(out)
}
