//! Bad input: exit code 1, one message that says file, line, value and what to do, and the last outputs untouched.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use crate::shop::Shop;

/// What is broken, the stage that meets it, how to break it, and what the message must contain.
type Case = (&'static str, &'static str, fn(&Shop), &'static [&'static str]);

const CUSTOMERS: &str = "materials/customers.csv";
const SOURCE: &str = "sql/sources/customers.sql";
const VIEW: &str = "sql/features/aaa.sql";

type Files = Vec<(String, Vec<u8>)>;

/// A shop whose stages have run as far as features need.
fn good_shop() -> Shop {
    static MADE: OnceLock<Files> = OnceLock::new();
    let shop = Shop::new(20);
    let made = MADE.get_or_init(|| {
        shop.must(&["ingest"]);
        if cfg!(feature = "encoder") {
            shop.must(&["embeddings"]);
            shop.must(&["features"]);
        }
        shop.files("work")
    });
    put(&shop, made);
    shop
}

fn put(shop: &Shop, files: &Files) {
    for (name, bytes) in files {
        let path = shop.path(name);
        if std::fs::read(&path).is_ok_and(|there| there == *bytes) {
            continue;
        }
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
}

/// Everything but the outputs back to how it was.
fn restore(shop: &Shop, files: &Files) {
    for folder in ["sql", "materials", "work"] {
        match shop.path(folder).is_dir() {
            true => std::fs::remove_dir_all(shop.path(folder)).unwrap(),
            false => drop(std::fs::remove_file(shop.path(folder))),
        }
    }
    put(shop, files);
}

fn words(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// One message: a line `error: …` and a line `  do: …`, nothing after them, and no traces of a panic.
fn check_message(what: &str, output: &Output, says: &[&str]) {
    let words = words(output);
    assert_eq!(output.status.code(), Some(1), "{what}: exit code\n{words}");
    let message = words.split_once("error: ").map_or("", |(_, message)| message);
    assert_eq!(words.matches("error: ").count(), 1, "{what}: one message\n{words}");
    assert_eq!(message.trim_end().lines().count(), 2, "{what}: two lines\n{words}");
    assert!(message.contains("\n  do: "), "{what}: what to do\n{words}");
    for wanted in says {
        assert!(message.contains(wanted), "{what}: {wanted:?} is not in\n{message}");
    }
    let jargon = ["panicked", "RUST_BACKTRACE", "Schema error", "planning", "Execution error", "Arrow error"];
    let found = jargon.iter().find(|jargon| words.contains(**jargon));
    assert_eq!(found, None, "{what}: the message is for developers\n{words}");
}

fn check(cases: &[Case]) {
    let shop = good_shop();
    let good = shop.files("");
    let mut wrong = Vec::new();
    for (what, stage, break_it, says) in cases {
        break_it(&shop);
        let before = shop.files("");
        let output = shop.run(&[stage]);
        // One run tells of all cases.
        let checked = std::panic::catch_unwind(|| {
            check_message(what, &output, says);
            let after = shop.files("");
            let names = |files: &Files| files.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
            assert_eq!(names(&before), names(&after), "{what}: files came or went");
            assert!(before == after, "{what}: the last outputs changed");
        });
        wrong.extend(checked.err().map(|_| *what));
        restore(&shop, &good);
    }
    assert!(wrong.is_empty(), "{wrong:?}; see above");
}

/// Changes one line of a file, the first is 1.
fn line(shop: &Shop, file: &str, number: usize, change: impl Fn(&str) -> String) {
    let text = shop.read(file);
    let lines = (1..).zip(text.lines()).map(|(n, line)| match n == number {
        true => change(line),
        false => line.to_owned(),
    });
    shop.write(file, &lines.map(|line| line + "\n").collect::<String>());
}

/// Changes every line of a file but the first.
fn rows(shop: &Shop, file: &str, change: impl Fn(&str) -> String) {
    let text = shop.read(file);
    let (header, rows) = text.split_once('\n').unwrap();
    let rows: String = rows.lines().map(|line| change(line) + "\n").collect();
    shop.write(file, &format!("{header}\n{rows}"));
}

/// A feature view with the column `n`; its query begins on line 4.
fn view(shop: &Shop, query: &str) {
    let header =
        "{name: aaa, version: 1, entity: customer, owner: me, description: X., columns: {n: {unit: u, meaning: m}}}";
    shop.write(VIEW, &format!("/*---\n{header}\n---*/\n{query}\n"));
}

/// A feature view with another header.
fn header(shop: &Shop, yaml: &str) {
    shop.write(VIEW, &format!("/*---\n{yaml}\n---*/\nSELECT 1\n"));
}

fn remove(shop: &Shop, path: &str) {
    match shop.path(path).is_dir() {
        true => std::fs::remove_dir_all(shop.path(path)).unwrap(),
        false => std::fs::remove_file(shop.path(path)).unwrap(),
    }
}

#[test]
fn csvs() {
    check(&[
        ("missing file", "ingest", |s| remove(s, CUSTOMERS), &["materials/customers.csv"]),
        (
            "missing column",
            "ingest",
            |s| line(s, CUSTOMERS, 1, |l| l.replace("age_group", "age_grup")),
            &["customers.csv:1", "'age_group'", "is age_grup meant by age_group?"],
        ),
        (
            "extra column",
            "ingest",
            |s| line(s, CUSTOMERS, 1, |l| format!("{l},shoe_size")),
            &["customers.csv:1", "'shoe_size'", SOURCE],
        ),
        (
            "column twice",
            "ingest",
            |s| line(s, CUSTOMERS, 1, |l| l.replace("gender", "region")),
            &["customers.csv:1", "'region'", "twice"],
        ),
        ("no bytes", "ingest", |s| s.write(CUSTOMERS, ""), &["customers.csv is empty"]),
        ("only a byte order mark", "ingest", |s| s.write(CUSTOMERS, "\u{feff}"), &["customers.csv is empty"]),
        (
            "header only",
            "ingest",
            |s| s.write(CUSTOMERS, s.read(CUSTOMERS).lines().next().unwrap()),
            &["customers.csv has a header line and no rows"],
        ),
        (
            "quote opened in the middle",
            "ingest",
            |s| line(s, CUSTOMERS, 5, |l| l.replacen(',', ",\"", 1)),
            &["customers.csv:5", "quote", "anna/3,\""],
        ),
        (
            "quote opened on the last line",
            "ingest",
            |s| line(s, CUSTOMERS, 21, |l| l.replacen(',', ",\"", 1)),
            &["customers.csv", "anna/19"],
        ),
        (
            "two open quotes that meet",
            "ingest",
            |s| [7, 9].iter().for_each(|n| line(s, CUSTOMERS, *n, |l| l.replace(",mid,", ",mid,\""))),
            &["customers.csv:7", "quote"],
        ),
        (
            "open quote, lines of Windows",
            "ingest",
            |s| {
                line(s, CUSTOMERS, 7, |l| l.replace(",mid,", ",mid,\""));
                s.write(CUSTOMERS, &s.read(CUSTOMERS).replace('\n', "\r\n"));
            },
            &["customers.csv:7", "anna/5"],
        ),
        (
            "quote opened in the header",
            "ingest",
            |s| line(s, CUSTOMERS, 1, |l| format!("\"{l}")),
            &["customers.csv:1", "quote"],
        ),
        (
            "semicolons",
            "ingest",
            |s| s.write(CUSTOMERS, &s.read(CUSTOMERS).replace(',', ";")),
            &["customers.csv:1", "not separated by commas"],
        ),
        (
            "UTF-16",
            "ingest",
            |s| {
                let bytes: Vec<u8> = s.read(CUSTOMERS).encode_utf16().flat_map(u16::to_le_bytes).collect();
                std::fs::write(s.path(CUSTOMERS), [b"\xff\xfe", bytes.as_slice()].concat()).unwrap();
            },
            &["customers.csv:1", "UTF-8"],
        ),
        (
            "too many cells in every row",
            "ingest",
            |s| rows(s, CUSTOMERS, |l| format!("{l},more")),
            &[
                "materials/customers.csv:2",
                "20 of 20 rows",
                "10 cells instead of 9",
                "anna/0,",
                ",more",
                "max_set_aside_share",
            ],
        ),
        (
            "no row with a readable time",
            "ingest",
            |s| rows(s, "materials/transactions.csv", |l| l.replace('T', "?")),
            &["materials/transactions.csv:2", "event_time: no readable time", "?12:", "max_set_aside_share"],
        ),
    ]);
}

#[test]
fn one_bad_row_stops_nothing() {
    let shop = good_shop();
    line(&shop, CUSTOMERS, 5, |l| format!("{l},more"));
    shop.must(&["ingest"]);
    let rows = shop.ask("SELECT file, line, reason FROM sources.rejected WHERE file = 'customers.csv'");
    assert_eq!(rows, ["customers.csv,5,the row has 10 cells instead of 9"]);
}

#[test]
fn sql_library() {
    check(&[
        (
            "syntax error",
            "ingest",
            |s| view(s, "SELECT g.customer_id,\n  g.as_of,, 1 AS n FROM grain.customer g"),
            &["sql/features/aaa.sql:5", "Expected: an expression"],
        ),
        ("open text", "ingest", |s| view(s, "SELECT\n'abc FROM grain.customer"), &["aaa.sql:5", "string"]),
        ("no query", "ingest", |s| view(s, ""), &["aaa.sql holds nothing after its header"]),
        ("two queries", "ingest", |s| view(s, "SELECT 1; SELECT 2"), &["aaa.sql holds 2 statements"]),
        ("no SELECT", "ingest", |s| view(s, "DROP TABLE x"), &["aaa.sql holds a statement that is no query"]),
        (
            "unknown table",
            "ingest",
            |s| view(s, "SELECT 1 FROM grain.customer\nCROSS JOIN sources.transaction"),
            &["aaa.sql:5", "sources.transaction,", "did you mean sources.transactions"],
        ),
        (
            "unknown parameter",
            "features",
            |s| view(s, "SELECT customer_id, as_of,\n  $tast_look AS n FROM grain.customer"),
            &["aaa.sql:5", "$tast_look", "did you mean taste_look?"],
        ),
        (
            "unknown parameter, nothing near",
            "features",
            |s| view(s, "SELECT customer_id, as_of,\n  $zzz AS n FROM grain.customer"),
            &["aaa.sql:5", "$zzz", "section features of params.yaml"],
        ),
        (
            "feature reads labels",
            "ingest",
            |s| view(s, "SELECT 1 FROM grain.customer\nCROSS JOIN labels.kept_purchase"),
            &["aaa.sql:5", "labels.kept_purchase", "grain, sources, embeddings"],
        ),
        (
            "feature reads the frame",
            "ingest",
            |s| view(s, "SELECT 1 FROM grain.customer\nCROSS JOIN frame"),
            &["aaa.sql:5", "frame"],
        ),
        (
            "feature reads outcomes",
            "ingest",
            |s| view(s, "SELECT 1 FROM grain.customer\nCROSS JOIN sources.recommendations"),
            &["aaa.sql:5", "sources.recommendations", "outcomes"],
        ),
        (
            "source reads features",
            "ingest",
            |s| s.replace(SOURCE, "FROM numbered", "FROM numbered CROSS JOIN features.visit"),
            &["sql/sources/customers.sql:", "features.visit", "raw, sources"],
        ),
        (
            "two files of one name",
            "ingest",
            |s| s.write("sql/features/more/visit.sql", &s.read("sql/features/visit.sql")),
            &["sql/features/more/visit.sql", "sql/features/visit.sql"],
        ),
        (
            "a circle",
            "ingest",
            |s| {
                s.replace(
                    SOURCE,
                    "FROM raw.customers r",
                    "FROM raw.customers r LEFT JOIN sources.transactions z ON false",
                )
            },
            &["sql/sources/customers.sql -> sql/sources/transactions.sql -> sql/sources/customers.sql"],
        ),
        (
            "unknown folder",
            "ingest",
            |s| s.write("sql/feature/x.sql", "SELECT 1"),
            &["sql/feature ", "did you mean features?"],
        ),
        ("file in no folder", "ingest", |s| s.write("sql/x.sql", "SELECT 1"), &["sql/x.sql", "features"]),
        ("no header", "ingest", |s| s.write(VIEW, "SELECT 1"), &["aaa.sql has no header"]),
        ("header not closed", "ingest", |s| s.write(VIEW, "/*---\nname: aaa\n*/ SELECT 1"), &["aaa.sql has no header"]),
        ("header no YAML", "ingest", |s| header(s, "name: aaa\nversion: [1"), &["aaa.sql:"]),
        (
            "unknown key in a header",
            "ingest",
            |s| header(s, "name: aaa\nversion: 1\nentitty: customer\nowner: me\ndescription: x\ncolumns: {}"),
            &["aaa.sql:4", "`entitty`", "did you mean entity?"],
        ),
        (
            "missing key in a header",
            "ingest",
            |s| header(s, "name: aaa\nversion: 1\nowner: me\ndescription: x\ncolumns: {}"),
            &["aaa.sql:", "missing key `entity`"],
        ),
        (
            "bad value in a header",
            "ingest",
            |s| header(s, "name: aaa\nversion: one\nentity: customer\nowner: me\ndescription: x\ncolumns: {}"),
            &["aaa.sql:3", "version", "\"one\"", "a whole number"],
        ),
        (
            "name differs from the file's",
            "ingest",
            |s| s.write("sql/features/bbb.sql", &s.read("sql/features/visit.sql")),
            &["bbb.sql", "name: visit", "write name: bbb"],
        ),
        (
            "unknown entity",
            "ingest",
            |s| {
                view(s, "SELECT 1 FROM grain.customer");
                s.replace(VIEW, "entity: customer", "entity: custommer");
            },
            &["aaa.sql", "custommer", "did you mean customer"],
        ),
        (
            "a question mark",
            "ingest",
            |s| view(s, "SELECT customer_id, as_of,\n  ? AS n FROM grain.customer"),
            &["aaa.sql:5", "? stands for a value that nobody gives", "section features of params.yaml"],
        ),
        (
            "grain without a moment",
            "ingest",
            |s| s.replace("sql/grain/product.sql", "key: [product_id, season, as_of]", "key: [product_id, season]"),
            &["sql/grain/product.sql", "needs as_of", "product_id, season"],
        ),
        ("grain not read", "ingest", |s| view(s, "SELECT 1 FROM grain.product"), &["aaa.sql", "grain.customer"]),
        ("no sql folder", "ingest", |s| remove(s, "sql"), &["sql cannot be read"]),
    ]);
}

#[cfg(feature = "encoder")]
#[test]
fn feature_views() {
    check(&[
        (
            "mistyped column",
            "features",
            |s| {
                view(
                    s,
                    "SELECT g.customer_id, g.as_of,\n  MAX(t.lin) AS n\nFROM grain.customer g LEFT JOIN sources.transactions t ON true GROUP BY 1, 2",
                )
            },
            &["aaa.sql:5", "no column t.lin", "did you mean t.line"],
        ),
        (
            "mistyped alias",
            "features",
            |s| view(s, "SELECT g.customer_id, g.as_of,\n  x.line AS n FROM grain.customer g"),
            &["aaa.sql:5", "no column x.line", "g.customer_id, g.as_of"],
        ),
        (
            "mistyped function",
            "features",
            |s| view(s, "SELECT g.customer_id, g.as_of,\n  COUNTT(1) AS n FROM grain.customer g"),
            &["aaa.sql:5", "'countt'", "did you mean count?"],
        ),
        (
            "column of two tables",
            "features",
            |s| view(s, "SELECT\n  customer_id, g.as_of, 1 AS n FROM grain.customer g CROSS JOIN sources.customers t"),
            &["aaa.sql:5", "customer_id is a column of several tables"],
        ),
        (
            "not grouped",
            "features",
            |s| view(s, "SELECT g.customer_id,\n  g.as_of, COUNT(*) AS n FROM grain.customer g GROUP BY g.customer_id"),
            &["aaa.sql:5", "g.as_of", "add it to GROUP BY"],
        ),
        (
            "a text that is no number",
            "features",
            |s| view(s, "SELECT customer_id, as_of, CAST(customer_id AS INT) AS n FROM grain.customer"),
            &["aaa.sql", "'anna/", "TRY_CAST"],
        ),
        (
            "division by zero",
            "features",
            |s| {
                view(
                    s,
                    "SELECT customer_id, as_of, 1 / CAST(as_of < TIMESTAMP '1999-01-01' AS INT) AS n FROM grain.customer",
                )
            },
            &["aaa.sql", "NULLIF"],
        ),
        (
            "unknown time zone",
            "features",
            |s| view(s, "SELECT customer_id, as_of, local_time(as_of, 'Mars') AS n FROM grain.customer"),
            &["aaa.sql", "'Mars'", "Europe/Berlin"],
        ),
        (
            "a type that Parquet has not",
            "features",
            |s| view(s, "SELECT customer_id, as_of, INTERVAL '1' DAY AS n FROM grain.customer"),
            &["work/features/aaa.parquet", "CAST"],
        ),
        (
            "too few rows",
            "features",
            |s| {
                view(
                    s,
                    "SELECT g.customer_id, g.as_of, 1 AS n FROM grain.customer g JOIN sources.customers c ON c.customer_id = g.customer_id AND c.customer_id <> 'anna/0'",
                )
            },
            &["aaa.sql", "rows of grain.customer", "customer_id=anna/0, as_of=", "LEFT JOIN"],
        ),
        (
            "too many rows",
            "features",
            |s| view(s, "SELECT g.customer_id, g.as_of, 1 AS n FROM grain.customer g CROSS JOIN sources.customers"),
            &["aaa.sql", "20 rows stand for one key", "customer_id=anna/0, as_of="],
        ),
        (
            "no value in the key",
            "features",
            |s| view(s, "SELECT NULLIF(customer_id, 'anna/0') AS customer_id, as_of, 1 AS n FROM grain.customer"),
            &["aaa.sql", "customer_id=no value, as_of="],
        ),
        (
            "grain rows twice",
            "features",
            |s| {
                s.replace("sql/grain/customer.sql", "SELECT DISTINCT", "SELECT");
                s.replace("sql/grain/customer.sql", "WHERE", "CROSS JOIN (VALUES (1), (2)) twice(n) WHERE");
            },
            &["sql/grain/customer.sql", "rows stand for one key (customer_id=anna/", "SELECT DISTINCT"],
        ),
        (
            "a window written backwards",
            "features",
            |s| {
                view(
                    s,
                    "SELECT customer_id, as_of,\n  LAG(as_of) OVER (PARTITION BY customer_id ORDER BY as_of DESC) AS n FROM grain.customer",
                )
            },
            &["aaa.sql:5: window-looks-ahead", "LAG takes later rows of grain.customer", "order by time ascending"],
        ),
        (
            "a leak",
            "features",
            |s| {
                view(
                    s,
                    "SELECT g.customer_id, g.as_of, COUNT(t.line) AS n FROM grain.customer g\nLEFT JOIN sources.transactions t ON t.customer_id = g.customer_id\nGROUP BY g.customer_id, g.as_of",
                )
            },
            &["aaa.sql:5: no-time-bound", "sources.transactions", "AND t.event_time < g.as_of"],
        ),
        (
            "a parameter of another kind",
            "features",
            |s| {
                s.replace("params.yaml", "return_window: 21 days", "return_window: 21 days\n  lately: twelve");
                view(s, "SELECT g.customer_id, g.as_of,\n  g.as_of - $lately AS n FROM grain.customer g");
            },
            &["params.yaml:", "shop.lately is 'twelve'", "sql/features/aaa.sql:5", "days such as 14 days"],
        ),
        ("no key", "features", |s| view(s, "SELECT customer_id, 1 AS n FROM grain.customer"), &["aaa.sql", "'as_of'"]),
        (
            "undeclared column",
            "features",
            |s| view(s, "SELECT customer_id, as_of, 1 AS n, 2 AS extra FROM grain.customer"),
            &["aaa.sql", "'extra'", "extra: {unit: …, meaning: …}"],
        ),
        (
            "declared column that is not there",
            "features",
            |s| view(s, "SELECT customer_id, as_of FROM grain.customer"),
            &["aaa.sql", "'n'"],
        ),
        (
            "one column of two views",
            "features",
            |s| {
                view(s, "SELECT customer_id, as_of, 1 AS region FROM grain.customer");
                s.replace(VIEW, "{n:", "{region:");
            },
            &["aaa.sql", "sql/features/customer_profile.sql", "'region'"],
        ),
    ]);
}

#[test]
fn source_queries() {
    check(&[
        (
            "mistyped column",
            "ingest",
            |s| s.replace(SOURCE, "r.price_band,", "r.price_bnd,"),
            &["sql/sources/customers.sql:", "r.price_bnd", "did you mean r.price_band"],
        ),
        (
            "row lost",
            "ingest",
            |s| s.replace(SOURCE, "FROM numbered", "FROM numbered WHERE line <> 7"),
            &[SOURCE, "20 rows went in and 19 came out", ": 7)", "LEFT JOIN"],
        ),
        (
            "row doubled",
            "ingest",
            |s| s.replace(SOURCE, "FROM numbered", "FROM numbered JOIN (VALUES (1), (2)) v(x) ON line = 7 OR v.x = 1"),
            &[SOURCE, "20 rows went in and 21 came out", ": 7)"],
        ),
        (
            "line without a value",
            "ingest",
            |s| s.replace(SOURCE, "       line,\n", "       NULLIF(line, 7) AS line,\n"),
            &[SOURCE, ": 7)"],
        ),
        (
            "undeclared code",
            "ingest",
            |s| {
                s.replace(
                    SOURCE,
                    "CASE WHEN customer_id IS NULL",
                    "CASE WHEN line = 9 THEN 'odd_one' WHEN customer_id IS NULL",
                )
            },
            &[SOURCE, "'odd_one'", "line 9 of customers.csv"],
        ),
        ("no line", "ingest", |s| s.replace(SOURCE, "       line,\n", "       line AS n,\n"), &[SOURCE, "'line'"]),
    ]);
}

#[test]
fn params() {
    check(&[
        (
            "unknown section",
            "ingest",
            |s| s.write("params.yaml", &format!("monitr:\n  x: 1\n{}", s.read("params.yaml"))),
            &["params.yaml:1:", "'monitr'", "did you mean monitor?"],
        ),
        (
            "missing section",
            "ingest",
            |s| s.replace("params.yaml", "engine:\n  partitions: 2\n", ""),
            &["params.yaml", "'engine'"],
        ),
        (
            "unknown key",
            "ingest",
            |s| s.replace("params.yaml", "  robot_looks:", "  robot_look:"),
            &["params.yaml:19:", "ingest.robot_look ", "did you mean robot_looks?"],
        ),
        (
            "key that is used by nobody",
            "ingest",
            |s| s.replace("params.yaml", "engine:\n", "engine:\n  colour: red\n"),
            &["params.yaml:13:", "engine.colour", "remove it"],
        ),
        (
            "missing key",
            "ingest",
            |s| s.replace("params.yaml", "  partitions: 2\n", ""),
            &["params.yaml:12:", "engine.partitions", "add `partitions: …`"],
        ),
        (
            "mistyped key",
            "ingest",
            |s| s.replace("params.yaml", "  partitions:", "  partition:"),
            &["params.yaml:12:", "engine.partitions", "rename partition to partitions"],
        ),
        (
            "text for a number",
            "ingest",
            |s| s.replace("params.yaml", "partitions: 2", "partitions: two"),
            &["params.yaml:13:", "engine.partitions is two", "a whole number"],
        ),
        (
            "too few draws for a range",
            "ingest",
            |s| s.replace("params.yaml", "draws: 40", "draws: 1"),
            &["params.yaml:", "evaluate.draws is 1", "from 40 on"],
        ),
        (
            "negative count",
            "ingest",
            |s| s.replace("params.yaml", "per_customer: 10", "per_customer: -10"),
            &["params.yaml:", "recommend.per_customer is -10"],
        ),
        (
            "share above 1",
            "ingest",
            |s| s.replace("params.yaml", "share: 0.2", "share: 1.5"),
            &["params.yaml:17:", "ingest.max_set_aside_share is 1.5", "between 0 and 1"],
        ),
        (
            "time zone",
            "ingest",
            |s| s.replace("params.yaml", "Europe/Berlin", "Europe/Berln"),
            &["params.yaml:6:", "shop.timezone is Europe/Berln"],
        ),
        (
            "time",
            "ingest",
            |s| s.replace("params.yaml", "2032-03-01 06:30:00", "2032-13-01"),
            &["params.yaml:5:", "shop.exported_at is 2032-13-01"],
        ),
        (
            "time that the clock skips",
            "ingest",
            |s| s.replace("params.yaml", "2032-03-01 06:30:00", "2032-03-28 02:30:00"),
            &["params.yaml:5:", "2032-03-28 02:30:00", "exists on the shop's clock"],
        ),
        (
            "days without their unit",
            "ingest",
            |s| s.replace("params.yaml", "return_window: 21 days", "return_window: 21"),
            &["params.yaml:8:", "shop.return_window is 21", "a number of days such as"],
        ),
        (
            "a driver twice",
            "ingest",
            |s| s.replace("params.yaml", "[price, brand, style,", "[price, brand, price,"),
            &["params.yaml:10:", "shop.drivers is [price, brand, price, sustainability]", "a list of different words"],
        ),
        (
            "list for SQL",
            "ingest",
            |s| s.replace("params.yaml", "  robot_looks: 60", "  robot_looks: [60]"),
            &["params.yaml:19:", "ingest.robot_looks is [60]"],
        ),
        (
            "no YAML",
            "ingest",
            |s| s.replace("params.yaml", "partitions: 2", "partitions: [2"),
            &["params.yaml:", "']'"],
        ),
        (
            "a cluster, and a program that knows none",
            "ingest",
            |s| s.replace("params.yaml", "partitions: 2", "partitions: 2\n  cluster: http://127.0.0.1:50050"),
            &["params.yaml:14: engine.cluster is http://127.0.0.1:50050", "selvedge-cluster run -- …"],
        ),
        (
            "a cluster without an address",
            "ingest",
            |s| s.replace("params.yaml", "partitions: 2", "partitions: 2\n  cluster: three machines"),
            &["params.yaml:14: engine.cluster is three machines", "an address such as"],
        ),
        ("a tab", "ingest", |s| s.replace("params.yaml", "  partitions", "\tpartitions"), &["params.yaml:13:"]),
        ("key twice", "ingest", |s| s.replace("params.yaml", "draws: 40", "draws: 40\n  draws: 3"), &["\"draws\""]),
        ("empty", "ingest", |s| s.write("params.yaml", ""), &["params.yaml: section 'shop' is missing"]),
        ("none", "ingest", |s| remove(s, "params.yaml"), &["is not a project", "params.yaml", "--root DIR"]),
    ]);
}

#[test]
fn stages_before_their_time() {
    check(&[
        ("features", "features", |s| remove(s, "work"), &["work/ingest/", "run `selvedge ingest` first"]),
        ("train", "train", |_| (), &["work/frame.parquet", "run `selvedge frame` first"]),
        ("evaluate", "evaluate", |_| (), &["does not exist yet", "run `selvedge "]),
        ("recommend", "recommend", |_| (), &["work/", "run `selvedge rank` first"]),
        ("report", "report", |_| (), &["work/", "run `selvedge "]),
        (
            "Parquet that is none",
            "features",
            |s| s.write("work/ingest/transactions.parquet", "nonsense"),
            &["work/ingest/transactions.parquet", "delete work/ingest/transactions.parquet"],
        ),
        (
            "Parquet of no bytes",
            "features",
            |s| s.write("work/ingest/transactions.parquet", ""),
            &["work/ingest/transactions.parquet", "the file is empty"],
        ),
        (
            "Parquet with holes",
            "features",
            |s| {
                let file = s.path("work/ingest/transactions.parquet");
                let mut bytes = std::fs::read(&file).unwrap();
                let footer = bytes.len() - 4096;
                bytes[4..footer].fill(0);
                std::fs::write(file, bytes).unwrap();
            },
            &["work/ingest/transactions.parquet cannot be read", "run the stage that makes it again"],
        ),
    ]);
}

#[test]
fn outputs_that_cannot_be_replaced() {
    let shop = good_shop();
    remove(&shop, "work");
    shop.write("work", "a file");
    check_message("work is a file", &shop.run(&["ingest"]), &["work/", "cannot be written"]);
    assert_eq!(shop.read("work"), "a file");
}

/// A full disk, as far as one process can have one: files may not grow beyond a limit.
#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_is_full() {
    let shop = good_shop();
    let before = shop.files("");
    // Half of what the largest table needs, in blocks of 512 bytes.
    let largest = before.iter().filter(|(name, _)| name.starts_with("work/ingest")).map(|(_, bytes)| bytes.len()).max();
    let script = format!("trap '' XFSZ; ulimit -f {}; exec \"$@\"", largest.unwrap() / 1024);
    let program = env!("CARGO_BIN_EXE_selvedge");
    let arguments = ["-c", &script, "sh", program, "ingest", "--root"];
    let output = Command::new("sh").args(arguments).arg(shop.path("")).output().unwrap();
    check_message("full disk", &output, &["work/ingest/", "cannot be written", "free some space"]);
    assert!(shop.files("") == before, "the last outputs changed");
}

#[test]
fn a_project_that_is_not_there() {
    let run = |folder: &Path| {
        let program = env!("CARGO_BIN_EXE_selvedge");
        Command::new(program).args(["ingest", "--root"]).arg(folder).output().unwrap()
    };
    check_message("no folder", &run(Path::new("/no/such/folder")), &["/no/such/folder", "params.yaml", "--root DIR"]);
    let empty = tempfile::tempdir().unwrap();
    check_message("no project", &run(empty.path()), &["params.yaml", "--root DIR"]);
    let above = Command::new(env!("CARGO_BIN_EXE_selvedge")).arg("ingest").current_dir(empty.path()).output().unwrap();
    check_message("no project above", &above, &["in any folder above", "--root DIR"]);
}

#[test]
fn wrong_usage_is_exit_code_2() {
    let shop = Shop::new(1);
    let wrong: [&[&str]; 6] = [
        &["ingst"],
        &["ingest", "--partitions", "0"],
        &["ingest", "--partitions", "many"],
        &["sql", "SELECT 1", "--format", "xml"],
        &["sql", "SELECT 1", "-f", "question.sql"],
        &["ingest", "--nothing"],
    ];
    for arguments in wrong {
        let output = shop.run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", words(&output));
        assert!(!words(&output).contains("panicked"), "{arguments:?}: {}", words(&output));
    }
}

#[test]
fn questions() {
    let shop = good_shop();
    let before = shop.files("");
    let wrong: [(&[&str], &[&str]); 9] = [
        (&["sql", "SELECT 1\nFRM x"], &["your query:2", "found: x"]),
        (&["sql", "SELECT 1 +"], &["your query", "end of the query"]),
        (
            &["sql", "SELECT * FROM sources.transaction"],
            &["your query:1", "no table sources.transaction", "did you mean sources.transactions"],
        ),
        (&["sql", "SELECT * FROM nowhere"], &["your query:1", "no table nowhere", "`selvedge sql` lists"]),
        (&["sql", "SELECT lin FROM sources.customers"], &["your query:1", "no column lin", "did you mean line"]),
        (&["sql", "-f", "/no/such/question.sql"], &["/no/such/question.sql"]),
        (&["sql", "DROP TABLE sources.customers"], &["your query"]),
        (&["sql", "COPY (SELECT 1 AS a) TO 'a.csv'"], &["your query"]),
        (&["sql", "CREATE TABLE x AS SELECT 1"], &["your query"]),
    ];
    for (arguments, says) in wrong {
        check_message(&format!("{arguments:?}"), &shop.run(arguments), says);
    }
    assert!(shop.files("") == before, "a question changed a file");
}

/// `| head -1`: the reader goes away before everything is written.
#[test]
fn a_reader_that_stops_early_is_no_failure() {
    let shop = good_shop();
    let query = "SELECT a.* FROM raw.transactions a CROSS JOIN raw.customers b";
    let mut command = Command::new(env!("CARGO_BIN_EXE_selvedge"));
    command.args(["sql", query, "--format", "csv", "--root"]).arg(shop.path(""));
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), words(&output)), (Some(0), String::new()));
}
