//! Whom a list is for, and how it is to be cut.

use std::sync::Arc;

use crate::article::Article;
use crate::who::{Ask, Visitor, Wished};

/// Whom a list is for, and how it is to be cut.
#[derive(Debug, Clone, Default)]
pub struct Wish {
    /// Empty for a visitor.
    pub customer: String,
    pub visitor: Option<Arc<Visitor>>,
    pub articles: usize,
    pub offset: usize,
    pub exclude: Vec<String>,
    pub category: Vec<String>,
}

impl Wish {
    /// The list that has what was wished for in it.
    pub(super) fn ask(&self) -> Ask {
        let ask = match &self.visitor {
            Some(visitor) => Ask::of_visitor(visitor),
            None => Ask::of(&self.customer),
        };
        Ask { places: self.offset + self.articles + self.exclude.len(), category: self.category.clone(), ..ask }
    }

    /// As it is written down.
    pub(super) fn wished(&self, ask: &Ask) -> Wished {
        let visitor = self.visitor.as_deref().cloned();
        Wished { places: ask.places, category: ask.category.clone(), visitor }
    }

    /// The part of a list that was wished for.
    pub(super) fn cut(&self, list: &[Article]) -> Vec<Article> {
        let wanted = list.iter().filter(|article| !self.exclude.contains(&article.product_id));
        wanted.skip(self.offset).take(self.articles).cloned().collect()
    }
}
