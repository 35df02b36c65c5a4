//! Certificates by which the machines of a cluster know each other.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};
use selvedge_project::error::Result;

use crate::failure::Failure;

/// The name that every certificate of a cluster is for: who has one belongs to it, whatever the machine is called.
pub const NAME: &str = "selvedge-cluster";

/// Who gets a certificate.
pub const ROLES: [&str; 3] = ["scheduler", "executor", "client"];

/// Makes a certificate authority and a certificate for each role in `folder`, which must not hold any yet.  The authority's key
/// is thrown away: nobody can add to the cluster later, one makes new ones.
pub fn make(folder: &Path) -> Result<()> {
    let failed =
        |what: String| Failure::new(what, "name a folder that is not there yet or is empty, and may be written to");
    let shown = folder.display();
    std::fs::create_dir_all(folder).map_err(|e| failed(format!("{shown} cannot be made: {e}")))?;
    let broken = |e: rcgen::Error| failed(format!("a certificate cannot be made: {e}"));
    let key = KeyPair::generate().map_err(broken)?;
    let mut authority = CertificateParams::new(Vec::new()).map_err(broken)?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    authority.distinguished_name.push(DnType::CommonName, NAME);
    let own = authority.self_signed(&key).map_err(broken)?;
    write(&folder.join("ca.pem"), &own.pem(), 0o644)?;
    let authority = Issuer::new(authority, key);
    for role in ROLES {
        let key = KeyPair::generate().map_err(broken)?;
        let mut params = CertificateParams::new(vec![NAME.to_owned()]).map_err(broken)?;
        params.distinguished_name.push(DnType::CommonName, format!("{NAME} {role}"));
        // A scheduler only answers, a client only asks; an executor does both.
        params.extended_key_usages = match role {
            "scheduler" => vec![ExtendedKeyUsagePurpose::ServerAuth],
            "client" => vec![ExtendedKeyUsagePurpose::ClientAuth],
            _ => vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth],
        };
        let certificate = params.signed_by(&key, &authority).map_err(broken)?;
        write(&folder.join(format!("{role}.pem")), &certificate.pem(), 0o644)?;
        write(&folder.join(format!("{role}.key")), &key.serialize_pem(), 0o600)?;
    }
    Ok(())
}

/// Nothing that is there is written over.
fn write(path: &Path, text: &str, mode: u32) -> Result<()> {
    let file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes())).map_err(|e| {
        let what = format!("{} cannot be written: {e}", path.display());
        Failure::new(what, "name a folder that is not there yet or is empty, and may be written to").into()
    })
}
