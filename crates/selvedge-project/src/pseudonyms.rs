//! What pages and recorded cases call a customer: the first digits of an HMAC of the number.  Whoever has the key can find the customer again, and
//! nobody else.

use std::io::Read;
use std::path::Path;

use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::error::{Advice, Result};
use crate::project::Project;

/// The key's file in a project's folder, out of git.
pub const KEY_FILE: &str = "pseudonyms.key";
/// Hex digits of a pseudonym.
const DIGITS: usize = 10;
/// Weeks by which times are shifted at most.
const MOST_WEEKS: u16 = 52;

#[derive(Debug, thiserror::Error)]
pub enum PseudonymError {
    #[error("{KEY_FILE} cannot be {done}: {cause}")]
    File { done: &'static str, cause: std::io::Error },
}

impl Advice for PseudonymError {
    fn advice(&self) -> Option<String> {
        Some(format!(
            "make the folder readable and writable, or write shop.pseudonym_key into params.yaml instead of {KEY_FILE}"
        ))
    }
}

/// Gives customers their names on pages.
pub struct Pseudonyms(Vec<u8>);

impl Pseudonyms {
    /// With the key of params.yaml, or of the key's file, which is made where there is none.
    pub fn of(project: &Project) -> Result<Self> {
        if let Some(key) = &project.params.shop.pseudonym_key {
            return Ok(Self(key.clone().into_bytes()));
        }
        let path = project.paths.root().join(KEY_FILE);
        if !path.is_file() {
            make_key(&path)?;
        }
        let read = |cause| PseudonymError::File { done: "read", cause };
        Ok(Self(std::fs::read_to_string(&path).map_err(read)?.trim().as_bytes().to_vec()))
    }

    /// `P-3f0c…` for a customer's number.
    pub fn name(&self, customer: &str) -> String {
        let digits: String = self.code(customer).iter().map(|byte| format!("{byte:02x}")).collect();
        format!("P-{}", &digits[..DIGITS])
    }

    /// By how many days earlier the times of what a customer did are shown: whole weeks, up to a year, the same for the same
    /// customer.
    pub fn days_earlier(&self, customer: &str) -> i64 {
        let [first, second, ..] = self.code(&format!("times of {customer}"));
        7 * (1 + i64::from(u16::from_be_bytes([first, second]) % MOST_WEEKS))
    }

    fn code(&self, text: &str) -> [u8; 32] {
        // A key of any length will do.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else { return [0; 32] };
        mac.update(text.as_bytes());
        mac.finalize().into_bytes().into()
    }
}

/// Makes a key of 32 random bytes that only its owner can read.
pub fn make_key(path: &Path) -> Result<()> {
    let mut bytes = [0; 32];
    let read = |cause| PseudonymError::File { done: "made", cause };
    std::fs::File::open("/dev/urandom").and_then(|mut source| source.read_exact(&mut bytes)).map_err(read)?;
    let key: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written =
        options.open(path).and_then(|mut file| std::io::Write::write_all(&mut file, format!("{key}\n").as_bytes()));
    Ok(written.map_err(|cause| PseudonymError::File { done: "written", cause })?)
}
