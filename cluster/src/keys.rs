//! Keys to an object store: from a file that only its owner reads, or from the environment; never from params.yaml.

use std::collections::BTreeMap;
use std::fmt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::{BackoffConfig, ClientOptions, RetryConfig};
use selvedge_project::error::Result;
use url::{Host, Url};

use crate::failure::Failure;

const ID: &str = "AWS_ACCESS_KEY_ID";
const SECRET: &str = "AWS_SECRET_ACCESS_KEY";
const TOKEN: &str = "AWS_SESSION_TOKEN";
const REGIONS: [&str; 2] = ["AWS_REGION", "AWS_DEFAULT_REGION"];
const ENDPOINTS: [&str; 2] = ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"];
const OPEN: &str = "AWS_ALLOW_HTTP";

/// What a file of keys may hold, a line each, as `NAME=value`.
pub const NAMES: [&str; 8] = [ID, SECRET, TOKEN, REGIONS[0], REGIONS[1], ENDPOINTS[0], ENDPOINTS[1], OPEN];

/// A store that cannot be reached is asked again for so long.
const PATIENCE: Duration = Duration::from_secs(20);

/// Keys, and where the store is that they are for.
#[derive(Clone)]
pub struct Keys {
    values: Arc<BTreeMap<&'static str, String>>,
    from: Arc<str>,
}

/// Values are for nobody's eyes.
impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keys({})", self.from)
    }
}

impl Default for Keys {
    /// None at all.
    fn default() -> Self {
        Self { values: Arc::default(), from: "no place".into() }
    }
}

impl Keys {
    /// Those in `file`; without a file those of the environment.
    ///
    /// # Errors
    /// A file that others may read, or of which a line is no key.  None is shown.
    pub fn new(file: Option<&Path>) -> Result<Self> {
        match file {
            Some(file) => Self::of_file(file),
            None => {
                let value =
                    |name: &'static str| Some((name, std::env::var(name).ok().filter(|value| !value.is_empty())?));
                let values = NAMES.into_iter().filter_map(value).collect();
                Ok(Self { values: Arc::new(values), from: "the environment".into() })
            }
        }
    }

    fn of_file(file: &Path) -> Result<Self> {
        let shown = file.display();
        let failed = |what: String| Failure::new(what, format!("write {ID}=… and {SECRET}=… into a file, a line each"));
        let unread = |e| failed(format!("{shown} cannot be read: {e}"));
        let mode = std::fs::metadata(file).map_err(unread)?.permissions().mode();
        if mode & 0o077 != 0 {
            let advice = format!("keep the keys to yourself: chmod 600 {shown}");
            return Err(Failure::new(format!("{shown} holds keys, and others may read it"), advice).into());
        }
        let mut values = BTreeMap::new();
        for (number, line) in std::fs::read_to_string(file).map_err(unread)?.lines().enumerate() {
            let line = line.trim().trim_start_matches("export ").trim_start();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let known = line.split_once('=').and_then(|(name, value)| {
                let name = NAMES.into_iter().find(|known| *known == name.trim())?;
                Some((name, value.trim().trim_matches(['"', '\'']).to_owned()))
            });
            // The line may hold a key, so it is not shown.
            let place = format!("{shown}:{}", number + 1);
            let (name, value) = known.ok_or_else(|| {
                failed(format!("{place}: this is no line such as NAME=value of {}", NAMES.join(", ")))
            })?;
            values.insert(name, value);
        }
        Ok(Self { values: Arc::new(values), from: shown.to_string().into() })
    }

    fn get(&self, names: &[&'static str]) -> Option<&str> {
        names.iter().find_map(|name| self.values.get(name)).map(String::as_str)
    }

    /// Where the store is, in words.
    pub fn endpoint(&self) -> &str {
        self.get(&ENDPOINTS).unwrap_or("amazonaws.com")
    }

    /// The bucket of that name, which has not been asked for anything yet.
    ///
    /// # Errors
    /// There are no keys, or the way to the store is open to all.
    pub fn bucket(&self, bucket: &str) -> std::result::Result<AmazonS3, Failure> {
        let (Some(id), Some(secret)) = (self.get(&[ID]), self.get(&[SECRET])) else {
            let what = format!("there are no keys for s3://{bucket}: {ID} and {SECRET} are not both in {}", self.from);
            return Err(Failure::new(what, format!("set {ID} and {SECRET}, or give --keys FILE that holds them")));
        };
        let region = self.get(&REGIONS).unwrap_or("us-east-1");
        let mut store = AmazonS3Builder::new()
            .with_bucket_name(bucket)
            .with_region(region)
            .with_access_key_id(id)
            .with_secret_access_key(secret)
            .with_client_options(ClientOptions::new().with_timeout(6 * PATIENCE))
            .with_retry(RetryConfig {
                backoff: BackoffConfig { max_backoff: PATIENCE / 10, ..BackoffConfig::default() },
                max_retries: 8,
                retry_timeout: PATIENCE,
            });
        if let Some(token) = self.get(&[TOKEN]) {
            store = store.with_token(token);
        }
        if let Some(endpoint) = self.get(&ENDPOINTS) {
            self.refuse_open(endpoint)?;
            store = store.with_endpoint(endpoint).with_allow_http(true);
        }
        store.build().map_err(|_| {
            let what = format!("s3://{bucket} at {} cannot be asked with what is in {}", self.endpoint(), self.from);
            Failure::new(what, format!("look at {} and {}", ENDPOINTS[1], REGIONS[0]))
        })
    }

    /// Rows do not travel unencrypted to other machines unless somebody says so.
    fn refuse_open(&self, endpoint: &str) -> std::result::Result<(), Failure> {
        let address = Url::parse(endpoint).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let Some(address) = address else {
            let what = format!("{} in {} is no address such as https://storage.example.com", ENDPOINTS[1], self.from);
            return Err(Failure::new(what, "write it with http:// or https:// in front"));
        };
        let here = match address.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        let allowed = self.get(&[OPEN]).is_some_and(|allowed| allowed.eq_ignore_ascii_case("true"));
        if address.scheme() == "https" || here || allowed {
            return Ok(());
        }
        let what = format!("{endpoint} is on another machine, and rows would go there unencrypted");
        Err(Failure::new(what, format!("write https:// where the store has it, or set {OPEN}=true")))
    }
}
