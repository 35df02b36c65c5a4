//! What all customers did before a cut: the rows that candidate generators are fitted on.

use rayon::prelude::*;

use super::{History, Kind, Past};
use crate::ModelError;

/// Something that a customer did before the cut.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Event {
    pub customer: u32,
    pub past: Past,
}

/// Events of customers whose data may be used, before a cut.
#[derive(Debug, Clone, PartialEq)]
pub struct Interactions {
    things: usize,
    histories: Vec<History>,
    /// X: for each customer the things that were looked at, wished or bought, each once and by number.
    seen: Vec<Vec<u32>>,
    /// X': for each thing the customers, by number.
    seen_by: Vec<Vec<u32>>,
}

impl Interactions {
    /// Events in any order; ages are days before the cut.
    ///
    /// # Errors
    /// A customer or thing with a number too high.
    pub fn new(
        customers: usize,
        things: usize,
        events: impl IntoIterator<Item = Event>,
    ) -> Result<Interactions, ModelError> {
        let mut of_customer: Vec<Vec<Past>> = vec![Vec::new(); customers];
        for Event { customer, past } in events {
            let (number, count) = (customer as usize, customers);
            let own = of_customer.get_mut(number).ok_or(ModelError::Unknown { what: "customer", number, count })?;
            own.push(past);
        }
        Self::of(things, of_customer)
    }

    /// The same of what each customer did, in any order.
    ///
    /// # Errors
    /// A thing with a number too high.
    pub fn of(things: usize, customers: Vec<Vec<Past>>) -> Result<Interactions, ModelError> {
        if let Some(past) = customers.iter().flatten().find(|past| past.thing as usize >= things) {
            return Err(ModelError::Unknown { what: "thing", number: past.thing as usize, count: things });
        }
        let histories: Vec<History> = customers.into_iter().map(History::new).collect();
        let things_of = |history: &History| {
            let looked = history.events().iter().filter(|past| past.kind != Kind::Returned);
            let mut things: Vec<u32> = looked.map(|past| past.thing).collect();
            things.dedup();
            things
        };
        let seen: Vec<Vec<u32>> = histories.iter().map(things_of).collect();
        let mut seen_by = vec![Vec::new(); things];
        for (customer, things) in (0..).zip(&seen) {
            things.iter().for_each(|thing| seen_by[*thing as usize].push(customer));
        }
        Ok(Interactions { things, histories, seen, seen_by })
    }

    /// How many things there are.
    pub fn things(&self) -> usize {
        self.things
    }

    /// How many customers there are.
    pub fn customers(&self) -> usize {
        self.histories.len()
    }

    /// Each customer's events.
    pub fn histories(&self) -> &[History] {
        &self.histories
    }

    /// X: each customer's things, by number.
    pub fn seen(&self) -> &[Vec<u32>] {
        &self.seen
    }

    /// X': each thing's customers, by number.
    pub fn seen_by(&self) -> &[Vec<u32>] {
        &self.seen_by
    }

    /// For each thing, `finish` of the sums over its customers of `weight(customer)` (above 0) for every thing they have
    /// seen, by number: one row of X' W X at a time, side by side.
    pub(super) fn together<T: Send>(
        &self,
        weight: impl Fn(usize) -> f64 + Sync,
        finish: impl Fn(usize, Vec<(u32, f64)>) -> T + Sync,
    ) -> Vec<T> {
        let row = |sums: &mut Vec<f64>, thing: usize| {
            let mut touched = Vec::new();
            for customer in &self.seen_by[thing] {
                let weight = weight(*customer as usize);
                for other in &self.seen[*customer as usize] {
                    if sums[*other as usize] == 0.0 {
                        touched.push(*other);
                    }
                    sums[*other as usize] += weight;
                }
            }
            touched.sort_unstable();
            let take = |other: u32| (other, std::mem::take(&mut sums[other as usize]));
            finish(thing, touched.into_iter().map(take).collect())
        };
        (0..self.things).into_par_iter().map_init(|| vec![0.0; self.things], row).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{super::tests::example, *};

    #[test]
    fn rows_and_columns_agree_and_numbers_too_high_are_refused() {
        let example = example(false);
        assert_eq!(example.seen()[2], [1, 2, 5]);
        assert_eq!(example.seen_by()[3], [1, 3, 4]);
        assert_eq!((example.customers(), example.things()), (5, 6));
        let counts = example.together(|_| 1.0, |_, row| row);
        assert_eq!(counts[0], [(0, 3.0), (1, 2.0), (2, 1.0), (3, 2.0)]);
        let past = |thing, age| Past { thing, kind: Kind::Looked, age };
        let event = |customer, thing, age| Event { customer, past: past(thing, age) };
        let events = [event(1, 0, 2.0), event(0, 2, 1.0), event(1, 0, 1.0), event(1, 2, 5.0), event(0, 1, 1.0)];
        let other_way = events.iter().rev().copied();
        assert_eq!(Interactions::new(2, 3, events).unwrap(), Interactions::new(2, 3, other_way).unwrap());
        let past = Past { thing: 6, kind: Kind::Bought, age: 0.0 };
        assert!(Interactions::new(5, 6, [Event { customer: 0, past }]).is_err());
        assert!(Interactions::new(0, 7, [Event { customer: 0, past }]).is_err());
        assert_eq!(Interactions::new(0, 0, []).unwrap().seen().len(), 0);
    }
}
