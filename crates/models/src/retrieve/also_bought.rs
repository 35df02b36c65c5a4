//! "Others also bought": how many customers bought a thing together with what this one bought.

use serde::{Deserialize, Serialize};

use super::{History, Interactions, Neighbours, Retriever, neighbours::largest};

/// Raised whenever the same interactions would get other scores.
pub const VERSION: u32 = 1;

/// Co-purchases: s_ij counts the customers who bought both i and j.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AlsoBought {
    together: Neighbours,
}

impl AlsoBought {
    /// Counts the customers who bought two things together.
    pub fn fit(interactions: &Interactions) -> AlsoBought {
        let bought: Vec<Vec<u32>> = interactions.histories().iter().map(History::bought).collect();
        let mut bought_by: Vec<Vec<u32>> = vec![Vec::new(); interactions.things()];
        for (customer, things) in (0..).zip(&bought) {
            things.iter().for_each(|thing| bought_by[*thing as usize].push(customer));
        }
        let row = |(thing, customers): (usize, &Vec<u32>)| {
            let mut counts = vec![0.0; bought_by.len()];
            for customer in customers {
                bought[*customer as usize].iter().for_each(|other| counts[*other as usize] += 1.0);
            }
            counts[thing] = 0.0;
            largest(&counts, usize::MAX)
        };
        AlsoBought { together: Neighbours::new(bought_by.iter().enumerate().map(row).collect()) }
    }

    fn past(history: &History) -> Vec<(u32, f64)> {
        history.bought().into_iter().map(|thing| (thing, 1.0)).collect()
    }
}

impl Retriever for AlsoBought {
    fn name(&self) -> &'static str {
        "also_bought"
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
        super::{Event, Kind, Past},
        *,
    };

    #[test]
    fn this_version_counts_customers_and_not_purchases() {
        let bought = |customer, thing| Event { customer, past: Past { thing, kind: Kind::Bought, age: 1.0 } };
        let mut events = vec![bought(0, 0), bought(0, 0), bought(0, 1), bought(1, 0), bought(1, 1), bought(1, 2)];
        events.push(Event { customer: 1, past: Past { thing: 3, kind: Kind::Looked, age: 1.0 } });
        let interactions = Interactions::new(2, 4, events).unwrap();
        let fitted = AlsoBought::fit(&interactions);
        let history = &interactions.histories()[1];
        assert_eq!((VERSION, fitted.scores(history)), (1, vec![3.0, 3.0, 2.0, 0.0]));
        assert_eq!(fitted.contributions(history, 0), [(1, 2.0), (2, 1.0)]);
        assert_eq!(fitted.scores(&History::default()), [0.0; 4]);
    }
}
