//! Whether there are enough looks of both outcomes to fit a model on, or to judge one by.

use selvedge_project::numbers::counted;

/// Looks counted by what came of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcomes {
    /// Those that led to a kept purchase.
    pub kept: usize,
    /// Those that did not.
    pub not: usize,
}

impl Outcomes {
    pub fn of(labels: &[bool]) -> Self {
        let kept = labels.iter().filter(|label| **label).count();
        Self { kept, not: labels.len() - kept }
    }

    /// What is missing until there are `enough` of both, in words; none when nothing is.
    pub fn missing(self, enough: usize) -> Option<String> {
        let (kept, not) = (enough.saturating_sub(self.kept) as u64, enough.saturating_sub(self.not) as u64);
        let mut missing = Vec::new();
        if kept > 0 {
            missing.push(counted(kept, "kept purchase", "kept purchases"));
        }
        if not > 0 {
            missing.push(counted(not, "look without a kept purchase", "looks without a kept purchase"));
        }
        Some(missing.join(" and ")).filter(|words| !words.is_empty())
    }
}
