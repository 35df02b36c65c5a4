//! What a customer did, as the shop's pages send it, and whether it can be true.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How far a sender's clock may run ahead of ours.
pub const CLOCK_AHEAD: chrono::Duration = chrono::Duration::minutes(5);
/// The most pieces of one event.
const MOST_PIECES: u32 = 9_999;
/// The longest text of a field.
pub const LONGEST: usize = 200;

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
    const WORDS: [(Self, &str); 6] = [
        (Self::Browse, "browse"),
        (Self::Wishlist, "wishlist"),
        (Self::Purchase, "purchase"),
        (Self::Return, "return"),
        (Self::Shown, "shown"),
        (Self::Clicked, "clicked"),
    ];

    /// As it is sent.
    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(kind, _)| *kind == self).map_or("", |(_, word)| word)
    }

    /// The kind that is sent as this word.
    pub fn of(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(_, known)| *known == word).map(|(kind, _)| *kind)
    }

    /// The word of `sources.transactions`; none for what is no deed in the shop.
    pub fn event_type(self) -> Option<&'static str> {
        (!matches!(self, Self::Shown | Self::Clicked)).then(|| self.word())
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
    #[serde(default, skip_serializing_if = "Option::is_none", with = "crate::served::moment::option")]
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

/// An event as it came; what it means is read from the tables of a release ([`Arrived::read`]).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Arrived {
    pub event: Event,
    #[serde(with = "crate::served::moment")]
    pub arrived: DateTime<Utc>,
}

/// An event as it is read beside an export.
#[derive(Debug, Clone, PartialEq)]
pub struct Read<'a> {
    pub event: &'a Event,
    pub at: DateTime<Utc>,
    pub season: String,
    /// Pieces and cents of a purchase or return; of a return at most what was left.
    pub pieces: u32,
    pub cents: i64,
    /// Whether a return is the first of its purchase.
    pub first_return: bool,
}

/// Why an event cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doubt {
    /// Names the reason, as the codes of `sql/sources` do.
    pub code: &'static str,
    /// Nothing says what it means yet, but another event, or the next release, may; otherwise it says what cannot be true beside
    /// what is known.
    pub waits: bool,
    /// The reason in words for who sent it.
    pub words: String,
}

impl Doubt {
    fn waits(code: &'static str, words: String) -> Self {
        Self { code, waits: true, words }
    }

    fn never(code: &'static str, words: String) -> Self {
        Self { code, waits: false, words }
    }

    /// What [`Event::sound`] should have refused.
    fn unsound(words: String) -> Self {
        Self::never("unsound", words)
    }
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
    /// Refuses what no table could make true.
    ///
    /// # Errors
    /// What is wrong with it, and what to send instead.
    pub fn sound(&self, now: DateTime<Utc>) -> Result<(), String> {
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
        if let Some(at) = self.at.filter(|at| *at > now + CLOCK_AHEAD) {
            return Err(format!("at is {at}, which is after {now}; is the sender's clock right?"));
        }
        match self.kind {
            Kind::Purchase => {
                self.order()?;
                self.cents()?;
            }
            Kind::Return => {
                self.order()?;
            }
            _ => return Ok(()),
        }
        self.pieces().map(|_| ())
    }

    fn order(&self) -> Result<&str, String> {
        let order = self.order_id.as_deref().filter(|order| !order.trim().is_empty());
        order.ok_or_else(|| match self.kind {
            Kind::Return => "a return needs the order_id of its purchase".into(),
            _ => "a purchase needs an order_id, which a return can name".into(),
        })
    }

    fn cents(&self) -> Result<i64, String> {
        let price = self.unit_price_eur.as_deref().ok_or("a purchase needs unit_price_eur, such as \"39.90\"")?;
        cents(price).ok_or_else(|| format!("unit_price_eur is '{price}'; write it as \"39.90\""))
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
}

impl Arrived {
    /// When it happened: no later than it arrived.
    pub fn at(&self) -> DateTime<Utc> {
        self.event.at.map_or(self.arrived, |at| at.min(self.arrived))
    }

    /// What it means by the articles of a release and the customer's purchases until then, which it moves on.
    ///
    /// # Errors
    /// Why it cannot be used.
    pub fn read(&self, seasons: &Seasons, purchases: &mut Purchases) -> Result<Read<'_>, Doubt> {
        let (event, at) = (&self.event, self.at());
        if seasons.is_empty() {
            return Err(Doubt::waits("unknown_product", format!("no article has the number '{}'", event.product_id)));
        }
        if event.kind == Kind::Return {
            return self.returned(purchases);
        }
        let wanted = |(season, from, until): &&(String, DateTime<Utc>, DateTime<Utc>)| {
            *from <= at && at < *until && event.season.as_ref().is_none_or(|wanted| wanted == season)
        };
        let mut on_sale = seasons.iter().filter(wanted);
        let season = match (on_sale.next(), on_sale.next()) {
            (Some((season, _, _)), None) => season.clone(),
            (None, _) => {
                let words = format!("no article of the number '{}' is on sale at {at}", event.product_id);
                return Err(Doubt::waits("not_on_sale", words));
            }
            (Some(_), Some(_)) => {
                let number = &event.product_id;
                let words = format!("several articles of the number '{number}' are on sale; name the season");
                return Err(Doubt::never("several_on_sale", words));
            }
        };
        let (mut pieces, mut cents) = (0, 0);
        if event.kind == Kind::Purchase {
            let order = event.order().map_err(Doubt::unsound)?;
            (pieces, cents) = (event.pieces().map_err(Doubt::unsound)?, event.cents().map_err(Doubt::unsound)?);
            let key = (order.to_owned(), event.product_id.clone());
            if purchases.contains_key(&key) {
                let words = format!("order {order} holds this article already; send its pieces in one event");
                return Err(Doubt::never("order_twice", words));
            }
            purchases.insert(key, Purchase { season: season.clone(), at, left: pieces, pieces, cents });
        }
        Ok(Read { event, at, season, pieces, cents, first_return: false })
    }

    fn returned(&self, purchases: &mut Purchases) -> Result<Read<'_>, Doubt> {
        let (event, at) = (&self.event, self.at());
        let order = event.order().map_err(Doubt::unsound)?;
        let pieces = event.pieces().map_err(Doubt::unsound)?;
        let bought = purchases.get_mut(&(order.to_owned(), event.product_id.clone()));
        let Some(bought) = bought.filter(|bought| bought.at <= at) else {
            let number = &event.product_id;
            let words = format!("this customer bought no article {number} under order {order} by {at}");
            return Err(Doubt::waits("return_without_order", words));
        };
        if bought.left == 0 {
            let number = &event.product_id;
            let words = format!("all pieces of article {number} of order {order} came back before");
            return Err(Doubt::never("return_again", words));
        }
        let pieces = pieces.min(bought.left);
        let first_return = bought.left == bought.pieces;
        bought.left -= pieces;
        Ok(Read { event, at, season: bought.season.clone(), pieces, cents: bought.cents, first_return })
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
        let sound = event(r#"{"id":"e","customer_id":"c","product_id":"7","kind":"browse"}"#);
        assert_eq!(sound.sound(now), Ok(()));
        for (json, words) in [
            (r#"{"id":" ","customer_id":"c","product_id":"7","kind":"browse"}"#, "id is empty"),
            (r#"{"id":"e","customer_id":"c","product_id":"7","kind":"browse","at":"2031-05-02T11:00:00Z"}"#, "clock"),
            (r#"{"id":"e","customer_id":"c","product_id":"7","kind":"purchase"}"#, "order_id"),
            (r#"{"id":"e","customer_id":"c","product_id":"7","kind":"return"}"#, "order_id"),
            (
                r#"{"id":"e","customer_id":"c","product_id":"7","kind":"return","order_id":"o","quantity":0}"#,
                "quantity is 0",
            ),
            (
                r#"{"id":"e","customer_id":"c","product_id":"7","kind":"purchase","order_id":"o2","unit_price_eur":"5,0"}"#,
                "39.90",
            ),
        ] {
            let refused = event(json).sound(now).unwrap_err();
            assert!(refused.contains(words), "{json}: {refused}");
        }
    }

    #[test]
    fn what_nothing_speaks_for_waits_and_what_speaks_against_itself_never_counts() {
        let arrived = moment("2031-05-02T10:00:00Z");
        let seasons = [("SS31".to_owned(), moment("2031-03-01T00:00:00Z"), moment("2031-06-01T00:00:00Z"))];
        let bought =
            Purchase { season: "SS31".into(), at: moment("2031-05-01T10:00:00Z"), left: 1, pieces: 2, cents: 500 };
        let mut purchases = Purchases::from([(("o1".into(), "7".into()), bought)]);
        let sent = |json: &str| Arrived { event: event(json), arrived };
        let look = sent(r#"{"id":"e","customer_id":"c","product_id":"7","kind":"browse"}"#);
        let read = look.read(&seasons, &mut purchases).unwrap();
        assert_eq!((read.at, read.season.as_str(), read.pieces), (arrived, "SS31", 0));
        let back =
            sent(r#"{"id":"e","customer_id":"c","product_id":"7","kind":"return","order_id":"o1","quantity":5}"#);
        let read = back.read(&seasons, &mut purchases).unwrap();
        assert_eq!((read.pieces, read.cents, read.first_return), (1, 500, false), "no more than is left");
        let again = back.read(&seasons, &mut purchases);
        assert!(matches!(again, Err(doubt) if !doubt.waits && doubt.words.contains("came back before")));
        for (json, expected) in [
            (
                r#"{"id":"e","customer_id":"c","product_id":"7","kind":"browse","at":"2031-01-02T11:00:00Z"}"#,
                "waits: no article of the number '7' is on sale",
            ),
            (
                r#"{"id":"e","customer_id":"c","product_id":"7","kind":"browse","season":"AW31"}"#,
                "waits: no article of the number '7' is on sale",
            ),
            (
                r#"{"id":"e","customer_id":"c","product_id":"7","kind":"purchase","order_id":"o1","unit_price_eur":"5"}"#,
                "never: order o1 holds this article already",
            ),
            (
                r#"{"id":"e","customer_id":"c","product_id":"7","kind":"return","order_id":"o9"}"#,
                "waits: this customer bought no article 7 under order o9",
            ),
        ] {
            let doubt = sent(json).read(&seasons, &mut purchases).unwrap_err();
            let found = format!("{}: {}", if doubt.waits { "waits" } else { "never" }, doubt.words);
            assert!(found.starts_with(expected), "{json}: {found}");
        }
        let unknown = look.read(&[], &mut purchases);
        assert!(matches!(unknown, Err(doubt) if doubt.waits && doubt.words.contains("no article has the number '7'")));
    }
}
