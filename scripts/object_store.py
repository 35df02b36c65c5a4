"""An object store on this machine for tests and figures: moto's server, with one bucket and one owner of keys.

    .venv-cluster/bin/python scripts/object_store.py FOLDER

FOLDER gets two files for `selvedge-cluster --keys`: `keys`, and `wrong` with another secret.  It says `ready` when it answers; then a
line on standard input is answered with how many objects there are, and at its end the server ends too.  Whoever has another
Python uses `Store`.
"""

import json
import os
import pathlib
import socket
import subprocess
import sys
import time

BUCKET = "shop"
LOCATION = f"s3://{BUCKET}/cluster"
# So many calls are answered before anybody must have keys: those of `owner`.
CALLS = 4


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Store:
    """The server as a process of `python`, which has moto; its files lie in `folder`."""

    def __init__(self, python: pathlib.Path, folder: pathlib.Path):
        self.folder = folder
        self.process = subprocess.Popen([python, __file__, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if self.process.stdout.readline().strip() != "ready":
            raise SystemExit("error: moto's server did not start\n  do: look at what it wrote above, and at cluster/requirements.txt")

    def keys(self, name: str = "keys") -> pathlib.Path:
        return self.folder / name

    def secrets(self) -> list[str]:
        """What must stand in no log."""
        lines = self.keys().read_text().splitlines()
        return [line.split("=", 1)[1] for line in lines if line.startswith(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"))]

    def objects(self) -> int:
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, *_) -> None:
        self.process.stdin.close()
        self.process.wait()


def owner(address: str) -> tuple[str, str]:
    """A bucket, and keys to it: from then on nothing is answered without."""
    import boto3

    def service(name: str):
        return boto3.client(name, endpoint_url=address, region_name="us-east-1", aws_access_key_id="none", aws_secret_access_key="none")

    everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
    iam = service("iam")
    iam.create_user(UserName="selvedge")
    iam.put_user_policy(UserName="selvedge", PolicyName="all", PolicyDocument=json.dumps(everything))
    keys = iam.create_access_key(UserName="selvedge")["AccessKey"]
    service("s3").create_bucket(Bucket=BUCKET)
    return keys["AccessKeyId"], keys["SecretAccessKey"]


def main() -> None:
    import boto3

    folder = pathlib.Path(sys.argv[1])
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    environment = dict(os.environ, INITIAL_NO_AUTH_ACTION_COUNT=str(CALLS))
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    # Its words name every object, and its warnings what it is not made for.
    server = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                if server.poll() is not None or time.monotonic() > end:
                    sys.exit("moto's server does not answer")
                time.sleep(0.1)
        key, secret = owner(address)
        for name, known in (("keys", secret), ("wrong", secret[::-1])):
            file = folder / name
            file.touch(mode=0o600)
            file.write_text(f"AWS_ACCESS_KEY_ID={key}\nAWS_SECRET_ACCESS_KEY={known}\nAWS_ENDPOINT_URL={address}\n")
        print("ready", flush=True)
        s3 = boto3.client("s3", endpoint_url=address, region_name="us-east-1", aws_access_key_id=key, aws_secret_access_key=secret)
        for _ in sys.stdin:
            pages = s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
            print(sum(len(page.get("Contents", [])) for page in pages), flush=True)
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()
