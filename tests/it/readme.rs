//! The README is right: its feature can be dropped in, and its commands are commands.

use std::path::Path;

use clap::Parser;
use clap::error::ErrorKind;
use selvedge::cases;
use selvedge::cli::Cli;

use crate::shop::{ROOT, Shop};

fn readme() -> String {
    std::fs::read_to_string(Path::new(ROOT).join("README.md")).unwrap()
}

/// The README's blocks in one language.
fn blocks(language: &str) -> Vec<String> {
    let start = format!("```{language}\n");
    let readme = readme();
    let blocks = readme.split(&start).skip(1).filter_map(|rest| rest.split_once("```"));
    blocks.map(|(block, _)| block.to_owned()).collect()
}

/// The words of a command as a shell takes them; a comment ends it.
fn shell_words(command: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for letter in command.chars() {
        match (letter, quote) {
            ('#', None) if word.is_none() => break,
            ('\'' | '"', None) => quote = Some(letter),
            (' ', None) => words.extend(word.take()),
            _ if Some(letter) == quote => quote = None,
            _ => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    words
}

/// What comes after `selvedge`, wherever the README names the program.
fn commands() -> Vec<Vec<String>> {
    let readme = readme();
    let lines = blocks("sh").join("\n");
    let inline = readme.split('`').skip(1).step_by(2).filter(|code| !code.contains('\n'));
    let starts = ["selvedge ", "target/release/selvedge ", "cargo run --release -- "];
    let command = |text: &str| starts.iter().find_map(|start| text.trim().strip_prefix(start)).map(shell_words);
    lines.lines().chain(inline).filter_map(command).collect()
}

#[test]
fn the_feature_can_be_dropped_in() {
    let blocks = blocks("sql");
    let feature = blocks.iter().find(|block| block.starts_with("/*---")).unwrap();
    assert!(feature.trim().lines().count() <= 5, "a feature takes more than five lines:\n{feature}");
    let readme = readme();
    let (_, file) = readme.split_once("One file, `").unwrap();
    let (file, _) = file.split_once('`').unwrap();
    let name = Path::new(file).file_stem().unwrap().to_str().unwrap();
    let shop = Shop::new(10);
    shop.write(file, feature);
    shop.write(&format!("tests/features/{name}.yaml"), &self::blocks("yaml")[0]);
    if let Err(error) = cases::run(&selvedge::open(Some(&shop.path(""))).unwrap(), &[]) {
        panic!("{error}");
    }
    for stage in ["ingest", "embeddings", "features"] {
        shop.must(&[stage]);
    }
    let rows = shop.ask(&format!("SELECT COUNT(*) FROM features.{name}"));
    assert_eq!(rows, shop.ask("SELECT COUNT(*) FROM grain.customer"));
    assert_ne!(rows, ["0"]);
}

#[test]
fn the_commands_are_commands() {
    let commands = commands();
    assert!(commands.len() >= 5, "{commands:?}");
    for words in commands {
        let parsed = Cli::try_parse_from([&["selvedge".to_owned()], words.as_slice()].concat());
        // To clap, a page of help is an error.
        let wrong = parsed.err().filter(|error| error.kind() != ErrorKind::DisplayHelp);
        assert!(wrong.is_none(), "selvedge {words:?}: {wrong:?}");
    }
}

#[test]
fn the_questions_have_answers() {
    let shop = Shop::new(10);
    shop.must(&["ingest"]);
    shop.write("question.sql", "SELECT COUNT(*) AS n FROM raw.customers");
    let question = shop.path("question.sql").to_string_lossy().into_owned();
    for words in commands().iter().filter(|words| words[0] == "sql") {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let words: Vec<&str> =
            words.iter().map(|word| if *word == "question.sql" { &question } else { *word }).collect();
        assert_ne!(shop.must(&words), "", "{words:?}");
    }
}
