"""What people run today for a list, for `make bench-serving`: Feast's feature server and MLflow's model server.

    python scripts/serving_peers.py FRAME FOLDER

FRAME: work/frame.parquet.  Eight columns of the customer and eight of the article, as they were last known, go into a Feast
store (SQLite, as `feast init` has it), a logistic regression over all sixteen into an MLflow model.  Once a server answers, a
line of JSON says where it is and what to ask it for one customer and CANDIDATES articles.  Ends, and ends both, at the end of
its standard input.
"""

import datetime
import json
import pathlib
import socket
import subprocess
import sys
import time
import urllib.request

import pandas

CANDIDATES = 114
CUSTOMERS = 200
OF_CUSTOMER = ["looks_30d", "looks_1y", "wishes_90d", "wishes_1y", "purchases_90d", "category_look_lean", "brand_look_lean", "score_pull"]
OF_ARTICLE = ["list_price", "log_price", "sustainability_score", "days_on_sale", "article_looks", "article_looks_30d", "article_purchase_share", "article_return_share"]
BIN = pathlib.Path(sys.executable).parent

FEAST = """
from datetime import timedelta
from feast import Entity, FeatureView, Field, FileSource
from feast.types import Float64
from feast.value_type import ValueType

def view(name, key, columns):
    entity = Entity(name=name, join_keys=[key], value_type=ValueType.STRING)
    source = FileSource(path=f"{name}.parquet", timestamp_field="as_of")
    schema = [Field(name=column, dtype=Float64) for column in columns]
    return entity, FeatureView(name=name, entities=[entity], ttl=timedelta(days=100000), schema=schema, online=True, source=source)

customer, customers = view("customer", "customer_id", %(customer)r)
article, articles = view("article", "article_id", %(article)r)
"""


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def answers(address: str, path: str, body: str) -> bool:
    request = urllib.request.Request(address + path, body.encode(), {"content-type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status == 200
    except OSError:
        return False


def ready(name: str, version: str, process: subprocess.Popen, address: str, path: str, bodies: list[str]) -> None:
    until = time.monotonic() + 120
    while not answers(address, path, bodies[0]):
        if process.poll() is not None or time.monotonic() > until:
            sys.exit(f"{name} does not answer; see its log")
        time.sleep(0.5)
    print(json.dumps({"name": name, "version": version, "address": address, "path": path, "bodies": bodies}), flush=True)


def main() -> None:
    keys = ["customer_id", "product_id", "season", "as_of", "label"]
    frame = pandas.read_parquet(sys.argv[1], columns=keys + OF_CUSTOMER + OF_ARTICLE)
    folder = pathlib.Path(sys.argv[2])
    frame = frame.sort_values("as_of").fillna({column: 0.0 for column in OF_CUSTOMER + OF_ARTICLE})
    frame = frame.astype({column: "float64" for column in OF_CUSTOMER + OF_ARTICLE})
    frame["article_id"] = frame.product_id + " " + frame.season
    store, model = folder / "feast", folder / "model"
    store.mkdir(parents=True)
    known = {}
    for name, key, columns in (("customer", "customer_id", OF_CUSTOMER), ("article", "article_id", OF_ARTICLE)):
        known[name] = frame.groupby(key).last().reset_index()[[key, "as_of", *columns]]
        known[name]["as_of"] = pandas.to_datetime(known[name]["as_of"], utc=True)
        known[name].to_parquet(store / f"{name}.parquet")
    (store / "feature_store.yaml").write_text(
        "project: peers\nprovider: local\nregistry: registry.db\nonline_store:\n  type: sqlite\n  path: online.db\nentity_key_serialization_version: 3\n"
    )
    (store / "definitions.py").write_text(FEAST % {"customer": OF_CUSTOMER, "article": OF_ARTICLE})
    log = open(folder / "log", "w")
    run = lambda *words: subprocess.run([BIN / words[0], *words[1:]], cwd=store, stdout=log, stderr=log, check=True)
    run("feast", "apply")
    run("feast", "materialize-incremental", datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S"))

    import feast
    import mlflow
    from sklearn.linear_model import LogisticRegression

    columns = OF_CUSTOMER + OF_ARTICLE
    fitted = LogisticRegression(max_iter=1000).fit(frame[columns], frame.label.fillna(False).astype(bool))
    mlflow.sklearn.save_model(fitted, model)
    servers = []
    try:
        port = free_port()
        words = [BIN / "feast", "serve", "--host", "127.0.0.1", "--port", str(port), "--no-access-log"]
        servers.append(subprocess.Popen(words, cwd=store, stdout=log, stderr=log))
        articles = list(known["article"].article_id)[-CANDIDATES:]
        features = [f"customer:{column}" for column in OF_CUSTOMER] + [f"article:{column}" for column in OF_ARTICLE]
        ask = lambda customer: json.dumps(
            {"features": features, "entities": {"customer_id": [customer] * len(articles), "article_id": articles}}
        )
        bodies = [ask(customer) for customer in known["customer"].customer_id[:CUSTOMERS]]
        ready("Feast", feast.__version__, servers[-1], f"http://127.0.0.1:{port}", "/get-online-features", bodies)
        port = free_port()
        words = [BIN / "mlflow", "models", "serve", "-m", model, "--env-manager", "local", "-h", "127.0.0.1", "-p", str(port)]
        # It starts uvicorn by its name.
        environment = {"PATH": f"{BIN}:/usr/bin:/bin", "HOME": str(folder)}
        servers.append(subprocess.Popen(words, cwd=folder, stdout=log, stderr=log, env=environment))
        rows = known["article"][OF_ARTICLE].tail(CANDIDATES).values.tolist()
        score = lambda own: json.dumps({"dataframe_split": {"columns": columns, "data": [[*own, *row] for row in rows]}})
        bodies = [score(own) for own in known["customer"][OF_CUSTOMER].head(CUSTOMERS).values.tolist()]
        ready("MLflow", mlflow.__version__, servers[-1], f"http://127.0.0.1:{port}", "/invocations", bodies)
        sys.stdin.read()
    finally:
        for server in servers:
            server.terminate()


main()
