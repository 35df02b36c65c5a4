//! Every sentence of the dashboard that holds a figure, a name or a day: its words, with named cells.  What stands in a cell
//! is made elsewhere, from the tables beside it; whoever changes the words changes them here, and nowhere else.

use std::fmt;

/// Sentences as structs: the fields are the cells, the text is what `to_string` fills them into.
macro_rules! sentences {
    ($($(#[$about:meta])* $name:ident { $($cell:ident),+ } $words:literal)+) => {$(
        $(#[$about])*
        pub struct $name<'a> {
            $(pub $cell: &'a str,)+
        }

        impl fmt::Display for $name<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let Self { $($cell),+ } = self;
                write!(f, $words)
            }
        }
    )+};
}

// What was looked at.
sentences! {
    /// The first line: "5,000 recommendations were looked at, …".
    Scope { recommendations_were, until, compared }
        "{recommendations_were} looked at, up to {until} on the shop's clock. {compared}"

    /// The days since against those before.
    Compared { since, are, before } "{since} {are} compared with {before}."

    /// Days of a span, "The days" or "those".
    Days { the, first, last } "{the} from {first} to {last}"

    /// There is one day.
    OnlyDay { day } "There is only {day}: nothing to compare it with yet."

    /// There are no days since.
    OnlyDays { first, last } "There are only the days from {first} to {last}: nothing to compare them with yet."

    /// The days of the monitor's log do not go back far enough.
    NoEarlierSeason { first }
        "The log begins on {first}, so there is no earlier season and no year before to compare with."
}

// Days that are not there in whole.
sentences! {
    /// One day.
    OnDay { day } "on {day}"

    /// Several.
    OnDays { first, last } "from {first} to {last}"

    /// Nothing came.
    NoDays { noun, days, usual } "There are no {noun} {days}; {usual} would have been usual."

    /// Nothing came any more.
    NoMore { noun, since, usual, until }
        "There are no {noun} any more since {since}; {usual} would have been usual until {until}."

    /// Much less came.
    FewDays { came, noun, days, usual } "There are only {came} {noun} {days}, where {usual} are usual."

    /// Rows are there twice.
    CountedTwice { came, noun, days, twins }
        "Of {came} {noun} {days}, {twins} are there a second time under another number: they are counted twice."

    /// Twice as much came.
    TwiceAsMany { came, noun, days, usual }
        "There are {came} {noun} {days}, where {usual} are usual: was the day counted twice?"
}

// What changed.
sentences! {
    /// "Clicks for customers of … fell from 28 to 12 in 100 shown (16 fewer clicks in 100) since …".
    Change { what, whom, moved, before, after, step, span }
        "{what} {whom} {moved} from {before} to {after} in 100 shown ({step} in 100) {span}."

    /// The same without figures, as a title.
    ChangeInShort { what, moved, whom } "{what} {moved} {whom}"

    /// One of several changed, and it cannot be told yet which.
    ChangeOfOneOf { what, changed, whom } "{what} {changed}, either {whom}."

    /// The same without figures, as a title.
    ChangeOfOneOfInShort { what, changed, whom } "{what} {changed}, either {whom}"

    /// The figures of a change in brackets.
    FromTo { before, after, span } "{before} to {after} in 100 shown {span}"

    /// What stands below the heading: a change and how sure it is.
    Told { change, how_sure } "{change} {how_sure} The figures are final."

    /// Of how many the change is told.
    ToWhom { who, recommendations, when, did, what } "{who}: {recommendations} shown {when}, {did} of them led to {what}."

    /// What would have come without the change.
    Expected { expected, had_they, came } "{expected} would have been expected {had_they}; there were {came}."

    /// How many reports raise a false alarm.
    FalseAlarms { reports } "At most one report in {reports} raises a false alarm"

    /// An alert as it was first told.
    FirstTold { opened, then, now } "First told on {opened}: {then} in 100 then, {now} now."

    /// A change that shows whatever the answer.
    Everywhere { moved, questions } "It {moved} whatever the {questions}."

    /// A change that shows but for some answers.
    EverywhereBut { question, moved, not } "By {question}, it {moved} everywhere but for {not}."

    /// Where to look, of the whole shop.
    LookAtEveryone { since } "So look first at what reached everyone from {since} on: pages, apps, mails and prices."

    /// Where to look, of a segment.
    LookAt { who, since }
        "So look first at what reached {who} alone from {since} on: their pages, apps, mails and prices."

    /// When it is known whether it is chance, or which of them it is.
    KnownOnIfItGoesOn { what, day } "{what}: on {day}, if it goes on as it has."

    /// When something can be said.
    KnownOn { what, who, day } "{what} of {who}: on {day}."
}

// What did not change.
sentences! {
    /// The whole shop's clicks.
    ShopUnchanged { before, since } "Clicks in the whole shop: {before} in 100 before, {since} since."

    /// Segments of which a change is ruled out.
    Unchanged { names } "Unchanged for {names}."

    /// What is ruled out.
    RuledOut { change } "A change by {change} or more can be ruled out."

    /// Segments that moved with the shop.
    WithShop { names } "They moved as the whole shop did: {names}."

    /// How far the whole shop may have moved.
    ShopPossible { range } "The whole shop: {range}."

    /// Segments of which a change is not ruled out.
    NotRuledOut { change, names } "A change by {change} cannot be ruled out yet for {names}."

    /// Segments with too little.
    TooEarly { names } "Too early to say for {names}."
}

// Pictures.
sentences! {
    /// All segments in one picture.
    NothingElse { changes } "{changes}; no other change stands out."

    /// A change with its figures, "Changed" or "May have changed".
    Side { changed, figures } "{changed}: {figures}"

    /// The same where it is one of several.
    SideOfOneOf { changed, figures } "{changed}: either {figures}"

    /// Purchases where nothing is forecast.
    Purchases { known } "{known} in 100 recommendations led to a purchase."

    /// Purchases and their forecast.
    PurchasesForecast { known, forecast, lower, upper, alike }
        "{known} in 100 recommendations led to a purchase; of the newer ones, {forecast} in 100 probably will ({lower} to {upper}){alike}."

    /// Until when all is known.
    KnownUntil { day } "All purchases are known until {day}"

    /// How much is open.
    StillOpen { known, open, shown } "{known}; {open} of {shown} outcomes are still open."

    /// What made up the difference of a total.
    TotalStep { what, segment, own, others }
        "{what} in the whole shop: {segment} {own} in 100, the other groups {others}."

    /// The same where no segment changed.
    TotalOfNobody { what, before, since }
        "{what} in the whole shop: {before} in 100 before, {since} since; no group's part in it stands out."
}

/// Behind a forecast whose range holds what is known.
pub const NO_CHANGE: &str = ", which need not be a change";

// Totals, fairness, history.
sentences! {
    /// Why a total moved.
    Total { what, before, since, by, mix, rate }
        "{what} in the whole shop: {before} in 100 before, {since} since. By {by}, who was shown accounts for {mix} of the difference, what they did for {rate}."

    /// A group and what it gets for every 100 of the rest.
    Gap { who, ratio } "{who} ({ratio} for every 100 of the rest)"

    /// Groups that are to be watched.
    GapWatched { what, who } "No confirmed gap in {what}; to be watched: {who}."

    /// Groups with a gap.
    GapConfirmed { what, who } "A confirmed gap in {what}: {who}."

    /// The line of a gap.
    GapLine { line } "Watched: below {line} for every 100 of the rest; a gap is confirmed when the whole range is."

    /// The reports of the history.
    Reports { days } "Reports looked at: {days}."

    /// The week whose figure moved furthest since it was first told.
    FirstFigure { week, then, now }
        "Purchases of the week from {week} were first told as {then} in 100 and are now at {now}; no other week moved further."

    /// What a range of rates holds.
    RateBetween { what } "\"Between\" holds the true {what} 95 times out of 100."

    /// What a forecast is.
    Forecasts { since }
        "What the open outcomes of the days since {since} will come to, if customers go on deciding as they have. \"Between\" holds 90 of 100 such forecasts."
}

// What was shown, what the model sees, collections.
sentences! {
    /// The spans that are compared.
    ShownSpans { since, before } "The articles shown from {since}, against those shown from {before}."

    /// A share of what is shown moved.
    ShareMoved { step, value, than, after, before }
        "Of 100 shown, {step} are {value} than {than}: {after} instead of {before}."

    /// A mean of what is shown moved.
    MeanMoved { step, than, after, before, unit }
        "The articles shown are {step} than {than}: {after} instead of {before} {unit}."

    /// The catalogue stayed.
    OnSaleAsBefore { figure, unit, choice } "Those on sale are as before ({figure} {unit}): {choice}."

    /// The catalogue moved.
    OnSaleMoved { before, after, unit, choice } "Those on sale went from {before} to {after} {unit}: {choice}."

    /// The catalogue's share moved, and what is shown did not follow.
    ShareLeftBehind { after, value, before, shown }
        "Of 100 articles on sale, {after} are {value} instead of {before}; of 100 shown, {shown}: the choice did not follow."

    /// The catalogue's mean moved, and what is shown did not follow.
    MeanLeftBehind { before, after, unit, shown }
        "The articles on sale went from {before} to {after} {unit}, those shown are at {shown}: the choice did not follow."

    /// A mean before and since.
    MeanFigures { what, before, unit, than, after } "{what}: {before} {unit} {than}, {after} since."

    /// What would have been noticed.
    NoticedFrom { step } "No change; {step} would have been noticed."

    /// A mean of which too little is known.
    MeanTooEarly { what, missing } "{what}: too early to say. {missing}"

    /// Values of which too little is known, and the one of which the least is missing.
    ValuesTooEarly { early, all, nearest, missing }
        "Too early to say for {early} of {all}, shown too seldom. The nearest, {nearest}: {missing}"

    /// Differences that are not told in words.
    MoreDifferences { more } "{more} more differences stand in the table."

    /// The looks that are compared.
    LooksCompared { latest, learned } "Customers' latest looks ({latest}) against those the model learned from ({learned})."

    /// A feature that moved.
    FeatureMoved { what, whom, step, latest, learned } "{what} ({whom}): {step}, {latest} instead of {learned}."

    /// A collection that came between the days before and those since.
    CollectionBetween { name, day }
        "Collection {name} came into the shop on {day}, in the middle of the days compared: before and since are not the same articles."

    /// A collection of which enough is known.
    CollectionConfirmed { name, rate } "Collection {name}: {rate} of 100 looks led to a purchase. Confirmed."

    /// A collection of which something is known.
    CollectionEarly { name, rate, looks, needed }
        "Collection {name}: {rate} of 100 looks led to a purchase. Too early: {looks} of {needed} needed."

    /// A collection of which nothing is known but the one before.
    CollectionNew { name } "Collection {name}: nothing is known yet but what the last one did."

    /// A collection without anything.
    CollectionWithout { name } "Collection {name}: no data yet."

    /// The collection before, at its own age or at the same one.
    CollectionBefore { name, rate, looks } "{name} had {rate} ({looks})."

    /// The collection before at the same age.
    CollectionBeforeAtAge { name, rate, looks } "{name} had {rate} at the same age ({looks})."

    /// When more can be said.
    MoreOn { day } "More can be said on {day}."

    /// Up to when events are needed.
    MoreWithEvents { day, until } "More can be said with events up to {day}; those at hand end on {until}."
}
