//! When it is too early to tell two rankings apart: how many customers it takes.
//!
//! Paired ranges shrink with the root of the number of customers who kept something.  Measured on ten shops, a lead of d of
//! 100 is seen with four chances in five once there are (130/d)^2 such customers for kept hits, (58/d)^2 for right order.

use serde::Serialize;

use super::Range;

/// What two rankings are compared by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Figure {
    /// Of 100 lists, how many hold what was bought and kept.
    KeptHits,
    /// Of 100 pairs on the shelf, how many stand in the right order.
    RightOrder,
}

/// What may be said of a lead.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub enum Verdict {
    /// The whole range is above 0.
    Ahead,
    /// The whole range is below 0.
    Behind,
    /// The range holds 0: about so many more customers with kept purchases would show a lead of this size.
    TooEarly { more_customers: u64 },
    /// The range holds 0 although there are as many customers as a lead of the size asked for takes: it is not as large.
    Alike,
}

impl Figure {
    /// How many customers who kept something it takes to see a lead of `of_100`, with four chances in five.
    pub fn customers_needed(self, of_100: f64) -> u64 {
        let spread: f64 = match self {
            Figure::KeptHits => 130.0,
            Figure::RightOrder => 58.0,
        };
        let needed = (spread / of_100.abs()).powi(2).ceil();
        if needed.is_finite() { needed as u64 } else { u64::MAX }
    }
}

/// What may be said of a lead of a range (of 100) over `customers` who kept something; `worth` is the smallest lead (of 100)
/// that somebody would act on.  "No difference" is never said of few customers.
pub fn verdict(figure: Figure, lead: Range, customers: u64, worth: f64) -> Verdict {
    if lead.low > 0.0 {
        return Verdict::Ahead;
    }
    if lead.high < 0.0 {
        return Verdict::Behind;
    }
    let needed = figure.customers_needed(lead.value.abs().max(worth));
    match needed.saturating_sub(customers) {
        0 => Verdict::Alike,
        more_customers => Verdict::TooEarly { more_customers },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_customers_follows_from_the_lead() {
        let needed = |figure: Figure, leads: [f64; 3]| leads.map(|lead| figure.customers_needed(lead));
        assert_eq!(needed(Figure::KeptHits, [8.0, 5.0, 3.0]), [265, 676, 1878]);
        assert_eq!(needed(Figure::RightOrder, [6.0, 3.0, 0.0]), [94, 374, u64::MAX]);
    }

    #[test]
    fn few_customers_are_no_proof_of_no_difference() {
        let range = |value, low, high| Range { value, low, high };
        let say = |lead, customers| verdict(Figure::KeptHits, lead, customers, 3.0);
        assert_eq!(say(range(5.0, 0.1, 9.0), 10), Verdict::Ahead);
        assert_eq!(say(range(-5.0, -9.0, -0.1), 10), Verdict::Behind);
        assert_eq!(say(range(5.0, -2.0, 12.0), 76), Verdict::TooEarly { more_customers: 600 });
        assert_eq!(say(range(0.0, -2.0, 2.0), 1000), Verdict::TooEarly { more_customers: 878 });
        assert_eq!(say(range(0.0, -2.0, 2.0), 2000), Verdict::Alike);
    }
}
