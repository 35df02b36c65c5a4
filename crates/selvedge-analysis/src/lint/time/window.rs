//! Windows: rows beside a row, which may lie after it.

use std::sync::Arc;

use datafusion::common::ScalarValue;
use datafusion::logical_expr::expr::{Sort, WindowFunction};
use datafusion::logical_expr::{DistinctOn, Expr, Window, WindowFrameBound, WindowFrameUnits};

use super::aggregate::short;
use super::moment::{Scan, Shift};
use super::state::{Rows, Taint, Value};
use super::ties::DISTINCT_ON;
use super::{Analysis, Kind};
use crate::lint::rule::Rule;

/// How far a window goes from its row, in the order it is written in.
#[derive(Clone, Copy, PartialEq)]
enum Reach {
    /// Rows before, the row's peers left out.
    Behind,
    /// As [`Reach::Behind`], counted in rows: a peer may be among them.
    BehindByRows,
    /// Up to the row and its peers.
    UpToPeers,
    Beyond,
    /// Rows behind it and before it alike.
    All,
}

impl Analysis<'_> {
    pub fn window(&mut self, window: &Window) -> Rows {
        let mut rows = self.rows(&window.input);
        let values: Vec<Value> = window.window_expr.iter().map(|expr| self.over(expr, &rows)).collect();
        rows.columns.extend(values);
        rows.schema = Arc::clone(&window.schema);
        rows
    }

    fn over(&mut self, expr: &Expr, rows: &Rows) -> Value {
        let function = match expr {
            Expr::Alias(alias) => return self.over(&alias.expr, rows),
            Expr::WindowFunction(function) => function,
            other => return self.value(other, rows),
        };
        let params = &function.params;
        let exprs = params.args.iter().chain(&params.partition_by).chain(params.filter.as_deref());
        let exprs = exprs.chain(params.order_by.iter().map(|sort| &sort.expr));
        let mut taint: Taint = exprs.flat_map(|expr| self.value(expr, rows).taint).collect();
        taint.extend(rows.count());
        if let Some(filter) = &params.filter {
            self.holds(filter, rows).apply(&mut taint);
        }
        let partition: Vec<&Expr> = params.partition_by.iter().collect();
        self.ties(function.fun.name(), expr, &params.args, &partition, &params.order_by, rows);
        let moment = params.args.first().and_then(|arg| self.value(arg, rows).moment);
        let open = self.beyond_own_row(&taint, &params.partition_by, rows);
        for scan in open {
            let reach = self.reach(function, scan, rows);
            if self.refuse(expr, scan, reach) {
                taint.remove(&scan);
            }
        }
        Value { taint, moment, column: None }
    }

    /// The readings of which a partition holds rows of several moments.
    fn beyond_own_row(&mut self, taint: &Taint, partition: &[Expr], rows: &Rows) -> Vec<Scan> {
        let own: Vec<Scan> =
            partition.iter().filter_map(|expr| self.value(expr, rows).moment).map(|moment| moment.scan).collect();
        let around = self.around();
        taint.iter().copied().filter(|scan| !rows.is_near(*scan, &own) && !around.contains(scan)).collect()
    }

    /// How far a window function goes in the time of one reading.
    fn reach(&mut self, function: &WindowFunction, scan: Scan, rows: &Rows) -> Reach {
        let params = &function.params;
        let Some(ascending) = self.ascending(&params.order_by, scan, rows) else { return Reach::All };
        let partition: Vec<&Expr> =
            params.partition_by.iter().chain(params.order_by.iter().map(|sort| &sort.expr)).collect();
        let one_row_each = self.is_key(scan, &partition, rows);
        let by_rows = if one_row_each { Reach::Behind } else { Reach::BehindByRows };
        let frame = &params.window_frame;
        let end = |bound: &WindowFrameBound| match (bound, frame.units) {
            (WindowFrameBound::Preceding(by), _) if is_zero(by) => Reach::UpToPeers,
            (WindowFrameBound::Preceding(_), WindowFrameUnits::Rows) => by_rows,
            (WindowFrameBound::Preceding(_), _) => Reach::Behind,
            (WindowFrameBound::CurrentRow, _) => Reach::UpToPeers,
            (WindowFrameBound::Following(by), _) if is_zero(by) => Reach::UpToPeers,
            (WindowFrameBound::Following(_), _) => Reach::Beyond,
        };
        match (function.fun.name(), ascending) {
            ("lag", true) | ("lead", false) => by_rows,
            ("lag", false) | ("lead", true) => Reach::Beyond,
            // A row's number counts the rows before it; it holds nothing of them.
            ("row_number" | "rank" | "dense_rank", true) => by_rows,
            ("row_number" | "rank" | "dense_rank", false) => Reach::Beyond,
            ("ntile" | "percent_rank" | "cume_dist", _) => Reach::All,
            (_, true) => end(&frame.end_bound),
            // Backwards in time, what precedes comes later.
            (_, false) => match &frame.start_bound {
                WindowFrameBound::Following(by) if !is_zero(by) => by_rows,
                WindowFrameBound::CurrentRow => Reach::UpToPeers,
                _ => Reach::Beyond,
            },
        }
    }

    /// Whether rows are ordered by the reading's time, and upwards; nothing where they are ordered by something else.
    fn ascending(&mut self, order: &[Sort], scan: Scan, rows: &Rows) -> Option<bool> {
        let first = order.first()?;
        let moment = self.value(&first.expr, rows).moment?;
        let others = rows.columns.iter().filter_map(|value| value.moment).filter(|other| other.scan == scan);
        // Whole days are as good an order as moments where nothing finer is left to bound the rows by.
        let finest = moment.shift == Shift::EXACT
            || matches!(moment.shift, Shift::Start { back: 0, .. }) && others.into_iter().all(|other| other == moment);
        (moment.scan == scan && finest).then_some(first.asc)
    }

    /// Whether the columns name one row of the reading.
    fn is_key(&mut self, scan: Scan, exprs: &[&Expr], rows: &Rows) -> bool {
        let named: Vec<String> = exprs
            .iter()
            .filter_map(|expr| self.value(expr, rows).column)
            .filter(|(of, _)| *of == scan)
            .map(|(_, name)| name)
            .collect();
        let key = self.scans.get(scan).map(|reading| reading.key.clone()).unwrap_or_default();
        // Unique by more than the moment: then several rows may be of one moment.
        let other_order = named.len() > key.len();
        !key.is_empty() && !other_order && key.iter().all(|column| named.contains(column))
    }

    /// Refuses a window that goes too far; says whether it did.
    fn refuse(&mut self, expr: &Expr, scan: Scan, reach: Reach) -> bool {
        let Some(reading) = self.scans.get(scan) else { return false };
        let (name, shown, grain) = (short(expr), reading.shown.clone(), reading.kind == Kind::Grain);
        match reach {
            Reach::Behind => return false,
            // A source's rows of the same moment are bounded with it.
            Reach::BehindByRows | Reach::UpToPeers if !grain => return false,
            Reach::BehindByRows | Reach::UpToPeers => {
                let what = format!("{name} takes rows of {shown} of the same moment");
                self.find(Rule::FrameTouchesPeers, Some(expr), Some(scan), what);
            }
            Reach::Beyond => {
                let what = format!("{name} takes later rows of {shown}");
                self.find(Rule::WindowLooksAhead, Some(expr), Some(scan), what);
            }
            Reach::All => self.over_all(scan, expr, false),
        }
        true
    }

    pub fn distinct_on(&mut self, on: &DistinctOn) -> Rows {
        let rows = self.rows(&on.input);
        let mut columns: Vec<Value> = on.select_expr.iter().map(|expr| self.value(expr, &rows)).collect();
        let taint: Taint = columns.iter().flat_map(|value| &value.taint).copied().chain(rows.count()).collect();
        let order: Vec<Sort> = on.sort_expr.clone().unwrap_or_default().into_iter().skip(on.on_expr.len()).collect();
        let keys: Vec<&Expr> = on.on_expr.iter().collect();
        if let Some(first) = on.select_expr.first() {
            self.ties(DISTINCT_ON, first, &on.select_expr, &keys, &order, &rows);
        }
        for scan in self.beyond_own_row(&taint, &on.on_expr, &rows) {
            let first_in_time = self.ascending(&order, scan, &rows);
            let shown = self.scans.get(scan).map(|reading| reading.shown.clone()).unwrap_or_default();
            match first_in_time {
                // The first there ever was stays the first.
                Some(true) => continue,
                _ => {
                    let what = format!("DISTINCT ON takes the last row of {shown}");
                    self.find(Rule::WindowLooksAhead, on.select_expr.first(), Some(scan), what);
                }
            }
            for value in &mut columns {
                value.taint.remove(&scan);
            }
        }
        Rows {
            schema: Arc::clone(&on.schema),
            columns,
            exist: rows.exist,
            often: Taint::new(),
            lags: Vec::new(),
            single: Taint::new(),
        }
    }
}

fn is_zero(value: &ScalarValue) -> bool {
    !value.is_null() && ScalarValue::new_zero(&value.data_type()).is_ok_and(|zero| *value == zero)
}
