//! Files of numbers, and what every protocol does with them.

use std::{collections::BTreeMap, error::Error, fs, path::Path};

use recommenders::{
    ModelError,
    retrieve::{Event, History, Interactions, Kind, Past, Recency, Retriever},
    seeds,
};

/// A file's lines, each split at white space; lines without anything are left out.
pub fn lines(path: &Path) -> Result<Vec<Vec<String>>, Box<dyn Error>> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let words = text.lines().map(|line| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
    Ok(words.filter(|words| !words.is_empty()).collect())
}

/// Each user's ratings as time, item and rating, in the order of time.
pub type Ratings = Vec<Vec<(u64, u32, f64)>>;

/// The ratings of a file of lines of user, item, rating and time, and how many items there are.
pub fn ratings(path: &Path) -> Result<(Ratings, usize), Box<dyn Error>> {
    let (mut users, mut items) = (Numbers::default(), Numbers::default());
    let mut ratings: Ratings = Vec::new();
    for line in lines(path)? {
        let [user, item, rating, time] = &line[..] else {
            return Err(format!("{}: a line that is not user, item, rating, time", path.display()).into());
        };
        let user = users.of(user) as usize;
        ratings.resize(ratings.len().max(user + 1), Vec::new());
        ratings[user].push((time.parse()?, items.of(item), rating.parse()?));
    }
    ratings.iter_mut().for_each(|ratings| ratings.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(a.1.cmp(&b.1))));
    Ok((ratings, items.count()))
}

/// A number for the bytes of files.
pub fn hash(paths: &[&Path]) -> Result<u64, Box<dyn Error>> {
    let mut hash = 0;
    for path in paths {
        hash = seeds::mix(
            hash,
            fs::read(path)?.chunks(8).map(|bytes| bytes.iter().fold(0, |a, b| a << 8 | u64::from(*b))),
        );
    }
    Ok(hash)
}

/// Numbers from 0 for names, in the order in which they come.
#[derive(Default)]
pub struct Numbers(BTreeMap<String, u32>);

impl Numbers {
    pub fn of(&mut self, name: &str) -> u32 {
        let next = self.0.len() as u32;
        *self.0.entry(name.to_owned()).or_insert(next)
    }

    pub fn count(&self) -> usize {
        self.0.len()
    }
}

/// Each user's items, from the first to the last; the last has age 0, the one before 1 …
pub fn interactions(users: &[Vec<u32>], items: usize) -> Result<Interactions, ModelError> {
    let events = (0..).zip(users).flat_map(|(customer, items)| {
        history(items).events().iter().map(|past| Event { customer, past: *past }).collect::<Vec<_>>()
    });
    Interactions::new(users.len(), items, events)
}

/// A user's items as a past.
pub fn history(items: &[u32]) -> History {
    let past = |(age, thing): (usize, &u32)| Past { thing: *thing, kind: Kind::Looked, age: age as f64 };
    History::new(items.iter().rev().enumerate().map(past))
}

/// How often each item was seen: popularity where every event is a look.
pub fn popularity(interactions: &Interactions) -> impl Retriever + use<> {
    recommenders::retrieve::Popularity::fit(interactions, f64::INFINITY, 1.0)
}

/// A model's name with its version.
pub fn named(retriever: &dyn Retriever, settings: &str) -> String {
    format!("{} {settings} (version {})", retriever.name(), retriever.version())
}

/// No fading.
pub const NEVER: Recency = Recency::Never;
