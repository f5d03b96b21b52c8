"""Takes the pictures in docs/console.md, from servers of its own. Called by `make screenshots`."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
PICTURES = ROOT / "docs/console"
#: Bytes. More is no longer kept small.
LARGEST = 150_000
FUNCTIONS = [
    ("thumbnails", "Makes small pictures of those that are uploaded", {"team": "media"}),
    ("orders", "Takes orders and puts them into the queue", {"team": "shop", "stage": "live"}),
    ("orders-staging", "Takes orders that nobody pays for", {"team": "shop", "stage": "staging"}),
    ("nightly-report", "Counts what was sold", {"team": "shop"}),
    ("mail", "Sends what customers are to know", {}),
]

ORDERS = """def handler(event, context):
    lines = event.get("lines", [])
    total = sum(line["price"] for line in lines)
    return {"status": "taken", "total": total}
"""

sys.path.insert(0, str(ROOT / "tests"))
sys.path.insert(0, str(ROOT / "scripts"))
import build_console  # noqa: E402

from served import Server, create_function, package, settle  # noqa: E402

#: Of a function that has something to tell.
TALKATIVE = """
import logging
import time

logging.getLogger().setLevel("INFO")


def handler(event, context):
    logging.info("%s people are to be told", event["people"])
    if event["people"] > 40:
        logging.warning("this takes several rounds")
    if event["people"] < 0:
        raise ValueError("nobody is less than nobody")
    time.sleep(event["people"] / 1000)
"""


def _watch(client: Any) -> None:
    """Invocations that pictures show."""
    for people in (3, 12, 45, -1, 7, 21):
        client.invoke(FunctionName="mail", Payload=json.dumps({"people": people}))


def _configure(client: Any) -> None:
    """Settings that pictures show."""
    variables = {"LEVEL": "info", "PAYMENT_KEY": "nobody's business", "TABLE": "orders-live"}
    client.update_function_configuration(FunctionName="orders", Environment={"Variables": variables})
    settle(client, "orders")
    version = client.publish_version(FunctionName="orders")["Version"]
    client.create_alias(FunctionName="orders", Name="live", FunctionVersion=version)
    for name, reserved in (("orders", 150), ("thumbnails", 250)):
        client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=reserved)
    client.put_provisioned_concurrency_config(
        FunctionName="orders", Qualifier="live", ProvisionedConcurrentExecutions=2
    )


def _network(server: Server) -> dict[str, Any]:
    """The settings of a function in the default network."""
    ec2 = server.client("ec2")
    subnets, [group] = ec2.describe_subnets()["Subnets"], ec2.describe_security_groups()["SecurityGroups"]
    return {"VpcConfig": {"SubnetIds": [subnets[0]["SubnetId"]], "SecurityGroupIds": [group["GroupId"]]}}


def main() -> None:
    node, chromium = build_console.find_node(), shutil.which("chromium")
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="ingle-pictures-") as directory:
        server = Server(Path(directory) / "data").start()
        locked = Server(Path(directory) / "locked", INGLE_AUTH="iam").start()
        try:
            client = server.client("lambda")
            for name, description, tags in FUNCTIONS:
                source = TALKATIVE if name == "mail" else "def handler(event, context):\n    return event\n"
                network = _network(server) if name == "orders" else {}
                create_function(client, name, source, Description=description, Tags=tags, **network)
            _configure(client)
            _publish(client, "orders-staging")
            _watch(client)
            given = {
                "url": server.url,
                "locked": locked.url,
                "chromium": chromium,
                "pictures": str(PICTURES),
                "profile": f"{directory}/profile",
            }
            environ = {**os.environ, "SCENARIO": json.dumps({**given, "python": "python3.11"})}
            command = [str(node.program), str(ROOT / "console/e2e/run.mjs"), "screenshots"]
            subprocess.run(command, env=environ, check=True, stdin=subprocess.DEVNULL)
        finally:
            server.stop()
            locked.stop()
    for picture in sorted(PICTURES.glob("*.png")):
        size = picture.stat().st_size
        print(f"{picture.relative_to(ROOT)}: {size / 1000:.0f} kB{'' if size <= LARGEST else ', too large'}")


def _publish(client: Any, name: str) -> None:
    """Two versions, an alias that shares invocations out between them, and layers."""
    layers = [
        client.publish_layer_version(LayerName=layer, Content={"ZipFile": package({f"python/{layer}.py": "ONE = 1\n"})})
        for layer in ("money", "certificates", "tracing")
    ]
    arns = [layer["LayerVersionArn"] for layer in layers]
    for memory, source in ((128, ORDERS), (256, ORDERS.replace('line["price"]', 'line["price"] * line["count"]'))):
        client.update_function_code(FunctionName=name, ZipFile=package({"app.py": source}))
        settle(client, name)
        settings = {"MemorySize": memory, "Environment": {"Variables": {"QUEUE": f"orders-{memory}"}}, "Layers": arns}
        client.update_function_configuration(FunctionName=name, **settings)
        settle(client, name)
        client.publish_version(FunctionName=name, Description=f"with {memory} MB")
    routing = {"AdditionalVersionWeights": {"2": 0.25}}
    client.create_alias(FunctionName=name, Name="live", FunctionVersion="1", RoutingConfig=routing)


if __name__ == "__main__":
    main()
