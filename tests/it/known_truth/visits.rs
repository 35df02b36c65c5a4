//! What customers do: visits with looks, and wishes, purchases and returns that follow from them.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use chrono::{Days, NaiveDate, NaiveDateTime, TimeDelta};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::{TrueShop, pick};

/// A visit goes on after a look with this chance.
pub const GOES_ON: f64 = 0.68;

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    Look,
    Wish,
    Purchase,
    Return,
}

/// Something that a customer did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Event {
    pub at: NaiveDateTime,
    pub customer: usize,
    pub article: usize,
    pub what: What,
    visit: usize,
    order: usize,
}

/// Everything that was done before the export, in the order of time.
pub fn simulated(shop: &TrueShop, start: NaiveDate, busy: f64, random: &mut ChaCha8Rng) -> Vec<Event> {
    let days = (shop.exported - start).num_days();
    let mut begun: Vec<(NaiveDateTime, usize)> = Vec::new();
    for (number, customer) in shop.customers.iter().enumerate() {
        let member = (shop.exported - customer.signed_up.max(start)).num_days().max(0) as f64 / days as f64;
        let wanted = customer.visits * busy * member * 1.9;
        let count = wanted.floor() as usize + usize::from(random.gen_bool(wanted.fract()));
        for _ in 0..count {
            let day = shop.exported - Days::new(1 + (random.gen_range(0.0..1.0) * member * (days - 1) as f64) as u64);
            let at =
                day.and_hms_opt(random.gen_range(6..21), random.gen_range(0..60), random.gen_range(0..60)).unwrap();
            begun.push((at, number));
        }
    }
    begun.sort_unstable();
    let mut owned: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); shop.customers.len()];
    let (mut events, mut orders) = (Vec::new(), 0);
    for (visit, (begins, customer)) in begun.into_iter().enumerate() {
        let (person, mut at) = (&shop.customers[customer], begins);
        let mut shelf = shop.on_sale(person.country, begins.date());
        shelf.retain(|article| !owned[customer].contains(article));
        if shelf.is_empty() {
            continue;
        }
        let weights: Vec<f64> = shelf.iter().map(|article| shop.drawn(person, *article, begins.date()).exp()).collect();
        loop {
            let article = shelf[pick(&weights, random)];
            let event = |at, what, order| Event { at, customer, article, what, visit, order };
            let [buys, keeps] = shop.chances(person, article, begins.date());
            events.push(event(at, What::Look, 0));
            if random.gen_bool(0.7 * buys) {
                events.push(event(at + TimeDelta::seconds(20), What::Wish, 0));
            }
            if random.gen_bool(buys) && owned[customer].insert(article) {
                orders += 1;
                let later = if random.gen_bool(0.7) {
                    TimeDelta::seconds(random.gen_range(200..2000))
                } else {
                    TimeDelta::hours(random.gen_range(3..280))
                };
                let bought = at + later;
                events.push(event(bought, What::Purchase, orders));
                if !random.gen_bool(keeps) {
                    owned[customer].remove(&article);
                    let back = bought + TimeDelta::days(random.gen_range(4..18));
                    events.push(event(back, What::Return, orders));
                }
            }
            if !random.gen_bool(GOES_ON) {
                break;
            }
            at += TimeDelta::seconds(random.gen_range(25..170));
        }
    }
    events.retain(|event| event.at < shop.exported.and_hms_opt(0, 0, 0).unwrap() - TimeDelta::hours(3));
    events.sort_unstable();
    events
}

/// `transactions.csv`.
pub fn csv(shop: &TrueShop) -> String {
    let mut out = "transaction_id,event_time,customer_id,product_id,event_type,order_id,quantity,unit_price_eur,session_id,channel\n".to_owned();
    for (n, event) in shop.events.iter().enumerate() {
        let article = &shop.catalogue.articles[event.article];
        let (name, order, pieces) = match event.what {
            What::Look => ("browse", String::new(), ""),
            What::Wish => ("wishlist", String::new(), ""),
            What::Purchase => ("purchase", format!("B{}", event.order), "1"),
            What::Return => ("return", format!("B{}", event.order), "-1"),
        };
        let price = if pieces.is_empty() { String::new() } else { format!("{:.2}", article.log_price.exp()) };
        let _ = writeln!(
            out,
            "e{n},{}Z,{},{},{name},{order},{pieces},{price},w{},{}",
            event.at.format("%Y-%m-%dT%H:%M:%S"),
            shop.customers[event.customer].name,
            article.number,
            event.visit,
            ["web", "app"][event.visit % 2],
        );
    }
    out
}

/// A small log of earlier recommendations, as every export has one.
pub fn log_csv(shop: &TrueShop) -> String {
    let mut out = "recommendation_id,recommended_at,customer_id,product_id,position,model_version,clicked,clicked_at,purchased,purchased_at,returned,returned_at,ground_truth_available\n".to_owned();
    for n in 0..shop.customers.len().min(300) {
        let day = shop.exported - Days::new(2 + n as u64 % 25);
        let shelf = shop.on_sale(shop.customers[n].country, day);
        let Some(article) = shelf.get(n % shelf.len().max(1)) else { continue };
        let number = &shop.catalogue.articles[*article].number;
        let _ = writeln!(out, "r{n},{day} 09:00:00,{},{number},1,old,0,,0,,0,,false", shop.customers[n].name);
    }
    out
}
