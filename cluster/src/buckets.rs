//! Where scheduler and executors find the files of a plan: on their disks, and in buckets, which they only read.

use std::collections::HashMap;
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use datafusion::error::Result as Found;
use datafusion::execution::object_store::{DefaultObjectStoreRegistry, ObjectStoreRegistry};
use futures::stream::{self, BoxStream, StreamExt};
use object_store::aws::AmazonS3;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use url::Url;

use crate::keys::Keys;
use crate::words;

/// Disks, and the buckets that some keys open.
#[derive(Debug)]
pub struct Buckets {
    keys: Keys,
    disks: DefaultObjectStoreRegistry,
    known: Mutex<HashMap<String, Arc<dyn ObjectStore>>>,
}

impl Buckets {
    /// Without keys plans over buckets can be looked at, and not run.
    pub fn new(keys: Keys) -> Self {
        Self { keys, disks: DefaultObjectStoreRegistry::new(), known: Mutex::default() }
    }
}

impl ObjectStoreRegistry for Buckets {
    fn register_store(&self, url: &Url, store: Arc<dyn ObjectStore>) -> Option<Arc<dyn ObjectStore>> {
        self.disks.register_store(url, store)
    }

    fn get_store(&self, url: &Url) -> Found<Arc<dyn ObjectStore>> {
        let Some(bucket) = url.host_str().filter(|_| url.scheme() == "s3") else { return self.disks.get_store(url) };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let made = known.entry(bucket.to_owned()).or_insert_with(|| Arc::new(Bucket::new(bucket, &self.keys)));
        Ok(Arc::clone(made))
    }
}

/// A bucket that is read and never written, and that says what is wrong in words without keys.
struct Bucket {
    name: String,
    endpoint: String,
    /// Or why there is none.
    store: std::result::Result<AmazonS3, String>,
}

impl Bucket {
    fn new(name: &str, keys: &Keys) -> Self {
        let store = keys.bucket(name).map_err(|failure| failure.what);
        Self { name: name.to_owned(), endpoint: keys.endpoint().to_owned(), store }
    }

    fn store(&self) -> Result<&AmazonS3> {
        self.store.as_ref().map_err(|what| Error::Generic { store: "S3", source: what.clone().into() })
    }

    fn in_words(&self, error: &Error) -> Error {
        let (what, _) = words::of(error, &self.name, &self.endpoint);
        Error::Generic { store: "S3", source: what.into() }
    }
}

fn read_only<T>() -> Result<T> {
    Err(Error::NotSupported { source: "a cluster only reads".into() })
}

impl fmt::Debug for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bucket({})", self.name)
    }
}

impl fmt::Display for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}", self.name)
    }
}

#[async_trait]
impl ObjectStore for Bucket {
    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.store()?.get_opts(location, options).await.map_err(|error| self.in_words(&error))
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<bytes::Bytes>> {
        self.store()?.get_ranges(location, ranges).await.map_err(|error| self.in_words(&error))
    }

    async fn put_opts(&self, _: &Path, _: PutPayload, _: PutOptions) -> Result<PutResult> {
        read_only()
    }

    async fn put_multipart_opts(&self, _: &Path, _: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        read_only()
    }

    fn delete_stream(&self, _: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        stream::once(async { read_only() }).boxed()
    }

    fn list(&self, _: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        stream::once(async { read_only() }).boxed()
    }

    async fn list_with_delimiter(&self, _: Option<&Path>) -> Result<ListResult> {
        read_only()
    }

    async fn copy_opts(&self, _: &Path, _: &Path, _: CopyOptions) -> Result<()> {
        read_only()
    }
}
