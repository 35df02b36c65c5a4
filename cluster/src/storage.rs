//! Files in an object store with the S3 interface, in the place of a folder that all machines share.
//!
//! The client writes what a plan reads to `engine.cluster_storage`, below a name of this run's own, and takes it away when the
//! run ends; executors read it there.  The scheduler reads no files, and needs no keys.

use std::collections::BTreeMap;
use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileScanConfig, FileScanConfigBuilder};
use datafusion::datasource::source::DataSourceExec;
use datafusion::error::{DataFusionError, Result as Answered};
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::physical_plan::ExecutionPlan;
use futures::stream::{self, StreamExt, TryStreamExt};
use object_store::aws::AmazonS3;
use object_store::buffered::BufWriter;
use object_store::local::LocalFileSystem;
use object_store::path::Path as ObjectPath;
use object_store::{ObjectMeta, ObjectStore};
use tokio::fs::File;
use tokio::io::{AsyncWriteExt, BufReader};

use crate::failure::{Failure, no_answer};
use crate::keys::Keys;
use crate::words;

/// What names of this process's queries begin with, on no other machine the same.
pub static RUN: LazyLock<String> =
    LazyLock::new(|| format!("{:x}-{:x}", std::process::id(), RandomState::new().build_hasher().finish()));

/// Objects are written in pieces of so many bytes, a few at a time.
const PIECE: usize = 8 << 20;
const PIECES: usize = 4;

/// What a run that was killed left is taken away by the first one that starts so much later.
const FORGOTTEN: Duration = Duration::from_secs(7 * 86_400);

/// What runs write begins with this, then comes when they began.
const RUNS: &str = "selvedge-run-";

/// A bucket, and what keys of it begin with.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Location {
    pub bucket: String,
    pub prefix: ObjectPath,
}

impl Location {
    /// The place that `s3://bucket/prefix` names; none where the text is of another form.
    pub fn parse(text: &str) -> Option<Self> {
        let (bucket, prefix) = text.strip_prefix("s3://")?.split_once('/')?;
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
        let prefix = ObjectPath::parse(prefix.trim_end_matches('/')).ok()?;
        let is_whole = bucket.len() >= 3 && bucket.chars().all(plain) && !prefix.as_ref().is_empty();
        is_whole.then(|| Self { bucket: bucket.to_owned(), prefix })
    }

    /// Whether an object of that store lies there.
    pub fn holds(&self, store: &ObjectStoreUrl, object: &ObjectPath) -> bool {
        store.as_str() == format!("s3://{}/", self.bucket) && object.prefix_matches(&self.prefix)
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.prefix)
    }
}

/// A file as it was when it was written to the store.
type Version = (PathBuf, Option<SystemTime>, u64);

/// Where a run writes what plans read.
pub struct Storage {
    location: Location,
    /// As words of errors name it.
    endpoint: String,
    bucket: Arc<AmazonS3>,
    /// What names of this run's objects begin with.
    run: ObjectPath,
    /// Files that are there.
    written: tokio::sync::Mutex<BTreeMap<Version, ObjectPath>>,
    is_ready: tokio::sync::OnceCell<()>,
    objects: AtomicU64,
    bytes: AtomicU64,
}

/// Not even Debug's figures of a bucket show its keys.
impl fmt::Debug for Storage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Storage({})", self.location)
    }
}

/// Those of this process: all sessions share them.
static ALL: Mutex<BTreeMap<Location, Arc<Storage>>> = Mutex::new(BTreeMap::new());

fn seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

impl Storage {
    /// The storage at `location`; it is not asked for anything yet.
    ///
    /// # Errors
    /// There are no keys, or none that may be used.
    pub fn at(location: Location, keys: &Keys) -> Result<Arc<Self>, Failure> {
        let mut all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = all.get(&location) {
            return Ok(Arc::clone(known));
        }
        let storage = Arc::new(Self {
            bucket: Arc::new(keys.bucket(&location.bucket)?),
            endpoint: keys.endpoint().to_owned(),
            run: location.prefix.clone().join(format!("{RUNS}{}-{}", seconds(), *RUN)),
            location: location.clone(),
            written: tokio::sync::Mutex::default(),
            is_ready: tokio::sync::OnceCell::new(),
            objects: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
        });
        all.insert(location, Arc::clone(&storage));
        Ok(storage)
    }

    fn failed(&self, error: &object_store::Error) -> DataFusionError {
        let (what, advice) = words::of(error, &self.location.bucket, &self.endpoint);
        no_answer(what, advice)
    }

    /// Sees whether the store answers, and takes away what was forgotten there.
    async fn look(&self) -> Result<(), object_store::Error> {
        let there = self.bucket.list_with_delimiter(Some(&self.location.prefix)).await?;
        let began = |run: &ObjectPath| run.filename()?.strip_prefix(RUNS)?.split('-').next()?.parse::<u64>().ok();
        for run in &there.common_prefixes {
            if began(run).is_some_and(|began| began + FORGOTTEN.as_secs() < seconds()) {
                self.remove_below(run).await?;
            }
        }
        Ok(())
    }

    /// The plan with objects in the place of files; and those among them that stand for files below `scratch`, which are of this
    /// plan alone.
    pub async fn uploaded(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        scratch: &Path,
    ) -> Answered<(Arc<dyn ExecutionPlan>, Vec<ObjectPath>)> {
        let mut files = BTreeMap::new();
        plan.apply(|node| {
            for file in local(node).into_iter().flat_map(files_of) {
                files.insert(file.object_meta.location.clone(), ObjectPath::default());
            }
            Ok(TreeNodeRecursion::Continue)
        })?;
        if files.is_empty() {
            return Ok((plan, Vec::new()));
        }
        self.is_ready.get_or_try_init(|| self.look()).await.map_err(|error| self.failed(&error))?;
        let mut own = Vec::new();
        let disk = LocalFileSystem::new();
        for (file, object) in &mut files {
            let path = disk.path_to_filesystem(file)?;
            let is_own = path.starts_with(scratch);
            *object = self.upload(path, is_own).await.map_err(|error| self.failed(&error))?;
            if is_own {
                own.push(object.clone());
            }
        }
        let plan = plan.transform_up(|node| match local(&node) {
            Some(scan) => Ok(Transformed::yes(in_bucket(scan, &self.location.bucket, |file| files[file].clone())?)),
            None => Ok(Transformed::no(node)),
        })?;
        Ok((plan.data, own))
    }

    /// The object that holds what the file at `path` holds now: written once in a run, unless it is of one plan alone.
    async fn upload(&self, path: PathBuf, is_own: bool) -> Result<ObjectPath, object_store::Error> {
        let local = |error: std::io::Error| {
            let source = format!("{} cannot be read: {error}", path.display()).into();
            object_store::Error::Generic { store: words::DISK, source }
        };
        let file = std::fs::metadata(&path).map_err(local)?;
        let version = (path.clone(), file.modified().ok(), file.len());
        // Held while it is written: who asks for the same file waits for it.
        let mut written = self.written.lock().await;
        if let Some(object) = written.get(&version) {
            return Ok(object.clone());
        }
        let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let number = self.objects.fetch_add(1, Ordering::Relaxed);
        let object = self.run.clone().join(number.to_string()).join(name);
        self.bytes.fetch_add(file.len(), Ordering::Relaxed);
        let mut from = BufReader::with_capacity(1 << 20, File::open(&path).await.map_err(local)?);
        let store = Arc::clone(&self.bucket) as Arc<dyn ObjectStore>;
        let mut to = BufWriter::with_capacity(store, object.clone(), PIECE).with_max_concurrency(PIECES);
        let sent = match tokio::io::copy_buf(&mut from, &mut to).await {
            Ok(_) => to.shutdown().await,
            Err(error) => Err(error),
        };
        sent.map_err(|error| match error.downcast::<object_store::Error>() {
            Ok(error) => error,
            Err(error) => object_store::Error::Generic { store: "S3", source: Box::new(error) },
        })?;
        if !is_own {
            written.insert(version, object.clone());
        }
        Ok(object)
    }

    /// Takes objects of one plan away.  What cannot be taken away now, the end of the run takes away.
    pub async fn remove(&self, objects: Vec<ObjectPath>) {
        let objects = stream::iter(objects).map(Ok).boxed();
        let gone: Result<Vec<_>, _> = self.bucket.delete_stream(objects).try_collect().await;
        if let Err(error) = gone {
            log::info!("{}", words::of(&error, &self.location.bucket, &self.endpoint).0);
        }
    }

    async fn remove_below(&self, folder: &ObjectPath) -> Result<(), object_store::Error> {
        let objects = self.bucket.list(Some(folder)).map_ok(|object| object.location).boxed();
        self.bucket.delete_stream(objects).try_for_each(|_| async { Ok(()) }).await
    }
}

/// What this process wrote to object stores is taken away; in words how much that was, or why it is still there.
pub async fn end() -> Vec<String> {
    let all: Vec<_> = ALL.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect();
    let mut said = Vec::new();
    for storage in all.into_iter().filter(|storage| storage.objects.load(Ordering::Relaxed) > 0) {
        let mebibytes = storage.bytes.load(Ordering::Relaxed).div_ceil(1 << 20);
        said.push(match storage.remove_below(&storage.run).await {
            Ok(()) => format!("{mebibytes} MiB were written to {}, and taken away again", storage.location),
            Err(error) => {
                let (what, _) = words::of(&error, &storage.location.bucket, &storage.endpoint);
                format!("what was written to s3://{}/{} is still there: {what}", storage.location.bucket, storage.run)
            }
        });
    }
    said
}

/// A scan of objects of a bucket in the place of files.
pub fn in_bucket(
    scan: &FileScanConfig,
    bucket: &str,
    object: impl Fn(&ObjectPath) -> ObjectPath,
) -> Answered<Arc<dyn ExecutionPlan>> {
    let mut scan = scan.clone();
    scan.object_store_url = ObjectStoreUrl::parse(format!("s3://{bucket}"))?;
    for group in &mut scan.file_groups {
        for file in 0..group.len() {
            let known = &mut group[file].object_meta;
            *known = ObjectMeta { location: object(&known.location), e_tag: None, version: None, ..known.clone() };
        }
    }
    Ok(DataSourceExec::from_data_source(FileScanConfigBuilder::from(scan).build()))
}

/// The scan of files of this machine's folders that a node is.
fn local(node: &Arc<dyn ExecutionPlan>) -> Option<&FileScanConfig> {
    let scan = node.downcast_ref::<DataSourceExec>()?.data_source().downcast_ref::<FileScanConfig>()?;
    (scan.object_store_url == ObjectStoreUrl::local_filesystem()).then_some(scan)
}

fn files_of(scan: &FileScanConfig) -> impl Iterator<Item = &PartitionedFile> {
    scan.file_groups.iter().flat_map(|group| group.iter())
}
