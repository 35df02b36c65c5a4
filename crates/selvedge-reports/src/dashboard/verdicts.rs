//! The table of verdicts as stories: what changed, what may have, and between whom it cannot be told yet.  Sentences, titles,
//! rows and remarks are all made here, so that none says what another denies.

use super::sentences as say;
use super::words;
use selvedge_monitoring::monitor::{Finding, State};

/// One thing that is told: a change, or one of several that cannot be told apart yet.
pub struct Story<'a> {
    /// One that changed, or those of whom one did.
    pub of: Vec<&'a Finding>,
    /// It is clear that something changed; otherwise it may be chance.
    pub is_clear: bool,
}

/// The stories of these findings, clear ones first, each metric's in the order of the table.
pub fn stories<'a>(findings: &'a [Finding]) -> Vec<Story<'a>> {
    let mut stories: Vec<Story<'a>> = Vec::new();
    for finding in findings.iter().filter(|finding| finding.is_change()) {
        let is_rival = |other: &&Finding| {
            let rivals = finding.rivals();
            other.metric == finding.metric && rivals.contains(&(&*other.segment_column, &*other.segment_value))
        };
        if stories.iter().any(|story| story.of.iter().any(|of| std::ptr::eq(*of, finding))) {
            continue;
        }
        let of: Vec<&Finding> = std::iter::once(finding).chain(findings.iter().filter(is_rival)).collect();
        // Beside one that is clear, who may have changed as well may be chance.
        let somebody = of.len() > 1 && finding.somebody == Some(true);
        stories.push(Story { of, is_clear: finding.state == State::Clear || somebody });
    }
    stories.sort_by_key(|story| !story.is_clear);
    stories
}

impl Story<'_> {
    /// The one that stands for the story.
    pub fn first(&self) -> &Finding {
        self.of[0]
    }

    /// Whether it is told of one alone.
    pub fn is_of_one(&self) -> bool {
        self.of.len() == 1
    }

    /// Whether it is worth the loudest words: something changed, and it is clear for whom.
    pub fn is_loud(&self) -> bool {
        self.is_clear && self.is_of_one()
    }

    /// What, for whom, from what to what, since when.
    pub fn sentence(&self) -> String {
        let metric = words::metric(&self.first().metric);
        match self.of.as_slice() {
            [one] => words::change(one),
            several => {
                let each: Vec<String> =
                    several.iter().map(|of| format!("{} ({})", words::for_whom(of), words::from_to(of))).collect();
                let changed = if self.is_clear { "changed" } else { "may have changed" };
                say::ChangeOfOneOf { what: metric, changed, whom: &words::either(&each) }.to_string()
            }
        }
    }

    /// The same without figures, as a title has it.
    pub fn in_short(&self) -> String {
        let metric = words::metric(&self.first().metric);
        let whom: Vec<String> = self.of.iter().map(|of| words::for_whom(of)).collect();
        let verbs: Vec<&str> = self.of.iter().map(|of| words::verb(of)).collect();
        let alike = verbs.iter().all(|verb| *verb == verbs[0]);
        let verb = match (self.is_clear, alike) {
            (true, true) => verbs[0].to_owned(),
            (true, false) => "changed".to_owned(),
            (false, true) => format!("may have {}", words::participle(verbs[0])),
            (false, false) => "may have changed".to_owned(),
        };
        match whom.as_slice() {
            [one] => say::ChangeInShort { what: metric, moved: &verb, whom: one }.to_string(),
            several => {
                let whom = words::either(several);
                say::ChangeOfOneOfInShort { what: metric, changed: &verb, whom: &whom }.to_string()
            }
        }
    }

    /// How sure the change is; that its figures are final is another matter.
    pub fn how_sure(&self) -> &'static str {
        match (self.is_clear, self.of.len()) {
            (true, 1) => "This is clear.",
            (true, _) => "That something changed is clear, for whom is not yet.",
            (false, 1) => "This may be chance.",
            (false, _) => "This may be chance, and for whom cannot be told yet.",
        }
    }
}
