//! Everything that was compared of what was shown, folded away.

use super::super::table;
use super::Shown;
use crate::markdown::details;
use selvedge_project::numbers::count;

impl Shown {
    pub(super) fn folded(&self) -> String {
        let number = |value: Option<f64>| value.map_or("–".to_owned(), |value| format!("{value:.3}"));
        let rows = self.changes.iter().map(|row| {
            vec![
                row.about.clone(),
                row.value.clone(),
                row.against.clone(),
                format!("{} / {}", row.before_days, row.after_days),
                format!("{} / {}", count(row.before_shown), count(row.after_shown)),
                number(Some(row.before)),
                number(Some(row.after)),
                number(row.error),
                number(Some(row.choice_step)),
                number(row.choice_error),
                row.freedom.map_or("–".to_owned(), |freedom| format!("{freedom:.1}")),
                row.line.map_or("–".to_owned(), |line| format!("{line:.2}")),
                row.why.clone().unwrap_or_else(|| row.state.clone()),
            ]
        });
        let headings = [
            "attribute",
            "value",
            "against",
            "days",
            "shown",
            "before#",
            "after#",
            "SE#",
            "choice step#",
            "SE#",
            "df#",
            "line#",
            "state",
        ];
        let mut body = "Means over recommendations; the standard error takes days as clusters, and never less than independent recommendations would vary. \
             The line is Student's t at the false-alarm share divided by all questions asked (what was shown, and what was chosen beyond the catalogue).\n\n"
            .to_owned();
        body += &table(&headings, &rows.collect::<Vec<_>>());
        let rows = self.descriptions.iter().map(|row| {
            vec![
                row.against.clone(),
                format!("{} / {}", row.before_days, row.after_days),
                format!("{:.2}", row.before),
                format!("{:.2}", row.after),
                number(row.error),
                row.catalogue.map_or("–".to_owned(), |value| format!("{value:.2}")),
                row.state.clone(),
            ]
        });
        let headings = [
            "against",
            "days",
            "cosine of its own days#",
            "cosine of the days watched#",
            "SE#",
            "cosine of what was on sale#",
            "state",
        ];
        body += &format!(
            "\nMean description vector of a day against that of the span's other days:\n\n{}",
            table(&headings, &rows.collect::<Vec<_>>())
        );
        details("Everything that was compared of what was shown, for the ML team", &body)
    }
}
