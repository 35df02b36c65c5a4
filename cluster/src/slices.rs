//! What comes out the same when slices of it run each by itself, on any machine.
//!
//! Ballista gives each task some partitions of a stage, and all of what an operator wants in one part.  A list of what is
//! known to bear that, and not of what is known not to: what is new is then answered on one machine, and not wrongly.

use std::path::PathBuf;
use std::sync::Arc;

use datafusion::common::JoinType;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::datasource::physical_plan::FileScanConfig;
use datafusion::datasource::source::DataSourceExec;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::physical_plan::aggregates::AggregateExec;
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::joins::{
    CrossJoinExec, HashJoinExec, NestedLoopJoinExec, PartitionMode, SortMergeJoinExec,
};
use datafusion::physical_plan::limit::{GlobalLimitExec, LocalLimitExec};
use datafusion::physical_plan::placeholder_row::PlaceholderRowExec;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::sorts::sort_preserving_merge::SortPreservingMergeExec;
use datafusion::physical_plan::union::UnionExec;
use datafusion::physical_plan::unnest::UnnestExec;
use datafusion::physical_plan::windows::{BoundedWindowAggExec, WindowAggExec};
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};
use lookup_join::LookupJoinExec;
use object_store::path::Path as ObjectPath;
use point_in_time::{PointInTimeExec, RangeJoinExec};

use crate::storage::Location;

/// What plans may read.
#[derive(Debug, Clone, Default)]
pub struct Readable {
    pub folders: Vec<PathBuf>,
    pub storages: Vec<Location>,
}

/// What of a plan cannot be answered in slices, or reads a file outside of what is `readable`; none where all of it can.
pub fn obstacle(plan: &Arc<dyn ExecutionPlan>, readable: &Readable) -> Option<String> {
    let mut found = None;
    let walked = plan.apply(|node| {
        found = of_node(node, readable);
        Ok(if found.is_some() { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    });
    walked.err().map(|error| error.to_string()).or(found)
}

fn of_node(node: &Arc<dyn ExecutionPlan>, readable: &Readable) -> Option<String> {
    if let Some(scan) = node.downcast_ref::<DataSourceExec>() {
        return of_scan(scan, readable);
    }
    if let Some(join) = node.downcast_ref::<HashJoinExec>() {
        let collects = *join.partition_mode() == PartitionMode::CollectLeft;
        return (collects && !one_part(join.right())).then(|| "a join holds one side whole in each slice".into());
    }
    if let Some(join) = node.downcast_ref::<NestedLoopJoinExec>() {
        let bears = one_part(join.right()) || only_keeps_right(join.join_type());
        return (!bears).then(|| format!("a {} join by no key keeps rows that no slice knows whole", join.join_type()));
    }
    if node.is::<UnionExec>() && node.exists(|below| Ok(is_made_up(below))).unwrap_or(true) {
        return Some("a UNION has rows that come from no table".into());
    }
    let known = node.is::<AggregateExec>()
        || node.is::<BoundedWindowAggExec>()
        || node.is::<CoalescePartitionsExec>()
        || node.is::<CrossJoinExec>()
        || node.is::<EmptyExec>()
        || node.is::<FilterExec>()
        || node.is::<GlobalLimitExec>()
        || node.is::<LocalLimitExec>()
        || node.is::<LookupJoinExec>()
        || node.is::<PlaceholderRowExec>()
        || node.is::<PointInTimeExec>()
        || node.is::<ProjectionExec>()
        || node.is::<RangeJoinExec>()
        || node.is::<RepartitionExec>()
        || node.is::<SortExec>()
        || node.is::<SortMergeJoinExec>()
        || node.is::<SortPreservingMergeExec>()
        || node.is::<UnionExec>()
        || node.is::<UnnestExec>()
        || node.is::<WindowAggExec>();
    (!known).then(|| format!("{} is not known to come out the same in slices", node.name()))
}

/// Rows that a plan holds itself: each slice would have them anew, and a union cannot say whose they are.
fn is_made_up(plan: &Arc<dyn ExecutionPlan>) -> bool {
    plan.is::<PlaceholderRowExec>() || plan.is::<EmptyExec>()
}

fn one_part(plan: &Arc<dyn ExecutionPlan>) -> bool {
    plan.output_partitioning().partition_count() == 1
}

/// Whether rows of the left side only come with rows of the right one: which of them met none, each slice would say anew.
fn only_keeps_right(join: &JoinType) -> bool {
    use JoinType::{Inner, Right, RightAnti, RightMark, RightSemi};
    matches!(join, Inner | Right | RightSemi | RightAnti | RightMark)
}

fn of_scan(scan: &DataSourceExec, readable: &Readable) -> Option<String> {
    let source = scan.data_source();
    if source.downcast_ref::<MemorySourceConfig>().is_some() {
        return None;
    }
    let Some(files) = source.downcast_ref::<FileScanConfig>() else {
        return Some("it reads something that is neither a file nor a table in memory".into());
    };
    let store = &files.object_store_url;
    let on_disk = *store == ObjectStoreUrl::local_filesystem();
    if !on_disk && !store.as_str().starts_with("s3://") {
        return Some(format!("it reads {}, which is neither a folder nor a bucket", store.as_str()));
    }
    let folders: Vec<ObjectPath> =
        readable.folders.iter().map(|folder| ObjectPath::from(&*folder.to_string_lossy())).collect();
    let outside = |file: &&PartitionedFile| {
        let path = &file.object_meta.location;
        match on_disk {
            true => !folders.iter().any(|folder| path.prefix_matches(folder)),
            false => !readable.storages.iter().any(|storage| storage.holds(store, path)),
        }
    };
    let outside = &files.file_groups.iter().flat_map(|group| group.iter()).find(outside)?.object_meta.location;
    Some(match on_disk {
        true => format!("/{outside} lies outside of the folders that the cluster may read"),
        false => format!("{}{outside} lies outside of the storages that the cluster may read", store.as_str()),
    })
}
