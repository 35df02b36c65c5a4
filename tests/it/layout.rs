//! Rules over the workspace: which crate may stand on which, who links what, and what a DVC stage depends on.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use selvedge::flow::FLOW;
use serde_yaml::Value;

use crate::shop::ROOT;

/// The crates from the ground up, a line for each letter of CLAUDE.md; each may use those of the lines above it and those
/// before it in its own.
const ORDER: &[&[&str]] = &[
    &[
        "numeric",
        "statistics",
        "charts",
        "point-in-time",
        "lookup-join",
        "frequent-groups",
        "case-guard",
        "sql-functions",
    ],
    &["transformer", "sentence-encoder"],
    &["selvedge-project", "selvedge-engine"],
    &["selvedge-analysis", "selvedge-features", "selvedge-checks"],
    &["models", "recommenders", "two-tower", "selvedge-learning"],
    &["selvedge-monitoring"],
    &["selvedge-reports", "selvedge-serving", "selvedge", "benchmarks"],
];
/// More packages than this take longer to build than they are worth; raise it with the reason in the commit (the last: 34 of the
/// server, of which none is large).
const LOCKED_PACKAGES: usize = 465;

fn read(path: impl AsRef<Path>) -> String {
    let path = Path::new(ROOT).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Where a crate's manifest lies.
fn manifest(name: &str) -> String {
    if name == "selvedge" { "Cargo.toml".to_owned() } else { format!("crates/{name}/Cargo.toml") }
}

/// The names below `[section]` of a manifest.
fn named<'a>(manifest: &'a str, section: &str) -> BTreeSet<&'a str> {
    let lines = manifest.lines().skip_while(|line| *line != format!("[{section}]")).skip(1);
    let entries = lines.take_while(|line| !line.starts_with('['));
    let names = entries.filter_map(|line| line.split(['.', ' ', '=']).next());
    names.filter(|name| name.starts_with(|letter: char| letter.is_ascii_alphabetic())).collect()
}

fn ordered() -> Vec<&'static str> {
    ORDER.iter().flat_map(|line| line.iter().copied()).collect()
}

#[test]
fn every_crate_has_its_place() {
    let mut found: Vec<String> = std::fs::read_dir(Path::new(ROOT).join("crates"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    found.push("selvedge".into());
    found.sort();
    let mut known = ordered();
    known.sort_unstable();
    assert_eq!(found, known);
}

#[test]
fn no_crate_names_a_later_one() {
    let order = ordered();
    let mut broken = Vec::new();
    for (place, name) in order.iter().enumerate() {
        let text = read(manifest(name));
        let later = |used: &&str| order.iter().position(|known| known == used).is_some_and(|found| found >= place);
        broken
            .extend(named(&text, "dependencies").into_iter().filter(later).map(|used| format!("{name} names {used}")));
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// libtorch takes a quarter of a second to start and 530 MB; the network is for tracking and the server alone.
#[test]
fn only_those_link_it_who_need_it() {
    for (package, users) in [
        ("tch", &["sentence-encoder", "two-tower"][..]),
        ("two-tower", &["selvedge"]),
        ("sentence-encoder", &["selvedge"]),
        ("rust-bert", &["sentence-encoder"]),
        ("ureq", &["selvedge"]),
        ("axum", &["selvedge-serving"]),
        ("rustls", &["selvedge-serving"]),
    ] {
        let found: Vec<&str> = ordered()
            .into_iter()
            .filter(|name| named(&read(manifest(name)), "dependencies").contains(package))
            .collect();
        assert_eq!(found, users, "{package}");
    }
    let ground = ["statistics", "charts", "selvedge-project", "models"];
    for name in ground {
        let text = read(manifest(name));
        assert!(!named(&text, "dependencies").contains("datafusion"), "{name} needs no DataFusion");
    }
}

#[test]
fn packages_are_counted() {
    let locked = read("Cargo.lock").lines().filter(|line| *line == "[[package]]").count();
    assert!(locked <= LOCKED_PACKAGES, "{locked} packages are locked, the budget is {LOCKED_PACKAGES}");
}

/// The cluster has a workspace of its own, whose packages nobody builds who needs none.  Its programs write the same tables: they
/// are compiled as ours are, and of what both use there is a version that both have.
#[test]
fn the_cluster_is_built_as_this_is() {
    let packages = |lock: &str| {
        let mut packages = BTreeMap::<String, BTreeSet<String>>::new();
        for package in read(lock).split("[[package]]").skip(1) {
            let value = |key: &str| {
                let line = package.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(" = "));
                line.unwrap().trim_matches('"').to_owned()
            };
            packages.entry(value("name")).or_default().insert(value("version"));
        }
        packages
    };
    let (ours, theirs) = (packages("Cargo.lock"), packages("cluster/Cargo.lock"));
    let profile = |manifest: &str| {
        let text = read(manifest);
        let profile = text[text.find("[profile.release]").unwrap()..].lines();
        let package = |line: &str| line.split_once(" = {").map(|(name, _)| theirs.contains_key(name));
        profile.filter(|line| package(line).unwrap_or(true)).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(profile("cluster/Cargo.toml"), profile("Cargo.toml"));
    // No table is packed with it.
    let packs_no_table = |name: &str| name == "bzip2";
    let differs = |name: &String, ours| theirs.get(name).is_some_and(|theirs| theirs.is_disjoint(ours));
    let apart = ours.iter().filter(|(name, ours)| differs(name, ours) && !packs_no_table(name));
    let apart: Vec<_> = apart.map(|(name, ours)| (name, ours, &theirs[name])).collect();
    assert!(apart.is_empty(), "cluster/Cargo.lock has other versions: {apart:?}");
}

/// A part of the code that a stage can depend on: a crate, or a module of a crate that holds several stages.
type Part = (String, Option<String>);

/// The Rust files of a part, and their paths as dvc.yaml names them.
fn files(part: &Part) -> (Vec<String>, Vec<String>) {
    let (name, module) = part;
    let names = match module {
        Some(module) => {
            let src = format!("crates/{name}/src");
            [format!("{src}/{module}.rs"), format!("{src}/{module}")].to_vec()
        }
        None => vec![format!("crates/{name}/src")],
    };
    let names: Vec<String> = names.into_iter().filter(|name| Path::new(ROOT).join(name).exists()).collect();
    let mut found = Vec::new();
    let mut waiting: Vec<_> = names.iter().map(|name| Path::new(ROOT).join(name)).collect();
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            waiting.extend(std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let inside = path.strip_prefix(ROOT).unwrap().to_string_lossy().into_owned();
            if !inside.contains("/tests/") && !inside.contains("/examples/") && !inside.contains("/benches/") {
                found.push(std::fs::read_to_string(path).unwrap());
            }
        }
    }
    (found, names)
}

/// The modules of every crate that holds stages: `selvedge_features` -> ingest, embeddings, ...
fn rooms() -> BTreeMap<String, BTreeSet<String>> {
    let mut rooms = BTreeMap::new();
    // What another crate calls as a stage is called is no room of one.
    for name in ordered().into_iter().filter(|name| name.starts_with("selvedge-")) {
        let Ok(lib) = std::fs::read_to_string(Path::new(ROOT).join(format!("crates/{name}/src/lib.rs"))) else {
            continue;
        };
        let modules: BTreeSet<String> = lib
            .lines()
            .filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'))
            .map(str::to_owned)
            .collect();
        if modules.iter().any(|module| FLOW.iter().any(|stage| stage.name == *module)) {
            rooms.insert(name.to_owned(), modules);
        }
    }
    rooms
}

/// What a part names: `crate::module` and `other_crate::` in its text.
fn named_parts(part: &Part, rooms: &BTreeMap<String, BTreeSet<String>>) -> BTreeSet<Part> {
    let mut found = BTreeSet::new();
    for text in files(part).0 {
        let code: String =
            text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
        for name in ordered() {
            let path = if *name == part.0 { "crate::".to_owned() } else { format!("{}::", name.replace('-', "_")) };
            for (at, _) in code.match_indices(&path) {
                if code[..at].ends_with(|letter: char| letter.is_alphanumeric() || letter == '_') {
                    continue;
                }
                let rest = &code[at + path.len()..];
                match rooms.get(name) {
                    None => {
                        found.insert((name.to_owned(), None));
                    }
                    Some(modules) => {
                        let list = rest.strip_prefix('{').and_then(|list| list.split('}').next());
                        let used: Vec<&str> = match list {
                            Some(list) => list.split(',').map(|item| item.trim()).collect(),
                            None => vec![rest],
                        };
                        let word = |item: &str| -> String {
                            item.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect()
                        };
                        let used = used.into_iter().map(word).filter(|word| modules.contains(word));
                        found.extend(used.map(|module| (name.to_owned(), Some(module))));
                    }
                }
            }
        }
    }
    found
}

/// Everything that the code of a stage rests on, as dvc.yaml should name it.
fn code_of(stage: &str, rooms: &BTreeMap<String, BTreeSet<String>>) -> BTreeSet<String> {
    let own = match rooms.iter().find(|(_, modules)| modules.contains(stage)) {
        Some((name, _)) => (name.clone(), Some(stage.to_owned())),
        None => (format!("selvedge-{stage}s"), None),
    };
    let mut parts = BTreeSet::from([own.clone()]);
    let mut waiting = vec![own];
    // Their other programs.
    let others = [("embeddings", "sentence-encoder"), ("rank", "two-tower")];
    for (_, other) in others.into_iter().filter(|(of, _)| *of == stage) {
        parts.insert((other.into(), None));
        waiting.push((other.into(), None));
    }
    while let Some(part) = waiting.pop() {
        let new: Vec<Part> = named_parts(&part, rooms).difference(&parts).cloned().collect();
        parts.extend(new.iter().cloned());
        waiting.extend(new);
    }
    parts.iter().flat_map(|part| files(part).1).chain(["Cargo.lock".to_owned()]).collect()
}

/// So that nothing stays stale: what a stage's code rests on is worked out from what it names.
#[test]
fn dvc_stages_depend_on_the_code_they_rest_on() {
    let yaml: Value = serde_yaml::from_str(&read("dvc.yaml")).unwrap();
    let rooms = rooms();
    let mut broken = Vec::new();
    for stage in FLOW {
        let deps =
            yaml["stages"][stage.name]["deps"].as_sequence().unwrap_or_else(|| panic!("{} is missing", stage.name));
        let deps: BTreeSet<String> = deps.iter().map(|dep| dep.as_str().unwrap().to_owned()).collect();
        let is_code = |dep: &&String| dep.starts_with("crates/") || dep.starts_with("src/") || *dep == "Cargo.lock";
        let listed: BTreeSet<String> = deps.iter().filter(is_code).cloned().collect();
        let wanted = code_of(stage.name, &rooms);
        if listed != wanted {
            let lines: Vec<String> = wanted.iter().map(|dep| format!("      - {dep}")).collect();
            broken.push(format!("{}: the code it rests on is\n{}", stage.name, lines.join("\n")));
        }
    }
    assert!(broken.is_empty(), "correct dvc.yaml\n{}", broken.join("\n"));
}

/// What a stage reads of params.yaml, it says in its row and in dvc.yaml.
#[test]
fn dvc_stages_depend_on_the_parameters_they_read() {
    let yaml: Value = serde_yaml::from_str(&read("dvc.yaml")).unwrap();
    let mut stages: Vec<&str> = Vec::new();
    for (name, stage) in yaml["stages"].as_mapping().unwrap() {
        let name = name.as_str().unwrap();
        stages.push(name);
        let row =
            selvedge::flow::stage(name).unwrap_or_else(|| panic!("dvc.yaml has a stage {name}, the flow has not"));
        let params = stage["params"].as_sequence().unwrap().iter().map(|key| key.as_str().unwrap());
        let sections: BTreeSet<&str> =
            params.map(|key| key.split('.').next().unwrap()).filter(|key| *key != "shop").collect();
        assert_eq!(sections, row.sections.iter().copied().collect::<BTreeSet<_>>(), "{name}");
    }
    assert_eq!(stages, FLOW.iter().map(|stage| stage.name).collect::<Vec<_>>());
}
