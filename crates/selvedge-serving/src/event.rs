//! What a customer did, as the shop's pages send it, and whether it can be true.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How far a sender's clock may run ahead of ours.
const CLOCK_AHEAD: chrono::Duration = chrono::Duration::minutes(5);
/// The most pieces of one event.
const MOST_PIECES: u32 = 9_999;
/// The longest text of a field.
const LONGEST: usize = 200;

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Looked at an article.
    Browse,
    /// Put it on the wish list.
    Wishlist,
    Purchase,
    /// Sent some or all pieces of a purchase back.
    Return,
    /// Saw it in a list: it was on the screen.
    Shown,
    /// Clicked it in a list.
    Clicked,
}

impl Kind {
    /// The word of `sources.transactions`; none for what is no deed in the shop.
    pub fn event_type(self) -> Option<&'static str> {
        match self {
            Self::Browse => Some("browse"),
            Self::Wishlist => Some("wishlist"),
            Self::Purchase => Some("purchase"),
            Self::Return => Some("return"),
            Self::Shown | Self::Clicked => None,
        }
    }
}

/// Something a customer did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// Names the event for good; sent again, it counts once.
    pub id: String,
    pub customer_id: String,
    pub product_id: String,
    /// Only where the number alone could mean another season's article.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub season: Option<String>,
    pub kind: Kind,
    /// When; the moment of arrival where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "crate::moment::option")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub at: Option<DateTime<Utc>>,
    /// Of a purchase or a return: the order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_id: Option<String>,
    /// Of a purchase or a return: pieces; 1 where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantity: Option<u32>,
    /// Of a purchase: what was paid for one piece, such as "39.90".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit_price_eur: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// Of what was shown or clicked: the list's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
}

/// An event that was found to be possible, as it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    pub event: Event,
    #[serde(with = "crate::moment")]
    pub at: DateTime<Utc>,
    pub season: String,
    /// Pieces and cents of a purchase or return; of a return at most what was left.
    pub pieces: u32,
    pub cents: i64,
    /// Whether a return is the first of its purchase.
    pub first_return: bool,
}

/// A purchase, with the pieces of it that are still there.
#[derive(Debug, Clone, PartialEq)]
pub struct Purchase {
    pub season: String,
    pub at: DateTime<Utc>,
    pub left: u32,
    pub pieces: u32,
    pub cents: i64,
}

/// The purchases of a customer by order and article number.
pub type Purchases = BTreeMap<(String, String), Purchase>;

/// What is known of an article number: each season with its days of sale, the last included.
pub type Seasons = [(String, DateTime<Utc>, DateTime<Utc>)];

impl Event {
    /// The event as it is kept, or why it cannot be true, in words for who sent it.
    ///
    /// # Errors
    /// What is wrong with it, and what to send instead.
    pub fn checked(self, now: DateTime<Utc>, seasons: &Seasons, purchases: &Purchases) -> Result<Kept, String> {
        for (name, text) in [("id", &self.id), ("customer_id", &self.customer_id), ("product_id", &self.product_id)] {
            if text.trim().is_empty() {
                return Err(format!("{name} is empty; give the event a {name}"));
            }
        }
        let texts = [&self.season, &self.order_id, &self.session_id, &self.channel, &self.request];
        let texts = texts.into_iter().flatten().chain([&self.id, &self.customer_id, &self.product_id]);
        for text in texts {
            if text.chars().count() > LONGEST || text.chars().any(char::is_control) {
                return Err(format!("a text is longer than {LONGEST} characters or holds control characters"));
            }
        }
        let at = self.at.unwrap_or(now);
        if at > now + CLOCK_AHEAD {
            return Err(format!("at is {at}, which is after {now}; is the sender's clock right?"));
        }
        let at = at.min(now);
        if seasons.is_empty() {
            return Err(format!("no article has the number '{}'", self.product_id));
        }
        if self.kind == Kind::Return {
            return self.returned(at, purchases);
        }
        let wanted = |(season, from, until): &&(String, DateTime<Utc>, DateTime<Utc>)| {
            *from <= at && at < *until && self.season.as_ref().is_none_or(|wanted| wanted == season)
        };
        let mut on_sale = seasons.iter().filter(wanted);
        let season = match (on_sale.next(), on_sale.next()) {
            (Some((season, _, _)), None) => season.clone(),
            (None, _) => return Err(format!("no article of the number '{}' is on sale at {at}", self.product_id)),
            (Some(_), Some(_)) => {
                return Err(format!(
                    "several articles of the number '{}' are on sale; name the season",
                    self.product_id
                ));
            }
        };
        let (pieces, cents) = match self.kind {
            Kind::Purchase => {
                let order = self.order_id.as_deref().filter(|order| !order.trim().is_empty());
                let order = order.ok_or("a purchase needs an order_id, which a return can name")?;
                if purchases.contains_key(&(order.to_owned(), self.product_id.clone())) {
                    return Err(format!("order {order} holds this article already; send its pieces in one event"));
                }
                let price =
                    self.unit_price_eur.as_deref().ok_or("a purchase needs unit_price_eur, such as \"39.90\"")?;
                let cents =
                    cents(price).ok_or_else(|| format!("unit_price_eur is '{price}'; write it as \"39.90\""))?;
                (self.pieces()?, cents)
            }
            _ => (0, 0),
        };
        Ok(Kept { season, at, pieces, cents, first_return: false, event: self })
    }

    fn pieces(&self) -> Result<u32, String> {
        match self.quantity.unwrap_or(1) {
            0 => Err("quantity is 0; a purchase or return is of at least one piece".into()),
            pieces if pieces > MOST_PIECES => {
                Err(format!("quantity is {pieces}; of more than {MOST_PIECES} pieces send several events"))
            }
            pieces => Ok(pieces),
        }
    }

    fn returned(self, at: DateTime<Utc>, purchases: &Purchases) -> Result<Kept, String> {
        let order = self.order_id.clone().ok_or("a return needs the order_id of its purchase")?;
        let bought = purchases.get(&(order.clone(), self.product_id.clone())).filter(|bought| bought.at <= at);
        let bought =
            bought.ok_or_else(|| format!("this customer bought no article {} under order {order}", self.product_id))?;
        if bought.left == 0 {
            return Err(format!("all pieces of article {} of order {order} came back before", self.product_id));
        }
        let pieces = self.pieces()?.min(bought.left);
        let first_return = bought.left == bought.pieces;
        Ok(Kept { season: bought.season.clone(), at, pieces, cents: bought.cents, first_return, event: self })
    }
}

/// `39.9` or `39.90` in cents.
fn cents(text: &str) -> Option<i64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.chars().all(|c| c.is_ascii_digit());
    if whole.is_empty() || whole.len() > 9 || part.len() > 2 || !digits(whole) || !digits(part) {
        return None;
    }
    Some(whole.parse::<i64>().ok()? * 100 + format!("{part:0<2}").parse::<i64>().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn event(json: &str) -> Event {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn money_is_read_to_the_cent() {
        for (text, expected) in [("39.90", Some(3990)), ("39.9", Some(3990)), ("39", Some(3900)), ("0", Some(0))] {
            assert_eq!(cents(text), expected);
        }
        for text in ["", ".5", "1,5", "-1", "1.234", "1e3", " 1", "9999999999"] {
            assert_eq!(cents(text), None, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_true_is_refused_in_words() {
        let now = moment("2031-05-02T10:00:00Z");
        let seasons = [("SS31".to_owned(), moment("2031-03-01T00:00:00Z"), moment("2031-06-01T00:00:00Z"))];
        let bought =
            Purchase { season: "SS31".into(), at: moment("2031-05-01T10:00:00Z"), left: 1, pieces: 2, cents: 500 };
        let purchases = Purchases::from([(("o1".into(), "7".into()), bought)]);
        let check = |json: &str| event(json).checked(now, &seasons, &purchases);
        let look = check(r#"{"id":"e","customer_id":"c","product_id":"7","kind":"browse"}"#).unwrap();
        assert_eq!((look.at, look.season.as_str(), look.pieces), (now, "SS31", 0));
        let back =
            check(r#"{"id":"e","customer_id":"c","product_id":"7","kind":"return","order_id":"o1","quantity":5}"#)
                .unwrap();
        assert_eq!((back.pieces, back.cents, back.first_return), (1, 500, false), "no more than is left");
        for (json, words) in [
            (r#"{"id":" ","customer_id":"c","product_id":"7","kind":"browse"}"#, "id is empty"),
            (r#"{"id":"e","customer_id":"c","product_id":"7","kind":"browse","at":"2031-05-02T11:00:00Z"}"#, "clock"),
            (r#"{"id":"e","customer_id":"c","product_id":"7","kind":"browse","at":"2031-01-02T11:00:00Z"}"#, "on sale"),
            (r#"{"id":"e","customer_id":"c","product_id":"7","kind":"browse","season":"AW31"}"#, "on sale"),
            (r#"{"id":"e","customer_id":"c","product_id":"7","kind":"purchase"}"#, "order_id"),
            (
                r#"{"id":"e","customer_id":"c","product_id":"7","kind":"purchase","order_id":"o1","unit_price_eur":"5"}"#,
                "already",
            ),
            (
                r#"{"id":"e","customer_id":"c","product_id":"7","kind":"purchase","order_id":"o2","unit_price_eur":"5,0"}"#,
                "39.90",
            ),
            (r#"{"id":"e","customer_id":"c","product_id":"7","kind":"return","order_id":"o9"}"#, "bought no article"),
        ] {
            let refused = check(json).unwrap_err();
            assert!(refused.contains(words), "{json}: {refused}");
        }
        assert!(
            event(r#"{"id":"e","customer_id":"c","product_id":"8","kind":"browse"}"#)
                .checked(now, &[], &purchases)
                .is_err()
        );
    }
}
