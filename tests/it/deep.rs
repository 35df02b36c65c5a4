//! Deep models as the stages know them: a program that learns, and what is told where it cannot; `crates/two-tower/tests` shows
//! what is learned.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use recommenders::deep::{ENVIRONMENT, Message, SessionTask, Step};
use recommenders::retrieve::Kind;

use crate::shop::Shop;

fn answer(asked: &[u8], environment: &[(&str, &str)]) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_selvedge-towers"));
    program.envs(ENVIRONMENT).envs(environment.iter().copied());
    let mut program = program.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    program.stdin.take().unwrap().write_all(asked).unwrap();
    program.wait_with_output().unwrap()
}

/// How many threads libtorch would use belongs to the whole process, so it is set from outside.
#[test]
fn what_is_learned_does_not_depend_on_torchs_own_threads() {
    let things: Vec<Vec<f64>> = (0..30).map(|thing| vec![f64::from(thing % 5), f64::from(thing)]).collect();
    let step =
        |at: u32| Step { before: vec![(at * 7 % 30, Kind::Looked), (at * 11 % 30, Kind::Bought)], next: at * 13 % 30 };
    let task = SessionTask::new(&things, &(0..400).map(step).collect::<Vec<Step>>(), 5).unwrap();
    let mut asked = Vec::new();
    task.message.write(&mut asked).unwrap();
    let learned = |threads| answer(&asked, &[("OMP_NUM_THREADS", threads), ("MKL_NUM_THREADS", threads)]).stdout;
    let expected = learned("1");
    assert!(Message::read(&mut expected.as_slice()).unwrap().is_some_and(|answer| task.learned(&answer).is_ok()));
    for threads in ["2", "8"] {
        assert!(learned(threads) == expected, "{threads} torch threads");
    }
    let refused = answer(b"\x09\0\0\0\0\0\0\0no object", &[]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("a task cannot be read"));
}

/// A program that is not there is told with what to do, and what it says to do does.
#[test]
fn a_learner_that_is_not_there_is_told_and_can_be_done_without() {
    let shop = Shop::new(30);
    shop.replace("params.yaml", "deep: false", "deep: true");
    for stage in ["ingest", "embeddings", "features", "frame"] {
        shop.must(&[stage]);
    }
    let folder = tempfile::tempdir().unwrap();
    let alone = folder.path().join("selvedge");
    std::fs::copy(env!("CARGO_BIN_EXE_selvedge"), &alone).unwrap();
    let rank = || Command::new(&alone).args(["rank", "--root"]).arg(shop.path("")).output().unwrap();
    let told = rank();
    let words = String::from_utf8_lossy(&told.stderr).into_owned();
    assert_eq!(told.status.code(), Some(1), "{words}");
    assert!(words.contains("selvedge-towers") && words.contains("deep: false"), "{words}");
    assert!(!shop.path("work/rank").exists());
    shop.replace("params.yaml", "deep: true", "deep: false");
    assert!(rank().status.success());
    assert!(!shop.read("work/rank/served.json").contains("deep two-tower"));
}
