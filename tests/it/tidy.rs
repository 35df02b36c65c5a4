//! Rules over the source tree; each failure names file and line.

use std::path::{Path, PathBuf};

use crate::shop::ROOT;

/// Every file under `folder` with one of these endings: its path from the root, and its text.
fn files(folder: &str, endings: &[&str]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = vec![Path::new(ROOT).join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let ending = path.extension().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() {
                folders.push(path);
            } else if endings.contains(&ending.as_str()) {
                let name = path.strip_prefix(ROOT).unwrap().to_string_lossy().into_owned();
                found.push((name, std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found.sort();
    assert!(!found.is_empty(), "{folder} holds no file to look at");
    found
}

/// What the product is built from; of a file with tests at its end, what stands before them.
fn sources() -> Vec<(String, String)> {
    let of_crates: Vec<_> = files("crates", &["rs"]).into_iter().filter(|(name, _)| !is_test(name)).collect();
    let before = |text: String| text.split(TESTS).next().unwrap_or_default().to_owned();
    [files("src", &["rs"]), files("cluster/src", &["rs"]), of_crates]
        .concat()
        .into_iter()
        .map(|(name, text)| (name, before(text)))
        .collect()
}

/// Every test, of the whole and of its crates, and what tries a crate out.
fn tests() -> Vec<(String, String)> {
    let of_crates = files("crates", &["rs"]).into_iter().filter(|(name, text)| is_test(name) || text.contains(TESTS));
    [files("tests", &["rs"]), files("cluster/tests", &["rs"]), of_crates.collect()].concat()
}

/// Where a file's own tests begin.
const TESTS: &str = "#[cfg(test)]\nmod tests {";

fn is_test(name: &str) -> bool {
    ["/tests/", "/tests.rs", "/examples/", "/build.rs"].iter().any(|part| name.contains(part))
}

/// The lines that break a rule, as `file:line: line`.
fn breaking(files: &[(String, String)], breaks: impl Fn(&str, &str) -> bool) -> Vec<String> {
    let lines = files.iter().flat_map(|(name, text)| (1..).zip(text.lines()).map(move |(n, line)| (name, n, line)));
    lines
        .filter(|(name, _, line)| breaks(name, line))
        .map(|(name, n, line)| format!("{name}:{n}: {}", line.trim()))
        .collect()
}

/// A line without its comment; `//` inside a text is rare enough.
fn code(line: &str) -> &str {
    let line = line.split(" // ").next().unwrap_or_default();
    if line.trim_start().starts_with("//") { "" } else { line }
}

fn none(rule: &str, broken: &[String]) {
    assert!(broken.is_empty(), "{rule}:\n{}", broken.join("\n"));
}

#[test]
fn every_module_says_what_it_is() {
    let silent: Vec<String> = sources()
        .into_iter()
        .filter(|(_, text)| !text.starts_with("//! "))
        .map(|(name, _)| format!("{name}:1"))
        .collect();
    none("begin the file with `//! …`", &silent);
}

/// Errors say what they are in `#[error]`; everything else that a module offers has a line of documentation.
#[test]
fn every_public_type_says_what_it_is() {
    let mut silent = Vec::new();
    for (name, text) in sources() {
        let lines: Vec<&str> = text.lines().collect();
        for (n, line) in lines.iter().enumerate() {
            if !["pub struct ", "pub enum ", "pub trait "].iter().any(|start| line.starts_with(start)) {
                continue;
            }
            let above: Vec<&str> =
                lines[..n].iter().rev().take_while(|line| line.starts_with(['#', '/'])).copied().collect();
            let error = above.iter().any(|line| line.contains("thiserror::Error"));
            if !error && !above.iter().any(|line| line.starts_with("///")) {
                silent.push(format!("{name}:{}: {line}", n + 1));
            }
        }
    }
    none("write a line of documentation above it", &silent);
}

/// Each `lib.rs` lists its modules in order; each may use those above it.
#[test]
fn modules_use_only_those_above_them() {
    let mut broken = Vec::new();
    let sources = sources();
    for (lib, text) in sources.iter().filter(|(name, _)| name.ends_with("src/lib.rs")) {
        let order: Vec<&str> =
            text.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
        let place = |module: &str| order.iter().position(|known| *known == module);
        let folder = lib.trim_end_matches("lib.rs");
        for (name, text) in sources.iter().filter(|(name, _)| name.starts_with(folder)) {
            let own = name.trim_start_matches(folder).split(['/', '.']).next().unwrap();
            // A stage's row says what runs it, and that takes the project which is opened with all rows.
            let Some(own) = place(own).filter(|_| own != "stage") else { continue };
            for (n, line) in (1..).zip(text.lines()) {
                for path in code(line).split("crate::").skip(1) {
                    let used: Vec<&str> = match path.strip_prefix('{') {
                        Some(list) => list
                            .split([',', '}'])
                            .map(|item| item.trim().split(':').next().unwrap_or_default())
                            .collect(),
                        None => path.split(|letter: char| !letter.is_alphanumeric() && letter != '_').take(1).collect(),
                    };
                    let later = used.iter().find(|module| place(module).is_some_and(|place| place > own));
                    broken.extend(later.map(|module| format!("{name}:{n}: {module} comes later in {lib}")));
                }
            }
        }
    }
    none("use only modules that stand above in lib.rs, or move the module", &broken);
}

#[test]
fn sql_is_written_in_sql_files() {
    let pairs = [("SELECT ", " FROM "), ("INSERT ", " INTO "), ("CREATE ", " TABLE "), (" JOIN ", " ON ")];
    let broken = breaking(&sources(), |_, line| {
        let line = code(line);
        // Advice such as `start FROM grain.customer` is no query.
        let texts = line.split('"').skip(1).step_by(2);
        texts.into_iter().any(|text| pairs.iter().any(|(a, b)| text.contains(a) && text.contains(b)))
    });
    none("put the query into a file under sql/", &broken);
}

#[test]
fn nothing_panics_or_prints_on_its_own() {
    let words = [
        ".unwrap()",
        ".expect(",
        "panic!(",
        "todo!(",
        "unimplemented!(",
        "unreachable!(",
        "dbg!(",
        "println!(",
        "print!(",
    ];
    let broken = breaking(&sources(), |name, line| {
        let line = code(line).replace("eprintln!(", "eprint_line(");
        let programs = ["src/main.rs", "cluster/src/main.rs"];
        let voices = ["crates/selvedge-project/src/progress.rs", "cluster/src/logging.rs"];
        let speaks = name.starts_with("src/bin/") || programs.contains(&name) || voices.contains(&name);
        // What is compiled in cannot be missing.
        let line = line.replace(".expect(\"the font is part of the program\")", "");
        words.iter().any(|word| line.contains(word)) || line.contains("eprint_line(") && !speaks
    });
    none("return an error; speak through Progress", &broken);
}

#[test]
fn stages_do_not_look_at_the_environment() {
    // What is compiled in is packed by build.rs.
    let packed = "env!(\"OUT_DIR\")";
    // Keys to an object store are kept nowhere else.
    let keys = "cluster/src/keys.rs";
    let broken = breaking(&sources(), |name, line| {
        let line = code(line).replace(packed, "");
        name != keys && ["env::var", "env!(", "env::set"].iter().any(|word| line.contains(word))
    });
    none("put it into params.yaml", &broken);
}

#[test]
fn files_are_short() {
    let long: Vec<String> = [files("src", &["rs"]), files("cluster/src", &["rs"]), files("crates", &["rs"])]
        .concat()
        .iter()
        .filter(|(name, _)| !is_test(name))
        .map(|(name, text)| (name, text.lines().count()))
        .filter(|(_, lines)| *lines > 400)
        .map(|(name, lines)| format!("{name}: {lines} lines"))
        .collect();
    none("does it hold two rooms? The limit is 400 lines", &long);
}

#[test]
fn no_test_is_left_out_and_no_warning_is_silenced_without_a_reason() {
    let mut all = sources();
    all.extend(tests());
    // Split, so that this file does not break its own rule.
    let (ignore, allow) = (concat!("#[ign", "ore"), concat!("#[al", "low("));
    none("run the test, or delete it", &breaking(&all, |_, line| line.contains(ignore)));
    let silenced = breaking(&all, |_, line| line.contains(allow) && !line.contains("reason = "));
    none("say why: `reason = \"…\"`", &silenced);
}

#[test]
fn every_sql_file_says_what_it_is() {
    let silent: Vec<String> = files("sql", &["sql"])
        .into_iter()
        .filter(|(_, text)| !text.starts_with("/*---") || !text.contains("description: "))
        .map(|(name, _)| format!("{name}:1"))
        .collect();
    none("begin with a header that has a description", &silent);
}

/// Rules are about what an export looks like, never about this one: no ids, no days of it.
#[test]
fn no_row_of_an_export_is_named() {
    let mut all = sources();
    all.extend(files("sql", &["sql"]));
    none("write a rule, not an id", &breaking(&all, |_, line| words(line).any(is_id)));
}

fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '-')
}

/// A customer, an article, a visit or a month of the export; the day in an example of params.yaml is none of its rows.
fn is_id(word: &str) -> bool {
    let digits = |text: &str, count: usize| text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    let after = |letter: char, count: usize| word.strip_prefix(letter).is_some_and(|rest| digits(rest, count));
    let article = digits(word, 5) && word.starts_with("10");
    let months = ["2026-07", "2026-08", "2026-09"];
    after('C', 5) || after('S', 6) || after('T', 6) || article || months.iter().any(|month| word.starts_with(month))
}

#[test]
fn links_lead_somewhere() {
    let mut broken = Vec::new();
    for name in ["README.md", "CLAUDE.md"] {
        let text = std::fs::read_to_string(Path::new(ROOT).join(name)).unwrap();
        for (n, line) in (1..).zip(text.lines()) {
            for target in line.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
                let path = target.split('#').next().unwrap_or_default();
                let here = path.is_empty() || target.contains("://") || Path::new(ROOT).join(path).exists();
                broken.extend((!here).then(|| format!("{name}:{n}: {target}")));
            }
        }
    }
    none("correct the link", &broken);
}

/// They are rewritten with every change: 120 KB each, 2 MB together.
#[test]
fn pictures_fit_into_a_pull_request() {
    let folder = std::fs::read_dir(Path::new(ROOT).join("reports/charts")).unwrap();
    let sizes: Vec<(String, u64)> = folder
        .map(Result::unwrap)
        .map(|file| (file.file_name().to_string_lossy().into_owned(), file.metadata().unwrap().len()))
        .collect();
    let large = sizes.iter().filter(|(_, size)| *size > 120_000).map(|(name, size)| format!("{name}: {size} bytes"));
    none("see crates/charts/src/pack.rs", &large.collect::<Vec<_>>());
    let all: u64 = sizes.iter().map(|(_, size)| size).sum();
    assert!(all > 0 && all <= 2_000_000, "{} charts have {all} bytes together", sizes.len());
}

/// What `make bench` runs is a project like any other: a key that is missing or new in params.yaml shows here.
#[test]
fn the_benchmarks_project_opens() {
    let project = Path::new(ROOT).join("crates/benchmarks/project");
    assert!(selvedge::open(Some(&project)).is_ok_and(|project| project.library.files().count() > 0));
}
