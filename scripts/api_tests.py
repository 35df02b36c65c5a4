"""The server held to its own OpenAPI description by schemathesis, over a copy of this project's work/.

    api_tests.py <selvedge> [<most examples of each operation>]
"""

import json
import pathlib
import subprocess
import sys
import urllib.request

from served import server

# What no request may find, whatever is sent.  `positive_data_acceptance` is left out: whether there is such a customer, article or
# release no description can say.  So is `unsupported_method`: a method that nothing is done with is refused, and not described.
CHECKS = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
]


def described(address):
    """The description, with a name of each kind that there is, so that more than refusals is tried."""

    def ask(path):
        return json.load(urllib.request.urlopen(address + path))

    api = ask("/openapi.json")
    customer = ask("/customers")[0]
    shown = ask(f"/recommend/{customer}")
    there = {
        "customer": customer,
        "customer_id": customer,
        "request": shown["request"],
        "product_id": shown["articles"][0]["product_id"],
        "season": shown["articles"][0]["season"],
        "category": shown["articles"][0]["category"],
        "view": "customer_history",
        "hash": ask("/releases")["serving"],
        "switch": "shadow",
    }
    for operations in api["paths"].values():
        for operation in operations.values():
            for parameter in operation.get("parameters", []):
                if parameter["name"] in there:
                    parameter["examples"] = {"there": {"value": there[parameter["name"]]}}
    article = {"product_id": there["product_id"], "season": there["season"], "kind": "browse"}
    bodies = {
        "/events": {"id": "an example", "customer_id": customer, **article},
        "/recommend": {"personalisation_consent": True, "events": [article], "n": 3},
        "/releases/{hash}/{switch}": {"because": "a test"},
    }
    for path, body in bodies.items():
        api["paths"][path]["post"]["requestBody"]["content"]["application/json"]["examples"] = {"there": {"value": body}}
    return api


def main():
    program = pathlib.Path(sys.argv[1]).resolve()
    examples = sys.argv[2] if len(sys.argv) > 2 else "60"
    schemathesis = pathlib.Path(sys.executable).parent / "schemathesis"
    # The budget is for one who asks as fast as can be.
    with server(program, "--playground", changes=[("rate", "1000000")]) as (running, folder):
        description = folder / "openapi.json"
        description.write_text(json.dumps(described(running.address)))
        command = [
            schemathesis,
            "run",
            description,
            f"--url={running.address}",
            "--phases=examples,coverage,fuzzing",
            f"--checks={','.join(CHECKS)}",
            f"--max-examples={examples}",
            "--seed=21",
            "--workers=2",
            "--generation-database=none",
            "--no-color",
        ]
        done = subprocess.run([str(word) for word in command], cwd=folder)
    sys.exit(done.returncode)


if __name__ == "__main__":
    main()
