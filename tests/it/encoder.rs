#![cfg(feature = "encoder")]
//! The encoder as the stages know it, a program; `crates/sentence-encoder/tests` holds its vectors.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::{fs, path::Path};

use selvedge::embeddings::encoder::{DIMENSIONS, Encoder, EncoderError, FILES};

use crate::shop::Shop;

const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/.minilm");

/// Vectors do not depend on how many threads libtorch would use of itself.  That number belongs to the whole process, so it is
/// set from outside.
#[test]
fn bits_do_not_depend_on_torchs_own_threads() {
    let vectors = |threads: &str| {
        let shop = Shop::new(5);
        shop.must(&["ingest"]);
        let mut program = Command::new(env!("CARGO_BIN_EXE_selvedge"));
        program.arg("embeddings").arg("--root").arg(shop.path(""));
        let output = program.env("OMP_NUM_THREADS", threads).env("MKL_NUM_THREADS", threads).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        shop.files("work/embeddings")
    };
    let expected = vectors("1");
    for threads in ["2", "8"] {
        assert!(vectors(threads) == expected, "{threads} torch threads");
    }
}

/// However a run is stopped, the next one encodes only what is missing, and ends with the same bytes.
#[test]
fn a_run_that_is_killed_keeps_what_it_has_done() {
    let shop = Shop::new(5);
    let heading = shop.read("materials/products.csv").lines().next().unwrap().to_owned();
    let article = |n: usize| {
        format!(
            "K-{n},WINTER-29,Thing,Birch,Hats,A hat number {n} of wool.,9.50,red,wool,,50,winter,warehouse,DE,2029-09-01,2030-02-28\n"
        )
    };
    shop.write("materials/products.csv", &(heading + "\n" + &(0..900).map(article).collect::<String>()));
    shop.replace("params.yaml", "max_set_aside_share: 0.2", "max_set_aside_share: 1.0");
    shop.replace("params.yaml", "max_set_aside_share_of_kind: 0.5", "max_set_aside_share_of_kind: 1.0");
    shop.must(&["ingest"]);
    let mut program = Command::new(env!("CARGO_BIN_EXE_selvedge"));
    let mut running = program.args(["embeddings", "--root"]).arg(shop.path("")).spawn().unwrap();
    let parts = || fs::read_dir(shop.path("work/embedding_parts")).map_or(0, |parts| parts.count());
    while parts() == 0 && running.try_wait().unwrap().is_none() {
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    running.kill().unwrap();
    running.wait().unwrap();
    assert!(!shop.path("work/embeddings").exists(), "it was killed on its way");
    let output = shop.run(&["embeddings"]);
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    let new = words.split(" of them new").next().unwrap().rsplit(' ').next().unwrap();
    let new: usize = new.parse().unwrap_or_else(|_| panic!("{words}"));
    assert!(output.status.success() && 0 < new && new < 900, "{words}");
    assert_eq!(parts(), 0, "the parts are gone once the whole is there");
    let resumed = shop.files("work/embeddings");
    fs::remove_dir_all(shop.path("work/embeddings")).unwrap();
    shop.must(&["embeddings"]);
    assert!(resumed == shop.files("work/embeddings"), "the bytes are those of a run that was not stopped");
}

/// The model's folder, with links to its files.
fn copied_model() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("1_Pooling")).unwrap();
    for file in FILES {
        std::os::unix::fs::symlink(Path::new(MODEL).join(file), folder.path().join(file)).unwrap();
    }
    folder
}

fn version(folder: &Path) -> Result<String, EncoderError> {
    Ok(Encoder::new(folder)?.version().to_owned())
}

#[test]
fn files_that_are_not_there_are_named() {
    for file in FILES {
        let folder = copied_model();
        let path = folder.path().join(file);
        fs::remove_file(&path).unwrap();
        let error = version(folder.path()).unwrap_err();
        assert!(matches!(&error, EncoderError::MissingFile { path: named } if *named == path), "{error}");
        fs::create_dir(&path).unwrap();
        assert!(matches!(version(folder.path()), Err(EncoderError::Unreadable { .. })));
    }
}

#[test]
fn the_version_follows_the_files() {
    let same = version(Path::new(MODEL)).unwrap();
    assert_eq!(same.len(), 16);
    let folder = copied_model();
    assert_eq!(version(folder.path()).unwrap(), same);
    let settings = folder.path().join(FILES[5]);
    fs::remove_file(&settings).unwrap();
    fs::write(settings, r#"{"max_seq_length": 128, "do_lower_case": false}"#).unwrap();
    assert_ne!(version(folder.path()).unwrap(), same);
}

/// What the encoder's program says reaches the user, and so does that there is none.
#[test]
fn an_encoder_that_fails_or_is_not_there_is_told() {
    let shop = Shop::new(5);
    shop.must(&["ingest"]);
    let folder = copied_model();
    fs::remove_file(folder.path().join(FILES[3])).unwrap();
    fs::write(folder.path().join(FILES[3]), "[]").unwrap();
    let params = shop.read("params.yaml");
    shop.write(
        "params.yaml",
        &params.replace(&format!("model: {MODEL}"), &format!("model: {}", folder.path().display())),
    );
    let words = String::from_utf8(shop.run(&["embeddings"]).stderr).unwrap();
    assert!(words.contains("the sentence encoder gave up") && words.contains("modules.json"), "{words}");

    shop.write("params.yaml", &params);
    let alone = folder.path().join("selvedge");
    fs::copy(env!("CARGO_BIN_EXE_selvedge"), &alone).unwrap();
    let output = Command::new(alone).args(["embeddings", "--root"]).arg(shop.path("")).output().unwrap();
    let words = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(1) && words.contains("selvedge-encoder"), "{words}");
    assert!(words.contains("do: build it with `cargo build --release`"), "{words}");
    assert!(!shop.path("work/embeddings").exists());
}

/// A vector of nothing would mean something.
#[test]
fn what_says_nothing_has_no_vector() {
    let shop = Shop::new(5);
    let texts = ["", "  ", "\u{a0}\u{200b}", "…!", "🧥"];
    let article = |(n, text): (usize, &&str)| {
        format!("N-{n},WINTER-31,Thing,Birch,Hats,{text},9.50,red,wool,,50,winter,warehouse,DE,2031-09-01,2032-02-28\n")
    };
    let articles: String = texts.iter().enumerate().map(article).collect();
    shop.write("materials/products.csv", &(shop.read("materials/products.csv") + &articles));
    for stage in ["ingest", "embeddings"] {
        shop.must(&[stage]);
    }
    let vectors = "SELECT COUNT(*), COUNT(vector), COUNT(reduced) FROM embeddings.products WHERE product_id LIKE 'N-%'";
    assert_eq!(shop.ask(vectors), ["5,0,0"]);
}

/// Both programs count the same numbers: a position and one vector answer one text.
#[test]
fn the_programs_agree_on_the_size_of_a_vector() {
    let mut program = Command::new(env!("CARGO_BIN_EXE_selvedge-encoder"));
    let mut running = program.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let request = serde_json::json!({ "model": MODEL, "threads": 1, "texts": ["a warm coat"] });
    running.stdin.take().unwrap().write_all(request.to_string().as_bytes()).unwrap();
    let output = running.wait_with_output().unwrap();
    assert!(output.status.success());
    assert_eq!(output.stdout.len(), 4 + 4 * DIMENSIONS);
}
