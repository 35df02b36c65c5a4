//! Whatever those did who have not agreed, nobody's served features and lists move, theirs included: the same proof as of the flow.

use std::sync::RwLock;

use chrono::{DateTime, TimeDelta, Utc};
use selvedge_serving::event::Arrived;
use selvedge_serving::lists::{Effort, Pace, Serving};
use selvedge_serving::past::Past;
use selvedge_serving::release::Release;
use selvedge_serving::who::Ask;

use crate::serving::shop;

fn event(number: usize, customer: &str, at: DateTime<Utc>) -> Arrived {
    let what = match number % 3 {
        0 => format!(r#""kind":"purchase","order_id":"o{number}","unit_price_eur":"9.90""#),
        _ => r#""kind":"browse""#.to_owned(),
    };
    let product = number % 12;
    let json = format!(r#"{{"id":"e{number}","customer_id":"{customer}","product_id":"K-{product}",{what}}}"#);
    Arrived { event: serde_json::from_str(&json).unwrap(), arrived: at }
}

#[test]
fn what_was_done_without_consent_moves_nothing() {
    let shop = shop();
    let hash = shop.must(&["release", "build"]).trim().to_owned();
    let project = selvedge::open(Some(&shop.path(""))).unwrap();
    let began = project.params.shop.exported_at;
    let release = Release::find(&project, &hash).unwrap();
    let nothing = RwLock::new(Past::default());
    let serving = Serving::load(release, |root| selvedge::open(Some(root)), &nothing, began).unwrap();
    let everybody = serving.tables.customers(usize::MAX);
    let (agreed, others): (Vec<&String>, Vec<&String>) =
        everybody.iter().partition(|id| serving.tables.consents(id) == Some(true));
    assert!(others.len() > 5);
    let answers = [false, true].map(|with_others| {
        let mut past = Past::default();
        for number in 0..200 {
            let at = began + TimeDelta::seconds(number as i64);
            past.take(Some(event(number, agreed[number % agreed.len()], at)));
            if with_others {
                past.take(Some(event(number + 1000, others[number % others.len()], at)));
            }
        }
        let (seen, past, now) = (past.count(), RwLock::new(past), began + TimeDelta::hours(1));
        serving.refresh(&past, now, None).unwrap();
        let asks: Vec<Ask> = everybody.iter().map(|customer| Ask::of(customer)).collect();
        let lists = serving.lists(&past, &asks, now, None, Pace::of(Effort::Full)).unwrap().lists;
        (lists, serving.shelf_features(&past, &everybody, now, seen).unwrap())
    });
    assert!(answers[0] == answers[1]);
    assert!(answers[0].1.num_rows() > 0 && answers[0].0.iter().any(|list| !list.is_empty()));
}
