//! What conditions say about time: `t.event_time < g.as_of` makes every row of `t` one from before the moment.

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::{Between, BinaryExpr, Expr, Operator};

use super::moment::{Before, Moment, Scan, Shift, before, seconds};
use super::state::{Facts, Lag, Rows, Taint, Value};
use super::{Analysis, Kind};
use crate::lint::rule::Rule;

impl Analysis<'_> {
    /// What holds for rows that meet `condition`, or, with `negated`, for those that do not.
    pub fn facts(&mut self, condition: &Expr, rows: &Rows, negated: bool) -> Facts {
        match condition {
            Expr::Alias(alias) => self.facts(&alias.expr, rows, negated),
            Expr::IsTrue(inner) => self.facts(inner, rows, negated),
            Expr::Not(inner) => self.facts(inner, rows, !negated),
            Expr::BinaryExpr(BinaryExpr { left, op, right }) => match (op, negated) {
                (Operator::And, false) | (Operator::Or, true) => self.facts_of_all(condition, rows, negated),
                (Operator::And, true) | (Operator::Or, false) => {
                    let other = self.facts(right, rows, negated);
                    self.facts(left, rows, negated).or(&other)
                }
                (op, _) => {
                    let op = if negated { op.negate() } else { Some(*op) };
                    op.map(|op| self.compare(left, op, right, rows, condition)).unwrap_or_default()
                }
            },
            Expr::Between(Between { expr, negated: false, low, high }) if !negated => {
                let low = self.compare(expr, Operator::GtEq, low, rows, condition);
                let high = self.compare(expr, Operator::LtEq, high, rows, condition);
                self.both(low, high)
            }
            _ => Facts::default(),
        }
    }

    /// The parts of a condition that must all hold: lookups by a whole key, and each part by itself.
    fn facts_of_all(&mut self, condition: &Expr, rows: &Rows, negated: bool) -> Facts {
        let mut parts = Vec::new();
        split(condition, negated, &mut parts);
        let mut facts = self.lookups(&parts, rows);
        // Not after and not the same is before.
        let apart = |one: &Expr, other: &Expr| {
            parts.iter().any(|(part, negated)| {
                let unequal = if *negated { Operator::Eq } else { Operator::NotEq };
                matches!(part, Expr::BinaryExpr(BinaryExpr { left, op, right })
                    if *op == unequal && [(left.as_ref(), right.as_ref()), (right, left)].contains(&(one, other)))
            })
        };
        for (part, negated) in &parts {
            let other = match part {
                Expr::BinaryExpr(BinaryExpr { left, op: Operator::LtEq, right }) if !negated && apart(left, right) => {
                    self.compare(left, Operator::Lt, right, rows, part)
                }
                Expr::BinaryExpr(BinaryExpr { left, op: Operator::GtEq, right }) if !negated && apart(left, right) => {
                    self.compare(left, Operator::Gt, right, rows, part)
                }
                part => self.facts(part, rows, *negated),
            };
            facts = self.both(facts, other);
        }
        facts
    }

    /// What a join's or filter's whole condition says.
    pub fn holds(&mut self, condition: &Expr, rows: &Rows) -> Facts {
        self.place(condition, rows);
        let named = self.lookups(&[(condition, false)], rows);
        let facts = self.facts(condition, rows, false);
        self.both(named, facts)
    }

    /// Of several readings of one table, the one that a condition speaks of stands before it.
    fn place(&mut self, condition: &Expr, rows: &Rows) {
        for column in condition.column_refs() {
            let Some((scan, _)) = rows.value(column).and_then(|value| value.column) else { continue };
            let Some(line) = self.words.line_of_expr(&Expr::Column(column.clone())) else { continue };
            let (words, Some(reading)) = (self.words, self.scans.get_mut(scan)) else { continue };
            if !std::mem::replace(&mut reading.placed, true) {
                reading.line =
                    words.line_of_table(&reading.shown, reading.alias.as_deref(), Some(line)).or(reading.line);
            }
        }
    }

    /// A row that is named by its whole key counts as whatever named it.
    fn lookups(&mut self, parts: &[(&Expr, bool)], rows: &Rows) -> Facts {
        let mut named: Vec<(usize, String, Taint)> = Vec::new();
        for (part, negated) in parts {
            let (Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }), false) = (part, negated) else {
                continue;
            };
            let (left, right) = (self.value(left, rows), self.value(right, rows));
            for (one, other) in [(&left, &right), (&right, &left)] {
                if let Some((scan, column)) = &one.column
                    && !other.taint.contains(scan)
                {
                    named.push((*scan, column.clone(), other.taint.clone()));
                }
            }
        }
        let mut facts = Facts::default();
        for (scan, table) in self.scans.iter().enumerate().filter(|(scan, _)| Some(*scan) != self.root) {
            let of = |key: &String| {
                let named = named.iter().filter(|(of, column, _)| *of == scan && column == key);
                named.map(|(_, _, taint)| taint).min_by_key(|taint| taint.len())
            };
            let by: Option<Vec<&Taint>> = table.key.iter().map(of).collect();
            let by: Taint = by.unwrap_or_default().into_iter().flatten().copied().collect();
            // Of two that name each other, one follows and the other stays.
            let mutual = by.iter().any(|by| facts.by.get(by).is_some_and(|back| back.contains(&scan)));
            if !table.key.is_empty()
                && named.iter().any(|(of, ..)| *of == scan)
                && !mutual
                && covered(&named, scan, &table.key)
            {
                facts.by.insert(scan, by);
                facts.named.insert(scan);
            }
        }
        facts
    }

    /// What holds when both hold; a bound by a moment is worth more than one by another row.
    fn both(&self, mut one: Facts, other: Facts) -> Facts {
        let by_moment = |by: &Taint| by.iter().all(|scan| self.scans[*scan].kind == Kind::Grain);
        for (scan, by) in other.by {
            match one.by.get(&scan) {
                Some(known) if by_moment(known) || !by_moment(&by) => {}
                _ => drop(one.by.insert(scan, by)),
            }
        }
        one.lags.extend(other.lags);
        one.named.extend(other.named);
        one
    }

    fn compare(&mut self, left: &Expr, op: Operator, right: &Expr, rows: &Rows, whole: &Expr) -> Facts {
        // as_of - time > 0 says what time < as_of says.
        if let (Some((late, early)), Some(by)) = (difference(left), seconds(right)) {
            let op = match op {
                Operator::Gt | Operator::GtEq if by > 0.0 => Operator::Gt,
                Operator::Lt | Operator::LtEq if by < 0.0 => Operator::Lt,
                Operator::Gt | Operator::GtEq | Operator::Lt | Operator::LtEq if by == 0.0 => op,
                _ => return Facts::default(),
            };
            return self.compare(late, op, early, rows, whole);
        }
        if seconds(left).is_some() && difference(right).is_some() {
            return op.swap().map(|op| self.compare(right, op, left, rows, whole)).unwrap_or_default();
        }
        let (left, right) = (self.value(left, rows), self.value(right, rows));
        match op {
            Operator::Lt | Operator::LtEq => self.bound(&left, &right, op == Operator::Lt, rows, whole),
            Operator::Gt | Operator::GtEq => self.bound(&right, &left, op == Operator::Gt, rows, whole),
            Operator::Eq => self.same(&left, &right, rows, whole),
            _ => Facts::default(),
        }
    }

    /// `early < late`.
    fn bound(&mut self, early: &Value, late: &Value, strict: bool, rows: &Rows, whole: &Expr) -> Facts {
        let (Some(e), Some(l)) = (early.moment, late.moment) else { return Facts::default() };
        let (from, to) = (self.scans[e.scan].kind, self.scans[l.scan].kind);
        if from == Kind::Grain && to != Kind::Grain {
            self.late(l.scan, whole, false);
        }
        // Nothing that is bound to happen later bounds the moment.
        if e.scan == l.scan || Some(e.scan) == self.root || from == Kind::Grain && to != Kind::Grain {
            return Facts::default();
        }
        match before(e.shift, l.shift, strict) {
            Before::Strictly => {}
            Before::OrAtOnce if to != Kind::Grain => {}
            Before::OrAtOnce => self.not_strict(e, whole),
            Before::Within(seconds) if to != Kind::Grain => {
                let lag = Lag { of: e.scan, after: l.scan, seconds };
                return Facts { lags: vec![lag], ..Facts::default() };
            }
            Before::Within(_) | Before::Unknown => {
                self.late(e.scan, whole, true);
                return Facts::default();
            }
        }
        self.with_lags(e, l, strict, late, rows, whole)
    }

    /// Notes a condition that does not keep a reading before the moment.
    fn late(&mut self, scan: Scan, whole: &Expr, upper: bool) {
        let why = if upper { "is bounded by what may lie after the moment" } else { "has a lower bound only" };
        let line = self.words.line_of_expr(whole);
        if let Some(reading) = self.scans.get_mut(scan) {
            // An upper bound that is too late says more than a lower one.
            if upper || reading.late.is_none() {
                reading.late = Some((line, why));
            }
        }
    }

    /// The bound of a reading, and of those whose times lie at most so much later than its own.
    fn with_lags(&mut self, e: Moment, l: Moment, strict: bool, late: &Value, rows: &Rows, whole: &Expr) -> Facts {
        let mut facts = Facts::of(e.scan, &late.taint);
        for lag in rows.lags.iter().filter(|lag| lag.after == e.scan && late.taint.iter().all(|by| *by != lag.of)) {
            match before(e.seen_after(lag.seconds).shift, l.shift, strict) {
                Before::Strictly => {}
                Before::OrAtOnce => self.not_strict(Moment { scan: lag.of, ..e }, whole),
                Before::Within(_) | Before::Unknown => continue,
            }
            facts.by.insert(lag.of, late.taint.clone());
        }
        facts
    }

    /// `one = other`.
    fn same(&mut self, one: &Value, other: &Value, rows: &Rows, whole: &Expr) -> Facts {
        let (Some(a), Some(b)) = (one.moment, other.moment) else { return Facts::default() };
        if a.scan == b.scan {
            return Facts::default();
        }
        let (kind_a, kind_b) = (self.scans[a.scan].kind, self.scans[b.scan].kind);
        let aligned = a.shift == b.shift;
        match (kind_a, kind_b) {
            // The same moment, or the same day: one and the same row of the grain, or one that stands for it.
            (Kind::Grain, Kind::Grain) if aligned => match Some(a.scan) == self.root {
                true => Facts::of(b.scan, &one.taint),
                false if Some(b.scan) == self.root || !one.taint.contains(&a.scan) => Facts::of(a.scan, &other.taint),
                // Which of both is the moment is decided later; the second follows the first.
                false => Facts::of(b.scan, &one.taint),
            },
            (Kind::Grain, Kind::Grain) => Facts::default(),
            (Kind::Grain, _) => self.at(b, a, one, rows, whole),
            (_, Kind::Grain) => self.at(a, b, other, rows, whole),
            // A time that is another's: whichever is bounded bounds both.
            _ if aligned && !one.taint.contains(&a.scan) => Facts::of(b.scan, &one.taint),
            _ if aligned => Facts::of(a.scan, &other.taint),
            _ => Facts::default(),
        }
    }

    /// A source's time that equals a moment's, or a time before it.
    fn at(&mut self, source: Moment, moment: Moment, by: &Value, rows: &Rows, whole: &Expr) -> Facts {
        match before(source.shift, moment.shift, false) {
            Before::Strictly => {}
            Before::OrAtOnce => self.not_strict(source, whole),
            Before::Within(_) | Before::Unknown => return Facts::default(),
        }
        self.with_lags(source, moment, false, by, rows, whole)
    }

    fn not_strict(&mut self, early: Moment, whole: &Expr) {
        let table = self.scans[early.scan].shown.clone();
        let what = match early.shift {
            Shift::Start { .. } => {
                format!("days of {table} are held against the moment, and its own day is among them")
            }
            _ => format!("the time of {table} may be the moment itself"),
        };
        self.find(Rule::TimeBoundNotStrict, Some(whole), Some(early.scan), what);
    }

    /// Everything that the columns of an expression depend on.
    pub fn taint(&mut self, expr: &Expr, rows: &Rows) -> Taint {
        let mut taint = Taint::new();
        let mut subqueries = Vec::new();
        let _ = expr.apply(|part| {
            match part {
                Expr::Column(column) => taint.extend(rows.value(column).into_iter().flat_map(|value| value.taint)),
                Expr::OuterReferenceColumn(_, column) => {
                    taint.extend(self.outer(column).into_iter().flat_map(|value| value.taint))
                }
                Expr::Exists(exists) => subqueries.push(exists.subquery.clone()),
                Expr::InSubquery(inside) => subqueries.push(inside.subquery.clone()),
                Expr::SetComparison(set) => subqueries.push(set.subquery.clone()),
                Expr::ScalarSubquery(subquery) => subqueries.push(subquery.clone()),
                _ => {}
            }
            Ok(TreeNodeRecursion::Continue)
        });
        for subquery in subqueries {
            taint.extend(self.subquery(&subquery, rows).taint);
        }
        taint
    }
}

/// Whether every column of the key is named.
fn covered(named: &[(usize, String, Taint)], scan: usize, key: &[String]) -> bool {
    key.iter().all(|key| named.iter().any(|(of, column, _)| *of == scan && column == key))
}

/// The parts of a condition that must all hold, each with whether it is negated.
fn split<'a>(condition: &'a Expr, negated: bool, parts: &mut Vec<(&'a Expr, bool)>) {
    match condition {
        Expr::Alias(alias) => split(&alias.expr, negated, parts),
        Expr::Not(inner) => split(inner, !negated, parts),
        Expr::BinaryExpr(BinaryExpr { left, op, right })
            if (*op, negated) == (Operator::And, false) || (*op, negated) == (Operator::Or, true) =>
        {
            split(left, negated, parts);
            split(right, negated, parts);
        }
        other => parts.push((other, negated)),
    }
}

/// `a - b`, also as a part of days.
fn difference(expr: &Expr) -> Option<(&Expr, &Expr)> {
    match expr {
        Expr::Alias(alias) => difference(&alias.expr),
        Expr::Cast(cast) => difference(&cast.expr),
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Minus, right }) if seconds(right).is_none() => {
            Some((left, right))
        }
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Divide, right })
            if seconds(right).is_some_and(|by| by > 0.0) =>
        {
            difference(left)
        }
        _ => None,
    }
}
