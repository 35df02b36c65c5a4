//! Lists that would be the same now as when they were made.

use std::sync::{Arc, PoisonError};

use super::{Given, REMEMBERED, Shared};
use crate::lists::Serving;
use crate::who::Ask;

impl Shared {
    /// A list that was made before, is long enough, and would be the same now.
    pub(super) fn remembered(&self, serving: &Serving, ask: &Ask) -> Option<Arc<Given>> {
        if !ask.category.is_empty() {
            return None;
        }
        let all = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        let given = all.get(&ask.name)?.get(&serving.release.hash)?;
        let long_enough = given.places >= ask.places || given.articles.len() >= ask.places;
        let known = serving.known();
        let same = given.basis.articles_at == known.at && !known.is_stale(self.now());
        (long_enough && same).then(|| Arc::clone(given))
    }

    /// Remembers a list, unless something was left out of it or its customer has done something since it was made.
    pub(super) fn remember(&self, serving: &Serving, ask: &Ask, given: &Arc<Given>) {
        if !given.degraded.is_empty() || !ask.category.is_empty() || ask.visitor.is_some() {
            return;
        }
        let past = self.past.read().unwrap_or_else(PoisonError::into_inner);
        if past.has_newer(&ask.name, given.basis.seen) {
            return;
        }
        let mut remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        if remembered.len() >= REMEMBERED {
            remembered.clear();
        }
        let own = remembered.entry(ask.name.clone()).or_default();
        own.insert(serving.release.hash.clone(), Arc::clone(given));
    }
}
