//! Other people's exports: every folder of `tests/cases` is a small shop, or files over another's, and what must come of it.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::shop::{ROOT, Shop};

/// `case.yaml` of a folder.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    what: String,
    /// The folder whose shop this one changes.
    over: Option<String>,
    /// Lines for the end of a CSV.
    #[serde(default)]
    append: std::collections::BTreeMap<String, String>,
    #[serde(default)]
    replace: Vec<Replace>,
    /// Files and folders of the product that this shop does not have.
    #[serde(default)]
    remove: Vec<String>,
    steps: Vec<Step>,
}

/// Every `all` in a file becomes `by`; it must be there.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Replace {
    file: String,
    all: String,
    by: String,
}

/// A command with what it must say, or a question with its answer as lines of CSV.
#[derive(Debug, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum Step {
    Run {
        run: Vec<String>,
        #[serde(default)]
        exit: i32,
        #[serde(default)]
        says: Vec<String>,
    },
    Ask {
        ask: String,
        answer: Vec<String>,
    },
    /// What a file says, and what not.
    Page {
        page: String,
        #[serde(default)]
        says: Vec<String>,
        #[serde(default)]
        not: Vec<String>,
    },
    /// Files that are not there.
    Gone {
        gone: Vec<String>,
    },
    /// A file with one line, as another shop may have left it.
    Leave {
        leave: String,
    },
}

fn folder(name: &str) -> PathBuf {
    Path::new(ROOT).join("tests/cases").join(name)
}

fn read(name: &str) -> Case {
    let text = std::fs::read_to_string(folder(name).join("case.yaml")).unwrap();
    serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("tests/cases/{name}/case.yaml: {error}"))
}

/// Puts a case's files over those that are there, what it stands on first.
fn lay(shop: &Shop, name: &str, case: &Case) {
    if let Some(base) = &case.over {
        lay(shop, base, &read(base));
    }
    for removed in &case.remove {
        let path = shop.path(removed);
        if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) }.unwrap();
    }
    for part in ["materials", "sql"] {
        if folder(name).join(part).is_dir() {
            shop.copy(&folder(name).join(part), part);
        }
    }
    let added = folder(name).join("append");
    let files = std::fs::read_dir(added).into_iter().flatten().map(|entry| entry.unwrap().path());
    let files = files.map(|path| {
        (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read_to_string(&path).unwrap())
    });
    for (file, lines) in files.chain(case.append.clone()) {
        let file = format!("materials/{file}");
        let text = shop.read(&file);
        shop.write(&file, &format!("{}\n{lines}", text.trim_end()));
    }
    for Replace { file, all, by } in &case.replace {
        let text = shop.read(file);
        assert!(text.contains(all), "tests/cases/{name}: {file} does not contain {all:?}");
        shop.write(file, &text.replace(all, by));
    }
}

fn run(name: &str) -> Vec<String> {
    let case = read(name);
    let shop = Shop::bare();
    lay(&shop, name, &case);
    let mut wrong = Vec::new();
    for step in &case.steps {
        match step {
            Step::Run { run, exit, says } => {
                let arguments: Vec<&str> = run.iter().map(String::as_str).collect();
                let output = shop.run(&arguments);
                let words =
                    format!("{}{}", String::from_utf8_lossy(&output.stderr), String::from_utf8_lossy(&output.stdout));
                if output.status.code() != Some(*exit) {
                    wrong.push(format!("{name} ({}): {run:?} ended with {}:\n{words}", case.what, output.status));
                    break;
                }
                let unsaid = says.iter().filter(|text| !words.contains(*text));
                wrong.extend(unsaid.map(|text| format!("{name} ({}): {text:?} is not in:\n{words}", case.what)));
            }
            Step::Page { page, says, not } => {
                let text = std::fs::read_to_string(shop.path(page)).unwrap_or_default();
                let unsaid = says.iter().filter(|words| !text.contains(*words));
                wrong
                    .extend(unsaid.map(|words| format!("{name} ({}): {words:?} is not in {page}:\n{text}", case.what)));
                let said = not.iter().filter(|words| text.contains(*words));
                wrong.extend(said.map(|words| format!("{name} ({}): {words:?} is in {page}:\n{text}", case.what)));
            }
            Step::Gone { gone } => {
                let there = gone.iter().filter(|file| shop.path(file).exists());
                wrong.extend(there.map(|file| format!("{name} ({}): {file} is there", case.what)));
            }
            Step::Leave { leave } => shop.write(leave, "of another shop\n"),
            Step::Ask { ask, answer } => {
                let found = shop.ask(ask);
                if found != *answer {
                    wrong.push(format!("{name} ({}): {ask}\n  {found:?}\n  and not {answer:?}", case.what));
                }
            }
        }
    }
    wrong
}

#[test]
fn every_case_has_its_right_answer() {
    let mut names: Vec<String> = std::fs::read_dir(folder(""))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    assert!(names.len() > 30, "{names:?}");
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let half = names.len() / 2;
        let halves = [&names[..half], &names[half..]];
        let runs = halves.map(|names| scope.spawn(|| names.iter().flat_map(|name| run(name)).collect::<Vec<_>>()));
        runs.into_iter().flat_map(|run| run.join().unwrap()).collect()
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
