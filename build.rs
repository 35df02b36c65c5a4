//! Lets the programs that need libtorch find it at run time, wherever the target folder is, and packs the SQL files that a new project
//! begins with.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=LIBTORCH");
    for (feature, program) in [("ENCODER", "selvedge-encoder"), ("TOWERS", "selvedge-towers")] {
        if std::env::var_os(format!("CARGO_FEATURE_{feature}")).is_some()
            && let Ok(libtorch) = std::env::var("LIBTORCH")
        {
            println!("cargo:rustc-link-arg-bin={program}=-Wl,-rpath,{libtorch}/lib");
        }
    }
    pack();
}

/// The folder of the queries that read one export, and files that hold what was measured on one.
const OF_ONE_EXPORT: [&str; 3] = ["sql/sources/", "sql/evaluation/reference.sql", "sql/evaluation/reference_looks.sql"];

/// Writes `pack.rs`: every other SQL file as its path in a project and its text.
fn pack() {
    println!("cargo:rerun-if-changed=sql");
    let root = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let mut files = Vec::new();
    walk(&root.join("sql"), &mut files);
    files.sort();
    let mut text = "&[\n".to_owned();
    for file in files {
        let inside = file.strip_prefix(&root).unwrap_or(&file).to_string_lossy().replace('\\', "/");
        if !OF_ONE_EXPORT.iter().any(|own| inside.starts_with(own)) {
            let _ = writeln!(text, "    ({inside:?}, include_str!({:?})),", file.to_string_lossy());
        }
    }
    let out = PathBuf::from(std::env::var_os("OUT_DIR").unwrap_or_default()).join("pack.rs");
    if let Err(error) = std::fs::write(&out, text + "]\n") {
        println!("cargo:warning={}: {error}", out.display());
    }
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            walk(&path, files);
        } else {
            files.push(path);
        }
    }
}
