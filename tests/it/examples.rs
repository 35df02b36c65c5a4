//! The examples run on shops that look like theirs: generated here, because nobody's data is ours to keep.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::shop::ROOT;

/// Runs an example's script on data that is there; what it says.
fn run(name: &str, folder: &Path) -> String {
    let script = Path::new(ROOT).join("examples").join(name).join("run.sh");
    let output = Command::new("sh")
        .arg(script)
        .arg(env!("CARGO_BIN_EXE_selvedge"))
        .arg(folder.join("data"))
        .arg(folder.join("project"))
        .output()
        .unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}");
    said
}

fn ask(folder: &Path, query: &str) -> Vec<String> {
    let project = folder.join("project");
    let output = Command::new(env!("CARGO_BIN_EXE_selvedge"))
        .args(["sql", query, "--format", "csv", "--root"])
        .arg(project)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).lines().skip(1).map(str::to_owned).collect()
}

/// Order lines as the UCI shop writes them: Latin-1, month first, orders sent back begin with C, some lines without a customer.
fn online_retail() -> Vec<u8> {
    let mut random = ChaCha8Rng::seed_from_u64(41);
    let mut out = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\r\n".to_owned();
    for order in 0..420 {
        let (day, customer) = (order * 370 / 420, random.gen_range(0..50));
        let at = chrono::NaiveDate::from_ymd_opt(2030, 12, 1).unwrap() + chrono::Duration::days(day);
        let at = format!("{} {}:{:02}", at.format("%-m/%-d/%Y"), random.gen_range(8..18), random.gen_range(0..60));
        let country = ["United Kingdom", "France", "EIRE"][customer % 3];
        let who = if order % 6 == 5 { String::new() } else { format!("{}", 12300 + customer) };
        for line in 0..random.gen_range(1..5) {
            let article = (random.gen_range(0..12) + 3 * customer + line) % 36;
            let name = ["CAF\u{c9} MUG", "\"LAMP, RED\"", "PAPER CHAIN"][article % 3];
            let price = 1.25 + article as f64;
            let _ = write!(
                out,
                "{},{}A,{name} {article},{},{at},{price:.2},{who},{country}\r\n",
                53600 + order,
                84000 + article,
                2 + line
            );
            if random.gen_bool(0.1) {
                let _ = write!(
                    out,
                    "C{},{}A,{name} {article},-1,{at},{price:.2},{who},{country}\r\n",
                    90000 + order,
                    84000 + article
                );
            }
        }
    }
    out.chars().map(|letter| u8::try_from(u32::from(letter)).unwrap()).collect()
}

#[test]
fn an_order_lines_shop_comes_to_its_pages() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::create_dir_all(folder.join("data")).unwrap();
    std::fs::write(folder.join("data/OnlineRetail.csv"), online_retail()).unwrap();
    let said = run("online-retail", folder);
    assert!(said.contains("customer is `CustomerID`") && said.contains("recommendations are not there"), "{said}");
    let page = |name: &str| std::fs::read_to_string(folder.join("project/reports").join(name)).unwrap();
    assert!(page("recommendations.md").contains("GBP") && page("recommendations.md").contains("P-"));
    assert!(!page("recommendations.md").contains("12301"), "a customer's number is on a page");
    assert!(page("data.md").contains("CustomerID"));
    assert_eq!(ask(folder, "SELECT COUNT(*) FROM sources.products WHERE product_name LIKE 'CAF\u{c9}%'"), ["12"]);
    let first = ask(folder, "SELECT MIN(event_time) FROM sources.transactions");
    assert!(first[0].starts_with("2030-12-01"), "month first: {first:?}");
    let linked = "SELECT COUNT(*) > 5, COUNT(*) FILTER (WHERE order_id IS NULL) FROM sources.transactions WHERE event_type = 'return'";
    assert_eq!(ask(folder, linked), ["true,0"], "a return finds the purchase it undoes");
    let aside = ask(folder, "SELECT COUNT(*) > 50 FROM sources.rejected WHERE reason = 'no_customer'");
    assert_eq!(aside, ["true"]);
    assert_eq!(ask(folder, "SELECT COUNT(DISTINCT region) FROM sources.customers"), ["3"]);
    assert!(folder.join("project/pseudonyms.key").is_file());
    assert!(std::fs::read_to_string(folder.join("project/.gitignore")).unwrap().contains("/materials/"));
}

#[test]
fn ratings_come_to_lists() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let (mut data, mut items, mut users) = (String::new(), String::new(), String::new());
    for movie in 1..=40 {
        let flags: Vec<&str> = (0..19)
            .map(|genre| if genre == 1 + movie % 4 || genre == 16 && movie % 5 == 0 { "1" } else { "0" })
            .collect();
        let _ =
            writeln!(items, "{movie}|Film \"{movie}\", The (1995)|01-Jan-1995||http://example.org|{}", flags.join("|"));
    }
    for user in 1..=60 {
        let _ = writeln!(users, "{user}|{}|{}|writer|00000", 18 + user % 50, ["M", "F"][user % 2]);
        for movie in 1..=40 {
            if random.gen_bool(0.6) {
                let liked = movie % 4 == user % 4;
                let rating = if liked { random.gen_range(4..6) } else { random.gen_range(1..5) };
                let at = 874_724_710 + 86_400 * random.gen_range(0..210);
                let _ = writeln!(data, "{user}\t{movie}\t{rating}\t{at}");
            }
        }
    }
    let genres = "unknown|0\nAction|1\nAdventure|2\nAnimation|3\nChildren's|4\nComedy|5\nWar|16\n";
    std::fs::create_dir_all(folder.join("data")).unwrap();
    for (file, text) in [("u.data", data.as_str()), ("u.item", &items), ("u.user", &users), ("u.genre", genres)] {
        std::fs::write(folder.join("data").join(file), text).unwrap();
    }
    run("movielens", folder);
    assert_eq!(ask(folder, "SELECT COUNT(DISTINCT customer_id) FROM recommendations"), ["60"]);
    assert_eq!(ask(folder, "SELECT COUNT(DISTINCT category) FROM sources.products"), ["4"]);
    let looks = "SELECT COUNT(*) = COUNT(*) FILTER (WHERE stands_for = 'browse'), COUNT(*) FILTER (WHERE event_type = 'purchase') > 500 FROM sources.transactions";
    assert_eq!(ask(folder, looks), ["true,true"]);
    assert_eq!(
        ask(folder, "SELECT MIN(event_time) FROM sources.transactions WHERE event_time > '1997-09-01'").len(),
        1
    );
    let page = std::fs::read_to_string(folder.join("project/reports/model.md")).unwrap();
    assert!(page.contains("What is left out, because the export does not have it"), "{page}");
}

/// What the files do not tell is asked for, with the words to answer in.
#[test]
fn what_cannot_be_seen_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let lines = folder.path().join("zeilen.csv");
    std::fs::write(&lines, "Kunde,Artikel,Datum,Menge\n1,A,03/04/2031,1\n2,B,05/04/2031,1\n").unwrap();
    let new = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_selvedge"))
            .arg("new")
            .arg(folder.path().join("shop"))
            .arg("--from")
            .arg(&lines)
            .args(arguments)
            .output()
            .unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let cases: [(&[&str], i32, &[&str]); 6] = [
        (&[], 1, &["in Datum, month and day could stand for each other", "--days day-first"]),
        (&["--days", "day-first"], 1, &["whose behaviour may be used", "--consent not_asked"]),
        (&["--column", "customer=Kund"], 1, &["zeilen.csv has no column 'Kund'", "did you mean Kunde"]),
        (&["--column", "custmer=Kunde"], 1, &["did you mean customer"]),
        (&["--days", "day-first", "--consent", "not_asked"], 0, &["customer is `Kunde`", "is a project"]),
        (&["--days", "day-first", "--consent", "nobody"], 1, &["is there already, and not empty"]),
    ];
    for (arguments, code, says) in cases {
        let (found, said) = new(arguments);
        assert_eq!(found, Some(code), "{arguments:?}: {said}");
        says.iter().for_each(|words| assert!(said.contains(words), "{arguments:?}: {words} is not in {said}"));
    }
    let params = std::fs::read_to_string(folder.path().join("shop/params.yaml")).unwrap();
    std::fs::write(&lines, "Kunde,Artikel,Datum\n1,A,24.12.2031 18:30\n").unwrap();
    std::fs::remove_dir_all(folder.path().join("shop")).unwrap();
    assert_eq!(new(&["--consent", "nobody", "--timezone", "Europe/Berlin"]).0, Some(0));
    let german = std::fs::read_to_string(folder.path().join("shop/params.yaml")).unwrap();
    assert!(german.contains("exported_at: \"2031-12-24 18:30:01\""), "{german}");
    assert!(
        params.contains("exported_at: \"2031-04-05 00:00:01\"") && params.contains("consent: not_asked"),
        "{params}"
    );
}
