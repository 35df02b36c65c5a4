"""`make bench-sizes`: whole shops of two sizes and a long log, under a limit of memory.

Runs with .venv-peers/bin/python from the repository's root, after `cargo build --release`; writes the part of
reports/benchmarks.md that is about sizes.  The shops are generated, the same every time.

    sizes.py             all of them
    sizes.py lines       only some, by their names: log, lines, events
"""

import os
import resource
import shutil
import sys

import numpy
import pyarrow
import pyarrow.csv

from bench import OURS, ROOT, SCRATCH, large_export, machine, run
from page import SIZES, write_part

LIMIT = "2GiB"
EXPORTED = "2031-01-01 00:00:00"
LOG_ROWS = int(os.environ.get("LOG_ROWS", "10000000"))
EVENTS = int(os.environ.get("EVENTS", "10000000"))
COLOURS = "Plum Ecru Charcoal Olive Rust Navy Sand Teal Ivory Coral".split()
KINDS = "Loafers,Parka,Crossbody Bag,Knit Dress,Linen Shirt,Wool Scarf,Rain Boots,Denim Jacket,Pleated Skirt,Chino Trousers".split(",")
MATERIALS = "recycled wool,organic cotton,linen,recycled polyester,merino,hemp,leather,lyocell".split(",")
FEATURES = "taped seams that shrug off a storm,a pinched waist,clean lines and no visible stitching,a relaxed cut,sharp shoulders,pockets for a long walk".split(",")


def csv(path, **columns):
    path.parent.mkdir(parents=True, exist_ok=True)
    pyarrow.csv.write_csv(pyarrow.table(columns), path, pyarrow.csv.WriteOptions(quoting_style="needed"))


def chosen(random, words, count):
    return pyarrow.array(words).take(pyarrow.array(random.integers(0, len(words), count)))


def numbered(letter, values, digits):
    """C000017 and the like."""
    return pyarrow.array(numpy.char.add(letter, numpy.char.zfill(values.astype(str), digits)))


def day(random, count, first, days):
    return numpy.datetime64(first) + random.integers(0, days, count).astype("timedelta64[D]")


def texts(times):
    return pyarrow.array(numpy.datetime_as_string(times, unit="s"))


def uneven(random, things, count, power):
    """Numbers from 0 on, the first far more often than the last."""
    share = numpy.arange(1, things + 1) ** -power
    return random.choice(things, count, p=share / share.sum())


def liked(random, customers, articles, count, groups):
    """Who does something, and to which article: customers have a taste for a group of articles, and some are sold far more than others."""
    customer = uneven(random, customers, count, 0.6)
    group = numpy.where(random.random(count) < 0.6, customer % groups, random.integers(0, groups, count))
    place = uneven(random, articles // groups, count, 0.7)
    return customer, group + groups * place


def order_lines(folder, lines=500_000, customers=5_000, articles=1_000):
    """Orders of some ten lines, as a shop's software writes them out, and a project that `selvedge new` makes of them."""
    shutil.rmtree(folder, ignore_errors=True)
    random = numpy.random.default_rng(1)
    orders = lines // 10
    order = numpy.sort(random.integers(0, orders, lines))
    # One order is one customer's, at one moment.
    buyer, at = uneven(random, customers, orders, 0.6), numpy.sort(random.integers(0, 700 * 86_400, orders))
    customer = buyer[order]
    group = numpy.where(random.random(lines) < 0.6, customer % 20, random.integers(0, 20, lines))
    article = group + 20 * uneven(random, articles // 20, lines, 0.7)
    back = random.random(lines) < 0.03
    pieces = numpy.where(back, -1, random.integers(1, 4, lines))
    name = [f"{COLOURS[n % 10]} {KINDS[n // 10 % 10]} {n // 100}" for n in range(articles)]
    csv(
        folder.with_name("orders") / "orders.csv",
        InvoiceNo=numbered("", order, 6),
        StockCode=numbered("A", article, 5),
        Description=pyarrow.array(name).take(pyarrow.array(article)),
        Quantity=pieces,
        InvoiceDate=texts(numpy.datetime64("2029-01-15") + (at[order] + back * 5 * 86_400).astype("timedelta64[s]")),
        UnitPrice=numpy.round(4 + article % 90 + 0.95, 2),
        CustomerID=numbered("", customer + 12_000, 5),
        Country=pyarrow.array(["Germany", "Austria", "France"]).take(pyarrow.array(customer % 3)),
    )
    orders = folder.with_name("orders") / "orders.csv"
    words = ["--consent", "not_asked", "--timezone", "Europe/Berlin", "--currency", "EUR", "--model", ROOT / ".minilm"]
    run([OURS, "new", folder, "--from", orders, *words])


def event_shop(folder, events, customers=100_000, articles=20_000):
    """The product's own project over looks, wishes, purchases and returns, all articles on sale at once."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shutil.copytree(ROOT / "sql", folder / "sql")
    params = (ROOT / "params.yaml").read_text()
    params = params.replace("2026-10-01 00:00:00", EXPORTED).replace("model: .minilm", f"model: {ROOT}/.minilm")
    (folder / "params.yaml").write_text(params)
    materials = folder / "materials"
    random = numpy.random.default_rng(2)
    number = numpy.arange(customers)
    csv(
        materials / "customers.csv",
        customer_id=numbered("C", number, 6),
        age_group=chosen(random, ["18-24", "25-34", "35-44", "45-54", "55+"], customers),
        gender=chosen(random, ["female", "male", ""], customers),
        region=chosen(random, ["Berlin", "Bavaria", "Hamburg", "Austria"], customers),
        signup_date=texts_of_days(day(random, customers, "2026-01-01", 700)),
        sustainability_preference=chosen(random, ["low", "medium", "high"], customers),
        style_preferences=chosen(random, ["streetwear", "vintage", "minimalist", "streetwear;vintage", ""], customers),
        price_band=chosen(random, ["budget", "mid", "premium"], customers),
        personalisation_consent=chosen(random, ["true"] * 9 + ["false"], customers),
    )
    number = numpy.arange(articles)
    colour, kind, material, feature = (chosen(random, words, articles).to_pylist() for words in (COLOURS, KINDS, MATERIALS, FEATURES))
    csv(
        materials / "products.csv",
        product_id=numbered("", 100_000 + number, 6),
        season=pyarrow.array(["ALL"] * articles),
        product_name=pyarrow.array([f"{a} {b}" for a, b in zip(colour, kind)]),
        brand=numbered("Brand ", number % 200, 3),
        category=pyarrow.array([word.split()[-1] for word in kind]),
        description=pyarrow.array([f"{b} in {a.lower()} {c}: {d}. Number {n} of the house." for n, (a, b, c, d) in enumerate(zip(colour, kind, material, feature))]),
        price_eur=numpy.round(15 + 300 * random.random(articles), 2),
        colour=pyarrow.array([word.lower() for word in colour]),
        material=pyarrow.array(material),
        sustainability_certifications=chosen(random, ["", "GOTS", "B Corp"], articles),
        sustainability_score=random.integers(0, 101, articles),
        season_tags=chosen(random, ["winter", "summer", "transitional"], articles),
        fulfilment=chosen(random, ["warehouse", "brand"], articles),
        ships_to=pyarrow.array(["DE;AT"] * articles),
        on_sale_from=texts_of_days(day(random, articles, "2027-06-01", 900)),
        on_sale_until=pyarrow.array(["2031-12-31"] * articles),
    )
    transactions(materials / "transactions.csv", random, events, customers, articles)
    log(materials / "production-recommendations-sample.csv", random, events // 50, customers, articles)


def texts_of_days(days):
    return pyarrow.array(numpy.datetime_as_string(days, unit="D"))


def transactions(path, random, events, customers, articles):
    """Visits of some six events; of five looks one comes to a purchase, of which one in five is sent back."""
    kinds = numpy.array(["browse", "wishlist", "purchase", "return"])
    visits = events // 6
    visit = numpy.sort(random.integers(0, visits, events))
    begins = numpy.sort(random.integers(0, 365 * 86_400, visits))
    visitor = uneven(random, customers, visits, 0.6)
    customer = visitor[visit]
    group = numpy.where(random.random(events) < 0.6, customer % 100, random.integers(0, 100, events))
    article = group + 100 * uneven(random, articles // 100, events, 0.7)
    kind = random.choice(4, events, p=[0.72, 0.08, 0.16, 0.04])
    # A return is of the last purchase before it in the file, and comes ten days later.
    back, bought = kind == 3, kind == 2
    last = numpy.maximum.accumulate(numpy.where(bought, numpy.arange(events), -1))
    kind = numpy.where(back & (last < 0), 0, kind)
    back = kind == 3
    customer, article = numpy.where(back, customer[last], customer), numpy.where(back, article[last], article)
    order = numpy.where(back, last, numpy.where(bought, numpy.arange(events), -1))
    at = begins[visit] + 20 * (numpy.arange(events) - numpy.searchsorted(visit, visit)) + back * 10 * 86_400
    money = kind >= 2
    csv(
        path,
        transaction_id=numbered("T", numpy.arange(events), 8),
        event_time=pyarrow.array(numpy.char.add(numpy.datetime_as_string(numpy.datetime64("2029-12-20") + at.astype("timedelta64[s]"), unit="s"), "Z")),
        customer_id=numbered("C", customer, 6),
        product_id=numbered("", 100_000 + article, 6),
        event_type=pyarrow.array(kinds).take(pyarrow.array(kind)),
        order_id=pyarrow.array(numpy.where(money, numpy.char.add("O", order.astype(str)), "")),
        quantity=pyarrow.array(numpy.where(money, numpy.where(back, "-1", "1"), "")),
        unit_price_eur=pyarrow.array(numpy.where(money, numpy.char.add((20 + article % 200).astype(str), ".50"), "")),
        session_id=numbered("S", visit, 8),
        channel=chosen(random, ["web", "app", "email"], events),
    )


def log(path, random, rows, customers, articles):
    at = numpy.datetime64("2030-10-01") + numpy.sort(random.integers(0, 90 * 86_400, rows)).astype("timedelta64[s]")
    clicked = random.random(rows) < 0.1
    bought = clicked & (random.random(rows) < 0.2)
    when = lambda said, later: pyarrow.array(numpy.where(said, numpy.char.replace(numpy.datetime_as_string(at + numpy.timedelta64(later, "s"), unit="s"), "T", " "), ""))
    customer, article = liked(random, customers, articles, rows, 100)
    csv(
        path,
        recommendation_id=numbered("R", numpy.arange(rows), 8),
        recommended_at=when(numpy.full(rows, True), 0),
        customer_id=numbered("C", customer, 6),
        product_id=numbered("", 100_000 + article, 6),
        position=random.integers(1, 11, rows),
        model_version=pyarrow.array(["rules-v3"] * rows),
        clicked=clicked.astype(int),
        clicked_at=when(clicked, 60),
        purchased=bought.astype(int),
        purchased_at=when(bought, 3_600),
        returned=numpy.zeros(rows, int),
        returned_at=pyarrow.array([""] * rows),
        ground_truth_available=pyarrow.array(["true"] * rows),
    )


def limit(folder):
    params = folder / "params.yaml"
    text = params.read_text()
    assert "\nengine:\n" in text
    params.write_text(text.replace("\nengine:\n", f"\nengine:\n  memory_limit: {LIMIT}\n"))


def stages(folder, names):
    """Seconds, MiB and seconds of a processor of each stage, one command each."""
    found = {}
    for name in names:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds, memory, _ = run([OURS, *name.split(), "--root", folder])
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        worked = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        found[name] = (seconds, memory, worked)
        print(f"{name}: {seconds:.1f} s, {memory:,.0f} MiB, {worked:.1f} s of a processor", flush=True)
    return found


def told(found):
    return ", ".join(f"{name} {seconds:.1f}" for name, (seconds, _, _) in found.items())


def took(found):
    seconds, memory, worked = zip(*found.values())
    return f"{sum(seconds):.1f} s ({sum(worked):.0f} s of a processor), {max(memory):,.0f} MiB"


def long_log():
    folder = SCRATCH / "log"
    rows = large_export(folder, LOG_ROWS, "production-recommendations-sample.csv", ("recommendation_id", "customer_id"), crowd=50)
    limit(folder)
    found = stages(folder, ["ingest"])
    return [(f"ingest of a log of {rows:,} recommendations", took(found), "3 GiB", "")]


def shop_of_lines():
    folder = SCRATCH / "lines"
    order_lines(folder)
    limit(folder)
    stages(folder, ["ingest", "embeddings"])
    found = stages(folder, ["ingest", "features", "frame", "train", "rank", "evaluate", "drivers", "recommend", "monitor", "drill", "report"])
    lists = found["recommend"]
    return [
        ("5,000 customers, 1,000 articles, 500,000 order lines: all stages but the encoder", took(found), "120 s, 3 GiB", told(found)),
        ("the lists of that shop", f"{lists[0]:.1f} s, {lists[1]:,.0f} MiB", "20 s, 3 GiB", ""),
    ]


def shop_of_events():
    folder = SCRATCH / "events"
    event_shop(folder, EVENTS)
    limit(folder)
    stages(folder, ["ingest", "embeddings"])
    found = stages(folder, ["features", "frame", "train", "rank", "recommend"])
    return [(f"100,000 customers, 20,000 articles, {EVENTS:,} events: features, frame, fits and lists", took(found), "1,200 s, 8 GiB", told(found))]


def main():
    at_start = machine()
    SCRATCH.mkdir(parents=True, exist_ok=True)
    every = {"log": long_log, "lines": shop_of_lines, "events": shop_of_events}
    wanted = sys.argv[1:] or list(every)
    lines = [line for name in wanted for line in every[name]()]
    table = "".join(f"| {work} | {took} | {reach} | {parts} |\n" for work, took, reach, parts in lines)
    print(table)
    write_part(
        SIZES,
        f"{SIZES}\n\nGenerated shops on 2 threads with `engine.memory_limit: {LIMIT}`, one command a stage, once; with the most memory that any of "
        f"them held.\nMade by `make bench-sizes` on: {at_start}.\n\n| work | ours | reach | seconds of each stage |\n|---|---|---|---|\n{table}",
    )


if __name__ == "__main__":
    main()
