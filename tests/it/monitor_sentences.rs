//! The cells of every sentence of the dashboard, made a second time from the tables beside it: a number, a segment or a date
//! that differs fails.  The words around the cells are the product's (`selvedge_reports::sentences`) and stand only there.

use std::collections::BTreeMap;

use serde_json::Value;

use super::monitor_log::{Log, Row};
use super::page::{Page, Table};
use super::shop::ROOT;
use selvedge_reports::sentences as say;

/// A dashboard and what lies beside it.
struct Report {
    page: Page,
    alerts: Value,
    history: Value,
    params: serde_yaml::Value,
}

impl Report {
    fn new(dashboard: &str, read: impl Fn(&str) -> String) -> Self {
        let json = |file: &str| serde_json::from_str(&read(file)).unwrap();
        Self {
            page: Page::read(dashboard),
            alerts: json("reports/alerts.json"),
            history: json("reports/alert-history.json"),
            params: serde_yaml::from_str(&read("params.yaml")).unwrap(),
        }
    }

    fn monitor(&self, key: &str) -> f64 {
        self.params["monitor"][key].as_f64().unwrap()
    }

    /// Everything that is said with a number in it.
    fn sentences(&self) -> Vec<String> {
        let mut out = vec![self.scope()];
        out.extend(self.completeness());
        out.extend(self.changes());
        out.extend(self.unchanged());
        out.extend(self.later());
        out.extend(self.pictures());
        out.extend(self.totals().iter().map(|told| alt(told)));
        out.extend(self.totals());
        out.extend(self.fairness());
        out.extend(self.history());
        out.extend(self.shown());
        out.extend(self.model_sees());
        out.extend(self.collections());
        let line = whole(self.monitor("fairness_line") * 100.0);
        out.push(say::GapLine { line: &line }.to_string());
        out.extend(["rate", "difference"].map(|what| say::RateBetween { what }.to_string()));
        out.push(say::Forecasts { since: &self.days("since")[1] }.to_string());
        out
    }

    fn days(&self, row: &str) -> &[String] {
        let table = self.page.of("The days compared").next().unwrap();
        table.rows.iter().find(|cells| cells[0] == row).unwrap()
    }

    fn scope(&self) -> String {
        let (before, since, all) = (self.days("before"), self.days("since"), self.days("all together"));
        let compared = match (since[1] != "–", all[3] == "1") {
            (true, _) => {
                let span = |days: &[String], the: &str| match days[1] == days[2] {
                    true => days[1].clone(),
                    false => say::Days { the, first: &days[1], last: &days[2] }.to_string(),
                };
                let are = if since[3] == "1" { "is" } else { "are" };
                let (since, before) = (span(since, "The days"), span(before, "those"));
                say::Compared { since: &since, are, before: &before }.to_string()
            }
            (false, true) => say::OnlyDay { day: &before[1] }.to_string(),
            (false, false) => say::OnlyDays { first: &before[1], last: &before[2] }.to_string(),
        };
        let were = if all[4] == "1" { "recommendation was" } else { "recommendations were" };
        let as_of = self.alerts["as_of"].as_str().unwrap();
        let until = &format!("{}, {}", long(&as_of[..10]), &as_of[11..16]);
        let recommendations_were = &format!("{} {were}", all[4]);
        say::Scope { recommendations_were, until, compared: &compared }.to_string()
    }

    /// What is said of days that are not there in whole.
    fn completeness(&self) -> Vec<String> {
        let rows = self.page.of("Is every day there").flat_map(|table| &table.rows);
        rows.map(|row| {
            let (noun, came, usual) = (&small(&row[0]), &row[4], &row[5]);
            let days = &match row[2] == row[3] {
                true => say::OnDay { day: &row[2] }.to_string(),
                false => say::OnDays { first: &row[2], last: &row[3] }.to_string(),
            };
            match row[1].as_str() {
                "Missing" => say::NoDays { noun, days, usual }.to_string(),
                "Ended" => say::NoMore { noun, since: &row[2], usual, until: &row[3] }.to_string(),
                "In part" => say::FewDays { came, noun, days, usual }.to_string(),
                "Counted twice" => say::CountedTwice { came, noun, days, twins: &row[6] }.to_string(),
                _ => say::TwiceAsMany { came, noun, days, usual }.to_string(),
            }
        })
        .collect()
    }

    /// The row of everyone looked at: of a metric's noun, by the end of a name such as "customers of age group 25-34".
    fn verdict(&self, noun: &str, who: &str) -> Option<&[String]> {
        let rows = &self.everyone(noun)?.rows;
        rows.iter().map(Vec::as_slice).find(|cells| is_of(who, &cells[0]))
    }

    fn everyone(&self, noun: &str) -> Option<&Table> {
        let section = if noun == "Clicks" { "Clicks, everyone looked at".into() } else { format!("{noun}, confirmed") };
        self.page.tables.iter().find(|table| table.section == section)
    }

    /// What changed, in the order told.
    fn figures(&self) -> &[Vec<String>] {
        self.page.with(&["shown since", "expected"]).map_or(&[], |table| &table.rows)
    }

    /// The stories: rows of figures that are told together, with the words that end their sentence.
    fn stories(&self) -> Vec<Vec<&Vec<String>>> {
        let mut stories: Vec<Vec<&Vec<String>>> = Vec::new();
        let rivals = |cells: &Vec<String>| self.beside(cells).contains(", or ");
        for cells in self.figures() {
            let noun = cells[0].split_once(" of ").unwrap().0;
            let beside = |other: &&Vec<String>| other[0].starts_with(noun) && rivals(other);
            match stories.last_mut() {
                Some(story) if rivals(cells) && story.first().is_some_and(beside) => story.push(cells),
                _ => stories.push(vec![cells]),
            }
        }
        stories
    }

    /// The verdict of a row of figures, and what stands beside it.
    fn told(&self, cells: &[String]) -> &[String] {
        let (noun, who) = cells[0].split_once(" of ").unwrap();
        self.verdict(noun, if who == "everyone else" { "the whole shop" } else { who }).unwrap()
    }

    fn beside(&self, cells: &[String]) -> &str {
        self.told(cells).last().unwrap()
    }

    fn is_clear(&self, cells: &[String]) -> bool {
        let told = self.told(cells);
        told[told.len() - 3] == "Changed"
    }

    fn changes(&self) -> Vec<String> {
        let mut out = Vec::new();
        for (place, story) in self.stories().into_iter().enumerate() {
            let cells = story[0];
            let (noun, who) = cells[0].split_once(" of ").unwrap();
            let sentence = self.sentence(&story);
            let clear = self.is_clear(cells);
            let sentence = if clear { format!("**{sentence}**") } else { sentence };
            let sure = match (clear, story.len()) {
                (true, _) => ["This is clear."].as_slice(),
                (false, 1) => &["This may be chance."],
                _ => &[
                    "That something changed is clear, for whom is not yet.",
                    "This may be chance, and for whom cannot be told yet.",
                ],
            };
            out.extend(sure.iter().map(|how_sure| say::Told { change: &sentence, how_sure }.to_string()));
            if place > 0 {
                continue;
            }
            for cells in &story {
                let who = cells[0].split_once(" of ").unwrap().1;
                let recommendations = if cells[4] == "1" { "recommendation" } else { "recommendations" };
                let recommendations = &format!("{} {recommendations}", cells[4]);
                let what = &noun.to_lowercase();
                let when = if cells[9].contains(" to ") { "on these days" } else { "since" };
                out.push(say::ToWhom { who: &capital(who), recommendations, when, did: &cells[5], what }.to_string());
                out.extend(self.beside(cells).split("We will know more on ").nth(1).map(|day| {
                    let what = if story.len() == 1 { "Whether it is chance" } else { "Which of them it is" };
                    say::KnownOnIfItGoesOn { what, day: day.trim_end_matches('.') }.to_string()
                }));
            }
            let shop = ["the whole shop", "everyone else"].contains(&who);
            let had_they = if shop { "had it gone on as before" } else { "had they moved like everyone else" };
            out.push(say::Expected { expected: &cells[8], had_they, came: &cells[5] }.to_string());
            let reports = whole(1.0 / self.monitor("false_alarms"));
            out.push(say::FalseAlarms { reports: &reports }.to_string());
            let life = self.page.with(&["first told", "taken back"]).unwrap();
            let named = if who == "everyone else" { format!("{noun} of the whole shop") } else { cells[0].clone() };
            if let Some(life) = life.rows.iter().rfind(|row| row[0] == named && row[5] == "–") {
                let end = |cell: &str| cell.split(" to ").nth(1).unwrap().to_owned();
                let (then, now) = (end(&life[3]), end(&life[7]));
                out.push(say::FirstTold { opened: &life[2], then: &then, now: &now }.to_string());
            }
            out.extend(self.next(cells, who));
        }
        out
    }

    /// A story's sentence, with its figures.
    fn sentence(&self, story: &[&Vec<String>]) -> String {
        let noun = story[0][0].split_once(" of ").unwrap().0;
        match story {
            [one] => change(one, self.is_clear(one)),
            several => {
                let each: Vec<String> =
                    several.iter().map(|cells| format!("{} ({})", for_whom(cells), from_to(cells))).collect();
                // Both are tried: only the page knows whether something changed for sure.
                let told = |changed: &str| say::ChangeOfOneOf { what: noun, changed, whom: &or(&each) }.to_string();
                let sure = told("changed");
                if self.page.lines.iter().any(|line| line.contains(&sure)) { sure } else { told("may have changed") }
            }
        }
    }

    /// Where the change shows, from the folded table.
    fn next(&self, change: &[String], who: &str) -> Vec<String> {
        let Some(table) = self.page.with(&["segment", "question", "answer", "told"]) else { return Vec::new() };
        let fell = number(&change[6]) < number(&change[3]);
        let mut questions: BTreeMap<&str, Vec<&Vec<String>>> = BTreeMap::new();
        for row in table.rows.iter().filter(|row| is_of(who, &row[0]) && row[7] == "yes") {
            questions.entry(&row[1]).or_default().push(row);
        }
        let mut out = Vec::new();
        for (question, rows) in questions {
            let moved =
                |row: &&&Vec<String>| number(&row[4]) != number(&row[6]) && (number(&row[6]) < number(&row[4])) == fell;
            let not: Vec<String> = rows.iter().filter(|row| !moved(row)).map(|row| row[2].clone()).collect();
            if !not.is_empty() {
                let verb = if fell { "fell" } else { "rose" };
                out.push(say::EverywhereBut { question, moved: verb, not: &list(&not) }.to_string());
            }
        }
        let since = &change[9];
        out.push(match who {
            "the whole shop" | "everyone else" => say::LookAtEveryone { since }.to_string(),
            _ => say::LookAt { who, since }.to_string(),
        });
        out
    }

    fn unchanged(&self) -> Vec<String> {
        let Some(table) = self.everyone("Clicks") else { return Vec::new() };
        let worth = format!("{} %", whole(100.0 * self.monitor("worth_telling")));
        let mut out = vec![say::RuledOut { change: &worth }.to_string()];
        let shop = table.rows.iter().find(|row| row[0].trim_matches('*') == "The whole shop");
        if let Some(row) = shop {
            out.push(say::ShopUnchanged { before: &row[2], since: &row[5] }.to_string());
            out.push(say::ShopPossible { range: &row[9] }.to_string());
        }
        let of = |is: &dyn Fn(&Vec<String>) -> bool| {
            let rows = table.rows.iter().filter(|row| !row[0].contains("whole shop") && is(row));
            let names: Vec<&str> = rows.map(|row| row[0].trim_matches('*')).collect();
            (!names.is_empty()).then(|| self.by_column(&names))
        };
        let told = |verdict: &'static str| {
            move |row: &Vec<String>| row[7] == verdict && !row[8].starts_with('u') && !row[9].starts_with("moved only")
        };
        out.extend(of(&told("Unchanged")).map(|names| say::Unchanged { names: &names }.to_string()));
        out.extend(of(&told("With the shop")).map(|names| say::WithShop { names: &names }.to_string()));
        let open = of(&told("Cannot be told yet"));
        out.extend(open.map(|names| say::NotRuledOut { change: &worth, names: &names }.to_string()));
        out.extend(of(&|row| row[8].starts_with('u')).map(|names| say::TooEarly { names: &names }.to_string()));
        out
    }

    /// "Age group 18-24, Region Berlin" -> "age group 18-24; region Berlin".
    fn by_column(&self, names: &[&str]) -> String {
        let mut columns: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for column in self.params["monitor"]["segments"].as_sequence().unwrap() {
            let column = column.as_str().unwrap();
            let prefix = capital(&column.replace('_', " ")) + " ";
            for name in names {
                if let Some(value) = name.strip_prefix(&prefix) {
                    columns.entry(column.to_owned()).or_default().push(value.to_owned());
                }
            }
        }
        let told = columns.iter().map(|(column, values)| format!("{} {}", column.replace('_', " "), list(values)));
        told.collect::<Vec<_>>().join("; ")
    }

    fn later(&self) -> Vec<String> {
        let mut out = Vec::new();
        for noun in ["Purchases", "Kept purchases"] {
            let first = self.figures().first().and_then(|cells| cells[0].split_once(" of ")).map(|(_, who)| who);
            for who in first.into_iter().chain(["the whole shop"]) {
                let row = self.verdict(noun, who);
                let day = row.and_then(|row| row.last().unwrap().split("We will know more on ").nth(1));
                let known = |day: &str| say::KnownOn { what: noun, who, day: day.trim_end_matches('.') }.to_string();
                out.extend(day.map(known));
            }
        }
        out
    }

    /// The pictures' words.
    fn pictures(&self) -> Vec<String> {
        let stories = self.stories();
        let mut out: Vec<String> = stories.iter().take(1).map(|story| alt(&self.sentence(story))).collect();
        let clicks: Vec<&Vec<&Vec<String>>> =
            stories.iter().filter(|story| story[0][0].starts_with("Clicks ")).collect();
        if !clicks.is_empty() {
            // Titles name no figures but those of the table, in words of their own.
            let short = |story: &&Vec<&Vec<String>>| {
                let whom: Vec<String> = story.iter().map(|cells| for_whom(cells)).collect();
                let verbs: Vec<&str> = story.iter().map(|cells| verb(cells)).collect();
                let alike = verbs.iter().all(|verb| *verb == verbs[0]);
                let sure = [if alike { verbs[0].to_owned() } else { "changed".to_owned() }];
                let maybe =
                    [if alike { format!("may have {}", participle(verbs[0])) } else { "may have changed".into() }];
                let verb = if self.is_clear(story[0])
                    || self.sentence(story).contains(" changed, either") && !self.sentence(story).contains("may have")
                {
                    sure
                } else {
                    maybe
                };
                let (what, moved, whom) = ("Clicks", &verb[0], &or(&whom));
                match story.len() {
                    1 => say::ChangeInShort { what, moved, whom }.to_string(),
                    _ => say::ChangeOfOneOfInShort { what, changed: moved, whom }.to_string(),
                }
            };
            let titles: Vec<String> = clicks.iter().map(short).collect();
            out.push(alt(&say::NothingElse { changes: &list(&few(&titles)) }.to_string()));
            let sides = clicks.iter().map(|story| {
                let each: Vec<String> = story
                    .iter()
                    .map(|cells| format!("{} ({})", cells[0].split_once(" of ").unwrap().1, from_to(cells)))
                    .collect();
                let clear = self.is_clear(story[0]) || !self.sentence(story).contains("may have");
                let (changed, figures) = (if clear { "Changed" } else { "May have changed" }, &or(&each));
                match each.len() {
                    1 => say::Side { changed, figures }.to_string(),
                    _ => say::SideOfOneOf { changed, figures }.to_string(),
                }
            });
            out.push(alt(&format!("{}.", sides.take(4).collect::<Vec<_>>().join("; "))));
        }
        if let Some(before) = self.verdict("Purchases", "the whole shop").map(|row| row[2].clone()) {
            let forecast = self.page.of("Purchases, provisional").next().map(|table| &table.rows[0]);
            out.push(alt(&match forecast {
                Some(row) => {
                    let (lower, upper) = row[5].split_once(" to ").unwrap();
                    let is_within =
                        before != "–" && number(lower) <= number(&before) && number(&before) <= number(upper);
                    let alike = if is_within { say::NO_CHANGE } else { "" };
                    say::PurchasesForecast { known: &before, forecast: &row[4], lower, upper, alike }.to_string()
                }
                None => say::Purchases { known: &before }.to_string(),
            }));
        }
        let all = self.days("all together");
        let known = if all[6] == "–" {
            "No day's purchases are all known yet".into()
        } else {
            say::KnownUntil { day: &all[6] }.to_string()
        };
        out.push(alt(&say::StillOpen { known: &known, open: &all[5], shown: &all[4] }.to_string()));
        if let Some(table) = self.page.of("Why the totals moved").next() {
            let row = table.rows.iter().find(|row| row[0].starts_with("All but ")).unwrap();
            let name = row[0].trim_start_matches("All but ");
            let own = table.rows.iter().find(|row| row[0].ends_with(&format!(" {name}"))).unwrap();
            let told = |cell: &str| {
                format!(
                    "{} {}",
                    if cell.starts_with('−') { "took away" } else { "added" },
                    cell.trim_start_matches(['−', '+'])
                )
            };
            let (segment, own, others) = (&small(&own[0]), &told(&own[8]), &told(&row[8]));
            let all = table.rows.last().unwrap();
            let changed = self.verdict("Clicks", segment).is_some_and(|told| told[7] == "Changed");
            out.push(alt(&match changed {
                true => say::TotalStep { what: "Clicks", segment, own, others }.to_string(),
                false => say::TotalOfNobody { what: "Clicks", before: &all[3], since: &all[6] }.to_string(),
            }));
        }
        out
    }

    fn totals(&self) -> Vec<String> {
        let nouns = ["Clicks", "Purchases", "Kept purchases"];
        let tables = self.page.of("Why the totals moved");
        // A metric without a total has no table: the lines say which are there.
        let there = nouns.iter().filter(|noun| {
            self.page
                .lines
                .iter()
                .any(|line| line.starts_with(&format!("{noun} in the whole shop: ")) && line.contains(" By "))
        });
        there
            .zip(tables)
            .map(|(noun, table)| {
                let all = table.rows.last().unwrap();
                let column = self.params["monitor"]["segments"]
                    .as_sequence()
                    .unwrap()
                    .iter()
                    .map(|column| column.as_str().unwrap().replace('_', " "));
                let by = &column.into_iter().find(|column| table.rows[0][0].starts_with(&capital(column))).unwrap();
                let (before, since, mix, rate) = (&all[3], &all[6], &all[7], &all[8]);
                say::Total { what: noun, before, since, by, mix, rate }.to_string()
            })
            .collect()
    }

    fn fairness(&self) -> Vec<String> {
        let say = |rows: &[Vec<String>], verdict: &str, at: usize, name: &dyn Fn(&str) -> String| -> Vec<String> {
            let own = rows.iter().filter(|row| row[at + 2] == verdict);
            own.map(|row| say::Gap { who: &name(&row[0]), ratio: &row[at] }.to_string()).collect()
        };
        let mut out = Vec::new();
        for table in self.page.of("Fairness") {
            let (noun, at, name): (_, _, &dyn Fn(&str) -> String) = match table.title.as_str() {
                title if title.starts_with("Clicks, ") => ("clicks", 4, &small),
                title if title.starts_with("Articles") => {
                    ("exposure", 4, &|cell| match cell.split_once(": ").unwrap() {
                        ("Sender", value) => format!("sent by {value}"),
                        (_, value) => value.to_owned(),
                    })
                }
                _ => continue,
            };
            let (gaps, watched) = (say(&table.rows, "Confirmed gap", at, name), say(&table.rows, "Watch", at, name));
            let told = match (gaps.is_empty(), watched.is_empty()) {
                (true, true) => continue,
                (true, false) => say::GapWatched { what: noun, who: &list(&few(&watched)) }.to_string(),
                _ => say::GapConfirmed { what: noun, who: &list(&few(&gaps)) }.to_string(),
            };
            out.extend([alt(&told), told]);
        }
        out
    }

    fn history(&self) -> Vec<String> {
        let reports = self.history["reports"].as_array().unwrap().iter();
        let days: Vec<String> = reports.map(|moment| long(&moment.as_str().unwrap()[..10])).collect();
        let mut out = vec![say::Reports { days: &list(&days) }.to_string()];
        let weeks = self.page.of("As first published").find(|table| table.title == "Purchases");
        let rows = weeks.map_or(&[][..], |table| &table.rows);
        // Of each week the forecast as first published, and the figure of the latest report.
        let now = |row: &Vec<String>| if row[5] == "–" { row[7].clone() } else { row[5].clone() };
        let pairs =
            rows.windows(2).filter(|pair| pair[0][0] == pair[1][0] && pair[0][7] != "–" && now(&pair[1]) != "–");
        let pairs: Vec<(&str, &str, String)> =
            pairs.map(|pair| (pair[0][0].as_str(), pair[0][7].as_str(), now(&pair[1]))).collect();
        let gap = |pair: &(&str, &str, String)| ((number(pair.1) - number(&pair.2)).abs() * 10.0).round() as i64;
        let most = pairs.iter().map(gap).max().unwrap_or_default();
        // Figures are printed to a tenth: nearly equal gaps may print alike, or a tenth apart.
        let told =
            |pair: &(&str, &str, String)| say::FirstFigure { week: pair.0, then: pair.1, now: &pair.2 }.to_string();
        let near = pairs.iter().filter(|pair| gap(pair) >= most - 1).map(told);
        let said = near.filter(|told| self.page.lines.iter().any(|line| line == told));
        out.extend(said.last().into_iter().flat_map(|told| [alt(&told), told.clone()]));
        out
    }

    fn shown(&self) -> Vec<String> {
        let (before, since) = (self.days("before"), self.days("since"));
        let span = |days: &[String]| format!("{} to {}", days[1], days[2]);
        let mut out = vec![
            say::ShownSpans { since: &span(since), before: &span(before) }.to_string(),
            say::NoEarlierSeason { first: &before[1] }.to_string(),
        ];
        let tables: Vec<&Table> = self.page.of("What was shown").collect();
        let [told, tally, ..] = tables.as_slice() else { return out };
        for all in tally.rows.iter().filter(|all| all[0] == "All together" && number(&all[3]) > 4.0) {
            out.push(say::MoreDifferences { more: &(number(&all[3]) - 4.0).to_string() }.to_string());
        }
        for row in &told.rows {
            let (what, unit) = row[0].rsplit_once(", ").unwrap();
            let than = match row[1].as_str() {
                "the days before" => "before".to_owned(),
                "a year earlier" => row[1].clone(),
                season => format!("in {season}"),
            };
            let is_share = unit == "of 100";
            let choice = match (row[9].as_str(), row[7] == row[8]) {
                ("Choice changed", _) => "the choice among them changed",
                (_, false) if (number(&row[8]) < number(&row[7])) == (number(&row[3]) < number(&row[2])) => {
                    "the catalogue changed, not the choice"
                }
                _ => "whether the choice changed cannot be told yet",
            };
            let on_sale = if row[7] == row[8] {
                say::OnSaleAsBefore { figure: &row[8], unit, choice }.to_string()
            } else {
                say::OnSaleMoved { before: &row[7], after: &row[8], unit, choice }.to_string()
            };
            let (before, after, step, than) = (&row[2], &row[3], &row[4], &than);
            match (row[9].as_str(), is_share) {
                ("Changed" | "Choice changed", true) => {
                    let moved = say::ShareMoved { step, value: &small(what), than, after, before };
                    out.push(format!("{moved} {on_sale}"));
                }
                ("Changed" | "Choice changed", false) => {
                    let moved = say::MeanMoved { step, than, after, before, unit };
                    out.push(format!("{moved} {on_sale}"));
                }
                ("No change", false) if row[6] != "–" => {
                    let unit_of = if row[6] == "1" { unit.trim_end_matches('s') } else { unit };
                    let figures = say::MeanFigures { what, before, unit, than, after };
                    let noticed = say::NoticedFrom { step: &format!("{} {unit_of}", row[6]) };
                    out.push(format!("{figures} {noticed}"));
                }
                ("Did not follow", true) => {
                    let (before, after, shown) = (&row[7], &row[8], &row[3]);
                    out.push(say::ShareLeftBehind { after, value: &small(what), before, shown }.to_string());
                }
                ("Did not follow", false) => {
                    let (before, after, shown) = (&row[7], &row[8], &row[3]);
                    out.push(say::MeanLeftBehind { before, after, unit, shown }.to_string());
                }
                (early, false) if early.starts_with("Too early. ") => {
                    out.push(say::MeanTooEarly { what, missing: early.trim_start_matches("Too early. ") }.to_string())
                }
                (early, true) if early.starts_with("Too early. ") => {
                    let all = tally.rows.iter().find(|all| all[0] == "All together" && all[1] == row[1]).unwrap();
                    let (missing, nearest) = (early.trim_start_matches("Too early. "), &small(what));
                    out.push(say::ValuesTooEarly { early: &all[6], all: &all[2], nearest, missing }.to_string());
                }
                _ => {}
            }
        }
        out
    }

    fn model_sees(&self) -> Vec<String> {
        let mut tables = self.page.of("What the model sees");
        let Some(looks) = tables.next().filter(|table| table.headings[0] == "looks") else { return Vec::new() };
        let span = |row: usize| looks.rows[row][1].clone();
        let mut out = vec![say::LooksCompared { latest: &span(1), learned: &span(0) }.to_string()];
        let moved = tables.next().filter(|table| table.headings[0] == "what moved");
        out.extend(moved.into_iter().flat_map(|table| table.rows.iter().take(5)).map(|row| {
            let [what, whom, learned, latest, step] = [0, 1, 2, 3, 4].map(|cell| row[cell].as_str());
            say::FeatureMoved { what, whom, step, latest, learned }.to_string()
        }));
        out
    }

    fn collections(&self) -> Vec<String> {
        let Some(table) = self.page.of("Collections at equal age").next() else { return Vec::new() };
        let mut out = Vec::new();
        for row in &table.rows {
            let name = &row[0];
            let looks = |cell: &str| format!("{cell} {}", if cell == "1" { "look" } else { "looks" });
            out.push(say::CollectionBetween { name, day: &row[1] }.to_string());
            let before = match (row[9].as_str(), row[6].as_str()) {
                ("–", _) => String::new(),
                (rate, "–") => {
                    format!(" {}", say::CollectionBefore { name: &row[7], rate, looks: &looks(&row[8]) })
                }
                (rate, _) => {
                    format!(" {}", say::CollectionBeforeAtAge { name: &row[7], rate, looks: &looks(&row[8]) })
                }
            };
            let rate = &row[4];
            out.push(match row[12].as_str() {
                "Confirmed" => format!("{}{before}", say::CollectionConfirmed { name, rate }),
                "Provisional" => {
                    let early = say::CollectionEarly { name, rate, looks: &looks(&row[3]), needed: &row[10] };
                    format!("{early}{before}")
                }
                "Prior only" => format!("{}{before}", say::CollectionNew { name }),
                _ => say::CollectionWithout { name }.to_string(),
            });
            let with_events = say::MoreWithEvents { day: &row[11], until: "" }.to_string();
            out.push(with_events.split_inclusive(';').next().unwrap().to_owned());
            out.push(say::MoreOn { day: &row[11] }.to_string());
        }
        out
    }

    /// What of the report's sentences does not follow from its tables: lines with numbers that nothing explains.
    fn unexplained(&self) -> Vec<String> {
        let mut sentences = self.sentences();
        // The longest first, so that no sentence is cut by a shorter one.
        sentences.sort_by_key(|sentence| std::cmp::Reverse(sentence.len()));
        let left = self.page.lines.iter().map(|line| {
            let line = line.split("](charts/").next().unwrap().to_owned();
            sentences.iter().fold(line, |line, sentence| line.replace(sentence.as_str(), ""))
        });
        // An export's last day of events is the source's own.
        let left = left.map(|line| line.split("those at hand end on").next().unwrap().to_owned());
        left.filter(|line| line.contains(|letter: char| letter.is_ascii_digit())).collect()
    }
}

/// A row of figures as the sentence of its change.
fn change(cells: &[String], clear: bool) -> String {
    let noun = cells[0].split_once(" of ").unwrap().0;
    let (steps, direction) = cells[7].split_once(' ').unwrap();
    // A step is no finer than the coarser of its two figures.
    let (before, after) = (number(&cells[3]), number(&cells[6]));
    let unit = if before.max(after) >= 10.0 { 0.5 } else { 1e-6 };
    assert!(((after - before).abs() - number(steps)).abs() <= unit, "{cells:?}");
    assert_eq!(direction.starts_with("fewer"), verb(cells) == "fell", "{cells:?}");
    let moved = &if clear { verb(cells).to_owned() } else { format!("may have {}", participle(verb(cells))) };
    let (whom, span) = (&for_whom(cells), &span(cells));
    let (before, after, step) = (&cells[3], &cells[6], &cells[7]);
    say::Change { what: noun, whom, moved, before, after, step, span }.to_string()
}

fn verb(cells: &[String]) -> &'static str {
    if number(&cells[6]) < number(&cells[3]) { "fell" } else { "rose" }
}

fn participle(verb: &str) -> &'static str {
    if verb == "fell" { "fallen" } else { "risen" }
}

fn for_whom(cells: &[String]) -> String {
    match cells[0].split_once(" of ").unwrap().1 {
        "the whole shop" => "in the whole shop".to_owned(),
        who => format!("for {who}"),
    }
}

fn span(cells: &[String]) -> String {
    if cells[9].contains(" to ") { format!("from {}", cells[9]) } else { format!("since {}", cells[9]) }
}

fn from_to(cells: &[String]) -> String {
    say::FromTo { before: &cells[3], after: &cells[6], span: &span(cells) }.to_string()
}

fn or(items: &[String]) -> String {
    match items.split_last() {
        Some((last, first)) if !first.is_empty() => format!("{} or {last}", first.join(", ")),
        _ => items.concat(),
    }
}

/// Whether a row of this name is about them.
fn is_of(who: &str, name: &str) -> bool {
    let name = small(name.trim_matches('*'));
    who == name || who.ends_with(&format!(" of {name}"))
}

fn alt(words: &str) -> String {
    format!("![{words}")
}

fn number(cell: &str) -> f64 {
    cell.replace(',', "")
        .replace('−', "-")
        .trim_start_matches('<')
        .parse()
        .unwrap_or_else(|_| panic!("{cell:?} is no number"))
}

fn whole(value: f64) -> String {
    format!("{value:.0}")
}

fn list(items: &[String]) -> String {
    match items.split_last() {
        Some((last, first)) if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        _ => items.concat(),
    }
}

/// The first four; the others counted.
fn few(items: &[String]) -> Vec<String> {
    let (told, left) = items.split_at(items.len().min(4));
    let others = match left.len() {
        0 => None,
        1 => Some("1 other".to_owned()),
        many => Some(format!("{many} others")),
    };
    told.iter().cloned().chain(others).collect()
}

fn capital(text: &str) -> String {
    text[..1].to_uppercase() + &text[1..]
}

fn small(text: &str) -> String {
    text[..1].to_lowercase() + &text[1..]
}

/// 2031-09-05 as "5 September 2031".
fn long(iso: &str) -> String {
    let months = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    let part = |range: std::ops::Range<usize>| iso[range].parse::<usize>().unwrap();
    format!("{} {} {}", part(8..10), months[part(5..7) - 1], part(0..4))
}

fn of_log(log: &Log) -> Report {
    Report::new(&log.0.read("reports/dashboard.md"), |file| log.0.read(file))
}

fn committed(file: &str) -> String {
    std::fs::read_to_string(format!("{ROOT}/{file}")).unwrap()
}

/// Fails where a sentence of a log's dashboard does not follow from its tables.
pub fn holds(log: &Log) {
    assert_eq!(of_log(log).unexplained(), Vec::<String>::new());
}

#[test]
fn every_sentence_follows_from_the_tables_beside_it() {
    let none: Vec<String> = Vec::new();
    assert_eq!(Report::new(&committed("reports/dashboard.md"), committed).unexplained(), none, "the committed report");
    holds(Log::shared());
    let few = Log::edited(|row| (row["recommended_at"].as_str() < "2026-09-12").then_some(row)).quick();
    few.run();
    holds(&few);
}

/// A wrong digit in any sentence, a wrong segment or a wrong date is found.
#[test]
fn a_wrong_number_segment_or_date_is_found() {
    let log = Log::shared();
    let text = log.0.read("reports/dashboard.md");
    let page = Page::read(&text);
    let wrong = |line: &str, from: &str, to: &str| {
        let changed = text.replace(line, &line.replacen(from, to, 1));
        assert_ne!(changed, text, "{line:?} is not in the report as it stands");
        let found = Report::new(&changed, |file| log.0.read(file)).unexplained();
        assert!(!found.is_empty(), "{from} for {to} in {line:?} is not found");
    };
    for line in
        page.lines.iter().filter(|line| !line.contains("95 times out of 100") && !line.contains("those at hand"))
    {
        let line = line.split("](charts/").next().unwrap();
        if let Some(digit) = line.chars().find(char::is_ascii_digit) {
            let other = if digit == '9' { '1' } else { (digit as u8 + 1) as char };
            wrong(line, &digit.to_string(), &other.to_string());
        }
    }
    let first = page.lines.iter().find(|line| line.starts_with("**Clicks for")).unwrap();
    wrong(first, "25-34", "35-44");
    wrong(first, "21 September", "22 September");
    wrong(first, "fell", "rose");
    let open = page.lines.iter().find(|line| line.contains("cannot be ruled out yet for")).unwrap();
    wrong(open, "18-24, ", "");
}

/// The client's log in which, from 21 September on, some of these customers' clicks never happened, or more of them did.
fn changed(lost: impl Fn(&Row, u64) -> bool, won: impl Fn(&Row, u64) -> bool) -> Log {
    let log = Log::edited(|mut row| {
        if row["recommended_at"].as_str() >= "2026-09-21" {
            let number: u64 = row["recommendation_id"][1..].parse().unwrap();
            if won(&row, number) && row["clicked"] != "1" {
                let at = row["recommended_at"].clone();
                row.insert("clicked".into(), "1".into());
                row.insert("clicked_at".into(), at);
            } else if lost(&row, number) {
                for (flag, time) in
                    [("clicked", "clicked_at"), ("purchased", "purchased_at"), ("returned", "returned_at")]
                {
                    row.insert(flag.into(), "0".into());
                    row.insert(time.into(), String::new());
                }
            }
        }
        Some(row)
    });
    log.quick()
}

/// Shops of every kind of outcome: no two things on a page contradict each other.
#[test]
fn pages_of_every_outcome_agree_with_their_table_of_verdicts() {
    let customers = committed("materials/customers.csv");
    let mut reader = csv::Reader::from_reader(customers.as_bytes());
    let ages: BTreeMap<String, String> = reader
        .deserialize()
        .map(Result::unwrap)
        .map(|row: Row| (row["customer_id"].clone(), row["age_group"].clone()))
        .collect();
    let is_of = |row: &Row, age: &str| ages.get(&row["customer_id"]).is_some_and(|own| own == age);
    let none = |_: &Row, _: u64| false;
    let logs = [
        ("the real alert taken back", changed(none, |row, number| is_of(row, "25-34") && number % 5 == 0)),
        (
            "a small change",
            changed(
                |row, number| is_of(row, "45-54") && number % 3 == 0,
                |row, number| is_of(row, "25-34") && number % 5 == 0,
            ),
        ),
        (
            "the whole shop fell",
            changed(|_, number| number % 5 < 2, |row, number| is_of(row, "25-34") && number % 5 == 0),
        ),
        ("the whole shop rose", changed(none, |_, number| number % 7 == 0)),
        ("two segments fell", changed(|row, number| is_of(row, "35-44") && number % 10 < 6, none)),
    ];
    for (what, log) in logs {
        log.run();
        holds(&log);
        let report = of_log(&log);
        let rows = &report.everyone("Clicks").unwrap().rows;
        let verdicts = |verdict: &str| rows.iter().filter(|row| row[7] == verdict).count();
        let clicks = report.figures().iter().filter(|cells| cells[0].starts_with("Clicks")).count();
        assert_eq!(verdicts("Changed") + verdicts("May have changed"), clicks, "{what}");
        let says = |words: &str| report.page.lines.iter().any(|line| line.contains(words));
        let quiet =
            ["No change in anybody's clicks stands out", "No segment's clicks stand out", "No change stands out"];
        for words in quiet {
            assert!(!says(words) || clicks == 0, "{what}: {words}");
        }
        // Who changed is not told as unchanged, and a change that may be chance is not set in bold.
        for cells in report.figures() {
            let clear = report.is_clear(cells);
            let loud = report.page.lines.iter().any(|line| line.starts_with(&format!("**{}", change(cells, true))));
            assert_eq!(loud, clear, "{what}: {cells:?}");
        }
        if verdicts("With the shop") > 0 {
            let shop = rows.iter().find(|row| row[0].contains("whole shop")).unwrap();
            assert!(["Changed", "May have changed"].contains(&&*shop[7]), "{what}: {shop:?}");
        }
    }
}
