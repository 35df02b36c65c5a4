//! Tables in memory, which only this process sees, as files that all machines see.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Statistics, exec_datafusion_err};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::error::Result;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::physical_plan::ExecutionPlan;

/// Tables of at most so many rows travel within the plan.
const FEW: usize = 1 << 12;

static NEXT: AtomicUsize = AtomicUsize::new(0);

/// Files of one plan; gone with this.
#[derive(Debug)]
pub struct Files(PathBuf);

impl Drop for Files {
    fn drop(&mut self) {
        // There may be none; and what cannot be removed, the next run removes.
        if std::fs::remove_dir_all(&self.0).is_ok() {
            // With the last of them the folder of this process goes too.
            let _ = self.0.parent().map(std::fs::remove_dir);
        }
    }
}

/// The plan with files below `folder` in the place of large tables in memory.
pub fn on_disk(plan: Arc<dyn ExecutionPlan>, folder: &Path) -> Result<(Arc<dyn ExecutionPlan>, Files)> {
    let files = Files(folder.join(NEXT.fetch_add(1, Ordering::Relaxed).to_string()));
    let mut tables = 0;
    let plan = plan.transform_down(|node| {
        let table = node
            .downcast_ref::<DataSourceExec>()
            .and_then(|scan| scan.data_source().downcast_ref::<MemorySourceConfig>());
        match table.filter(|table| rows(table) > FEW) {
            Some(table) => {
                tables += 1;
                let place = files.0.join(tables.to_string());
                Ok(Transformed::yes(written(table, &node.schema(), node.fetch(), &place)?))
            }
            None => Ok(Transformed::no(node)),
        }
    })?;
    Ok((plan.data, files))
}

fn rows(table: &MemorySourceConfig) -> usize {
    table.partitions().iter().flatten().map(RecordBatch::num_rows).sum()
}

/// A scan of files with the rows of `table`, a file for each of its parts.
fn written(
    table: &MemorySourceConfig,
    schema: &SchemaRef,
    fetch: Option<usize>,
    place: &Path,
) -> Result<Arc<dyn ExecutionPlan>> {
    std::fs::create_dir_all(place)?;
    let mut groups = Vec::new();
    for (number, part) in table.partitions().iter().enumerate() {
        let path = place.join(format!("{number}.parquet"));
        let mut writer = ArrowWriter::try_new(File::create(&path)?, Arc::clone(schema), None)?;
        for batch in part {
            match table.projection() {
                Some(columns) => writer.write(&batch.project(columns)?)?,
                None => writer.write(batch)?,
            }
        }
        writer.close()?;
        let path = path.to_str().ok_or_else(|| exec_datafusion_err!("{} is no UTF-8", path.display()))?;
        groups.push(FileGroup::new(vec![PartitionedFile::from_path(path.to_owned())?]));
    }
    let mut statistics = Statistics::new_unknown(schema);
    statistics.num_rows = Precision::Exact(rows(table));
    let source = Arc::new(ParquetSource::new(Arc::clone(schema)));
    let scan = FileScanConfigBuilder::new(ObjectStoreUrl::local_filesystem(), source)
        .with_file_groups(groups)
        .with_statistics(statistics)
        .with_limit(fetch);
    Ok(DataSourceExec::from_data_source(scan.build()))
}

/// The folder of this process below `work`.  Those of processes that were killed are removed.
pub fn folder(work: &Path) -> PathBuf {
    const NAME: &str = ".cluster-";
    let own = work.join(format!("{NAME}{}", std::process::id()));
    for entry in std::fs::read_dir(work).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let process = name.to_str().and_then(|name| name.strip_prefix(NAME));
        if process.is_some_and(|process| !Path::new("/proc").join(process).exists()) {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
    own
}
