//! The `WITH` queries of a file, each as a query of its own or as a table that is there.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use sqlparser::ast::{Cte, Ident, ObjectName, ObjectNamePart, TableAlias, TableFactor, VisitMut, VisitorMut};

use super::{SqlFile, TableName, tables};

impl SqlFile {
    /// One of its `WITH` queries, with those that it reads, as a query of its own; none where there is none of that name.
    pub fn part(&self, name: &str) -> Option<Self> {
        let mut with = self.query.with.clone()?;
        let place = with.cte_tables.iter().position(|part| is_called(part, name))?;
        let part = with.cte_tables.remove(place);
        with.cte_tables.truncate(place);
        let bare = |part: &Cte| tables(&part.query).into_keys().filter(|table| table.schema.is_none());
        let mut wanted: BTreeSet<TableName> = bare(&part).collect();
        let is_wanted =
            |part: &Cte, wanted: &BTreeSet<TableName>| wanted.iter().any(|table| is_called(part, &table.name));
        // Each stands after those that it reads.
        for before in with.cte_tables.iter().rev() {
            if is_wanted(before, &wanted) {
                wanted.extend(bare(before));
            }
        }
        with.cte_tables.retain(|before| is_wanted(before, &wanted));
        let mut query = part.query;
        if !with.cte_tables.is_empty() {
            if let Some(own) = query.with.take() {
                with.cte_tables.extend(own.cte_tables);
            }
            query.with = Some(with);
        }
        Some(self.clone().within(|_| query))
    }

    /// The same file where one of its `WITH` queries is a table that is there.
    pub fn reading(self, name: &str, table: &TableName) -> Self {
        let parts = table.schema.iter().chain([&table.name]).map(Ident::new);
        let mut renamed = Renamed { from: name, to: ObjectName::from(parts.collect::<Vec<_>>()) };
        self.within(|mut query| {
            if let Some(with) = &mut query.with {
                with.cte_tables.retain(|part| !is_called(part, name));
                if with.cte_tables.is_empty() {
                    query.with = None;
                }
            }
            let _: ControlFlow<()> = query.visit(&mut renamed);
            query
        })
    }
}

fn is_called(part: &Cte, name: &str) -> bool {
    part.alias.name.value.eq_ignore_ascii_case(name)
}

/// Puts a table in the place of a name, which stays what the query calls it.
struct Renamed<'a> {
    from: &'a str,
    to: ObjectName,
}

impl VisitorMut for Renamed<'_> {
    type Break = ();

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<()> {
        if let TableFactor::Table { name, alias, .. } = factor
            && matches!(name.0.as_slice(), [ObjectNamePart::Identifier(name)] if name.value.eq_ignore_ascii_case(self.from))
        {
            let own = Ident::new(self.from);
            alias.get_or_insert(TableAlias { explicit: false, name: own, columns: Vec::new(), at: None });
            name.clone_from(&self.to);
        }
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::sql::Layer;

    #[test]
    fn a_part_stands_alone_or_is_read_from_a_table() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sql/features/customer_affinity.sql");
        let whole = SqlFile::load(&path, "customer_affinity.sql".into(), Layer::FEATURES).unwrap();
        let reads = |file: &SqlFile| file.reads.iter().map(ToString::to_string).collect::<Vec<_>>();
        let part = whole.part("daily").unwrap();
        assert_eq!(reads(&part), ["sources.customers", "sources.products", "sources.transactions"]);
        assert!(whole.part("nothing").is_none());
        let stored = whole.clone().reading("daily", &TableName::new("everybody", "of_days"));
        let mut expected = reads(&whole);
        expected.insert(0, "everybody.of_days".into());
        assert_eq!(reads(&stored), expected);
    }
}
