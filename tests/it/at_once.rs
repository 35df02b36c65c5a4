//! One folder, one writer: runs at once lose nothing, and a run that was killed leaves nothing behind.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::shop::Shop;

const TABLES: usize = 8;

fn command(shop: &Shop, stage: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_selvedge"));
    command.arg(stage).arg("--root").arg(shop.path("")).stderr(Stdio::piped());
    command
}

/// Of each pair one side ends well; the other does too, once the first is done, or says who holds the folder.
#[test]
fn pairs_of_runs_lose_nothing() {
    let shop = Shop::new(10);
    shop.must(&["ingest"]);
    let before = shop.files("work/ingest");
    assert_eq!(before.len(), TABLES);
    let mut refused = 0;
    for pair in 0..30 {
        let sides = [0, 1].map(|_| command(&shop, "ingest").spawn().unwrap());
        let ends = sides.map(|side| side.wait_with_output().unwrap());
        assert!(ends.iter().any(|end| end.status.success()), "pair {pair}: neither side ended well");
        for end in ends.iter().filter(|end| !end.status.success()) {
            refused += 1;
            let words = String::from_utf8_lossy(&end.stderr);
            assert_eq!(end.status.code(), Some(1));
            assert!(words.contains("another command writes into work: "), "{words}");
            assert!(words.contains("do: wait until it has ended"), "{words}");
        }
        assert!(shop.files("work/ingest") == before, "pair {pair}");
    }
    assert!(refused > 0, "no two runs ever met");
}

#[test]
fn the_holder_is_named() {
    let shop = Shop::new(10);
    shop.must(&["ingest"]);
    let held = std::fs::OpenOptions::new().write(true).open(shop.path("work/.lock")).unwrap();
    held.try_lock().unwrap();
    shop.write("work/.lock", "selvedge run, process 12, since 2031-05-01T10:00:00Z\n");
    let output = shop.run(&["ingest"]);
    let words = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(words.contains("selvedge run, process 12, since 2031-05-01T10:00:00Z"), "{words}");
    // Who only looks is let in.
    assert_eq!(shop.ask("SELECT COUNT(*) FROM sources.customers"), ["10"]);
    // What a dead process wrote holds nobody up.
    drop(held);
    shop.must(&["ingest"]);
}

#[test]
fn a_killed_run_leaves_nothing_that_the_next_does_not_clean() {
    let shop = Shop::new(400);
    shop.must(&["ingest"]);
    let before = shop.files("work/ingest");
    for wait in [5, 20, 40, 80, 120, 160, 200, 300] {
        let mut run = command(&shop, "ingest").spawn().unwrap();
        std::thread::sleep(Duration::from_millis(wait));
        run.kill().unwrap();
        run.wait().unwrap();
        // Any command that writes cleans up, whichever was killed.
        let _ = shop.run(&["frame"]);
        let left: Vec<String> = std::fs::read_dir(shop.path("work"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .filter(|name| name.ends_with(".new"))
            .collect();
        assert!(left.is_empty(), "{left:?}");
        assert!(shop.files("work/ingest") == before, "after {wait} ms");
    }
}

/// Killed while it put its outputs into their places: the next command puts the rest there.
#[test]
fn what_was_being_put_into_place_is() {
    let shop = Shop::new(10);
    shop.must(&["ingest"]);
    let (ingest, split) = (shop.files("work/ingest"), shop.files("work/split"));
    let scratch = shop.path("work/.ingest.new");
    std::fs::create_dir(&scratch).unwrap();
    // The first output was moved away and not yet replaced, the second not yet touched.
    std::fs::rename(shop.path("work/ingest"), scratch.join("0")).unwrap();
    std::fs::create_dir(scratch.join("0.old")).unwrap();
    shop.copy(&shop.path("work/split"), "work/.ingest.new/1");
    shop.write("work/.ingest.new/journal", "work/ingest\nwork/split\nwhole\n");
    let _ = shop.run(&["frame"]);
    assert!(shop.files("work/ingest") == ingest && shop.files("work/split") == split);
    assert!(!scratch.exists());
    // Without the last line, it was still being written: nothing of it is used.
    shop.write("work/.ingest.new/journal", "work/ingest\n");
    shop.write("work/.ingest.new/0/customers.parquet", "half");
    let _ = shop.run(&["frame"]);
    assert!(shop.files("work/ingest") == ingest && !scratch.exists());
}

/// Ctrl-C says what it means for what is there.
#[test]
fn who_stops_a_run_is_told_that_nothing_is_lost() {
    let shop = Shop::new(12);
    shop.must(&["ingest"]);
    let before = shop.files("work/ingest");
    let mut run = Command::new(env!("CARGO_BIN_EXE_selvedge"))
        .args(["run", "--root"])
        .arg(shop.path(""))
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(run.stderr.take().unwrap());
    let mut first = String::new();
    said.read_line(&mut first).unwrap();
    assert!(Command::new("kill").arg("-INT").arg(run.id().to_string()).status().unwrap().success());
    let mut rest = String::new();
    said.read_to_string(&mut rest).unwrap();
    assert_eq!(run.wait().unwrap().code(), Some(130), "{first}{rest}");
    assert!(rest.contains("nothing is lost"), "{first}{rest}");
    shop.must(&["ingest"]);
    assert_eq!(shop.files("work/ingest"), before);
}
