//! Who asks, and for what: a customer of the shop, or a visitor of whom nothing is known but the visit.

use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use super::event::{Arrived, CLOCK_AHEAD, Event, Kind, LONGEST};

/// What no name of a customer begins with.
const NOBODYS: char = '\u{1}';
/// The name in tables of somebody of whom nothing is known.
pub const NOBODY: &str = "\u{1}";
/// The most deeds of one visitor.
pub const MOST_DEEDS: usize = 200;

/// What a visitor can do without becoming a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Look {
    /// Looked at an article.
    Browse,
    /// Put it on the wish list.
    Wishlist,
}

/// Something that a visitor did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Deed {
    pub product_id: String,
    /// Only where the number alone could mean another season's article.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub season: Option<String>,
    pub kind: Look,
    /// When; where it is left out, just before the list is asked for, in the order in which deeds are sent.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "crate::moment::option")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub at: Option<DateTime<Utc>>,
}

/// Somebody without an id.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visitor {
    /// Whether the visitor agreed to personalisation; without it nothing that they did is used or written down.
    pub personalisation_consent: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<Deed>,
}

impl Visitor {
    /// The name in tables: the same for the same visit, and no customer's.
    pub fn name(&self) -> String {
        let digest = Sha256::digest(serde_json::to_vec(self).unwrap_or_default());
        let hex: String = digest[..8].iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{NOBODYS}{hex}")
    }

    /// Refuses what cannot be true.
    ///
    /// # Errors
    /// What is wrong, and what to send instead.
    pub fn sound(&self, now: DateTime<Utc>) -> Result<(), String> {
        if self.events.len() > MOST_DEEDS {
            return Err(format!("{} events were sent; send the latest {MOST_DEEDS} of the visit", self.events.len()));
        }
        let of_events = self.events.iter().flat_map(|deed| [Some(&deed.product_id), deed.season.as_ref()]);
        for text in of_events.chain([self.region.as_ref(), self.country.as_ref()]).flatten() {
            if text.chars().count() > LONGEST || text.chars().any(char::is_control) {
                return Err(format!("a text is longer than {LONGEST} letters or holds control characters; shorten it"));
            }
        }
        match self.events.iter().filter_map(|deed| deed.at).find(|at| *at > now + CLOCK_AHEAD) {
            Some(at) => Err(format!("{at} has not come yet; check the clock, or leave `at` out")),
            None => Ok(()),
        }
    }

    /// What the visitor did by a moment, as events; nothing of who has not agreed.
    pub fn deeds(&self, now: DateTime<Utc>) -> Vec<Arrived> {
        let name = self.name();
        let last = self.events.len();
        let arrived = |(place, deed): (usize, &Deed)| Arrived {
            event: Event {
                id: format!("{name}/{place:03}"),
                customer_id: name.clone(),
                product_id: deed.product_id.clone(),
                season: deed.season.clone(),
                kind: match deed.kind {
                    Look::Browse => Kind::Browse,
                    Look::Wishlist => Kind::Wishlist,
                },
                at: Some(deed.at.unwrap_or(now - Duration::milliseconds((last - place) as i64))),
                order_id: None,
                quantity: None,
                unit_price_eur: None,
                session_id: Some(name.clone()),
                channel: None,
                request: None,
            },
            arrived: now,
        };
        match self.personalisation_consent {
            true => self.events.iter().enumerate().map(arrived).collect(),
            false => Vec::new(),
        }
    }
}

/// A list that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// The name in tables.
    pub name: String,
    /// None for a customer.
    pub visitor: Option<Arc<Visitor>>,
    /// So many articles at least, as far as there are any.
    pub places: usize,
    /// Only articles of these kinds; of all where none is named.
    pub category: Vec<String>,
}

impl Ask {
    /// A customer's list, as long as a list is.
    pub fn of(customer: &str) -> Self {
        Self { name: customer.to_owned(), visitor: None, places: 0, category: Vec::new() }
    }

    /// A visitor's list.
    pub fn of_visitor(visitor: &Arc<Visitor>) -> Self {
        Self { visitor: Some(Arc::clone(visitor)), ..Self::of(&visitor.name()) }
    }
}

/// What was wished for beside the customer, as the log keeps it: an answer is made again from it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wished {
    pub places: usize,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub category: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visitor: Option<Visitor>,
}

impl Wished {
    /// What was asked for.
    pub fn ask(&self, customer: &str) -> Ask {
        let ask = match &self.visitor {
            Some(visitor) => Ask::of_visitor(&Arc::new(visitor.clone())),
            None => Ask::of(customer),
        };
        Ask { places: self.places, category: self.category.clone(), ..ask }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_visitor_did_is_used_with_consent_alone_and_in_its_order() {
        let now: DateTime<Utc> = "2031-05-01T10:00:00Z".parse().unwrap();
        let deed = |number: &str, at: Option<&str>| Deed {
            product_id: number.into(),
            season: None,
            kind: Look::Browse,
            at: at.map(|at| at.parse().unwrap()),
        };
        let agreed = Visitor {
            personalisation_consent: true,
            events: vec![deed("1", None), deed("2", None), deed("3", Some("2031-05-01T09:00:00Z"))],
            ..Visitor::default()
        };
        assert_eq!(agreed.sound(now), Ok(()));
        let deeds = agreed.deeds(now);
        assert!(deeds[0].at() < deeds[1].at() && deeds[1].at() < now && deeds[2].at() < deeds[0].at());
        let not = Visitor { personalisation_consent: false, ..agreed.clone() };
        assert!(not.deeds(now).is_empty() && not.name() != agreed.name());
        let late = Visitor { events: vec![deed("1", Some("2031-05-01T11:00:00Z"))], ..Visitor::default() };
        assert!(late.sound(now).unwrap_err().contains("clock"));
        let many = Visitor { events: vec![deed("1", None); MOST_DEEDS + 1], ..Visitor::default() };
        assert!(many.sound(now).unwrap_err().contains("send the latest"));
        let odd = Visitor { region: Some("\u{1}".into()), ..Visitor::default() };
        assert!(odd.sound(now).unwrap_err().contains("control characters"));
    }
}
