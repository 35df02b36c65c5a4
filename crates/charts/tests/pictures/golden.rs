//! One picture of each kind, as it was looked at and found good, byte for byte.

use std::path::Path;

use crate::samples::SAMPLES;

const AGAIN: &str = "GOLDEN=write cargo test --release --package charts golden";

#[test]
fn golden_pictures_are_drawn_again_byte_for_byte() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut broken = Vec::new();
    for (name, make) in SAMPLES {
        let file = folder.join(format!("{name}.png"));
        let drawn = make().png().unwrap();
        if std::env::var("GOLDEN").is_ok_and(|wish| wish == "write") {
            std::fs::write(&file, &drawn).unwrap();
        } else if !std::fs::read(&file).is_ok_and(|golden| golden == drawn) {
            let other = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.png"));
            std::fs::write(&other, &drawn).unwrap();
            broken.push(format!("  {}\n  is now\n  {}", file.display(), other.display()));
        }
    }
    let drawn = |file: &std::fs::DirEntry| SAMPLES.iter().any(|(name, _)| *file.file_name() == *format!("{name}.png"));
    for file in std::fs::read_dir(&folder).unwrap().map(Result::unwrap).filter(|file| !drawn(file)) {
        broken.push(format!("  {}\n  belongs to no sample", file.path().display()));
    }
    assert!(
        broken.is_empty(),
        "other pictures than those that were looked at:\n{}\nLook at them; where they are good, `{AGAIN}`",
        broken.join("\n")
    );
}
