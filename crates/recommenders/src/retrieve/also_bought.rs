//! "Others also bought": how many customers bought a thing together with what this one bought.

use serde::{Deserialize, Serialize};

use super::{Event, History, Interactions, Kind, Neighbours, Retriever};
use crate::ModelError;

/// Raised whenever the same interactions would get other scores.
pub const VERSION: u32 = 1;

/// Co-purchases: s_ij counts the customers who bought both i and j.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AlsoBought {
    together: Neighbours,
}

impl AlsoBought {
    /// Counts the customers who bought two things together.
    ///
    /// # Errors
    /// None that the interactions do not have already.
    pub fn fit(interactions: &Interactions) -> Result<AlsoBought, ModelError> {
        let purchase = |(customer, history): (u32, &History)| -> Vec<Event> {
            let bought = history.events().iter().filter(|past| past.kind == Kind::Bought);
            bought.map(|past| Event { customer, past: *past }).collect()
        };
        let purchases = (0..).zip(interactions.histories()).flat_map(purchase);
        let purchases = Interactions::new(interactions.customers(), interactions.things(), purchases)?;
        let row = |thing: usize, mut counts: Vec<(u32, f64)>| {
            counts.retain(|(other, _)| *other as usize != thing);
            counts
        };
        Ok(AlsoBought { together: Neighbours::new(purchases.together(|_| 1.0, row)) })
    }

    fn past(history: &History) -> Vec<(u32, f64)> {
        history.bought().into_iter().map(|thing| (thing, 1.0)).collect()
    }
}

impl Retriever for AlsoBought {
    fn name(&self) -> &'static str {
        "others also bought"
    }

    fn version(&self) -> u32 {
        VERSION
    }

    fn scores(&self, history: &History) -> Vec<f64> {
        self.together.scores(&Self::past(history))
    }

    fn contributions(&self, history: &History, thing: u32) -> Vec<(u32, f64)> {
        self.together.contributions(&Self::past(history), thing)
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Past, tests::odd_shops},
        *,
    };

    #[test]
    fn this_version_counts_customers_and_not_purchases() {
        let bought = |customer, thing| Event { customer, past: Past { thing, kind: Kind::Bought, age: 1.0 } };
        let mut events = vec![bought(0, 0), bought(0, 0), bought(0, 1), bought(1, 0), bought(1, 1), bought(1, 2)];
        events.push(Event { customer: 1, past: Past { thing: 3, kind: Kind::Looked, age: 1.0 } });
        let interactions = Interactions::new(2, 4, events).unwrap();
        let fitted = AlsoBought::fit(&interactions).unwrap();
        let history = &interactions.histories()[1];
        assert_eq!((VERSION, fitted.scores(history)), (1, vec![3.0, 3.0, 2.0, 0.0]));
        assert_eq!(fitted.contributions(history, 0), [(1, 2.0), (2, 1.0)]);
        assert_eq!(fitted.scores(&History::default()), [0.0; 4]);
        odd_shops(|interactions| AlsoBought::fit(interactions).unwrap());
    }
}
