"""A page in a browser that asks the function URL of another origin, as its CORS settings allow."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from served import Server
from streamed import BOOTSTRAP, INTEGRATION, RUNTIME, SETTINGS

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here (Debian: apt-get install chromium)")

#: Asks each of its addresses and writes down what it may read, chunk by chunk.
PAGE = """<!doctype html><title>asking</title><pre id="found"></pre><script>
async function ask(url, options) {
  try {
    const answer = await fetch(url, options), reader = answer.body.getReader(), decoder = new TextDecoder();
    let text = "";
    for (let part; !(part = await reader.read()).done;) text += decoder.decode(part.value, { stream: true });
    return { status: answer.status, own: answer.headers.get("x-own"), hidden: answer.headers.get("x-hidden"), text };
  } catch (error) {
    return { error: error.name };
  }
}
(async () => {
  const body = STEPS, headers = { "Content-Type": "application/json", "X-Asked": "yes" };
  const found = {
    open: await ask("OPEN", { method: "POST", headers, body }),
    method: await ask("OPEN", { method: "PUT", headers, body }),
    closed: await ask("CLOSED", { method: "POST", headers, body }),
  };
  document.getElementById("found").textContent = JSON.stringify(found);
  document.title = "done";
})();
</script>"""


def opened(server: Server, client: Any, name: str, **config: Any) -> str:
    """The address of a function's URL, which everybody may use."""
    given = {"AuthType": "NONE", "InvokeMode": "RESPONSE_STREAM", **config}
    address = client.create_function_url_config(FunctionName=name, **given)["FunctionUrl"]
    public = {"FunctionName": name, "Principal": "*"}
    client.add_permission(**public, StatementId="a", Action="lambda:InvokeFunctionUrl", FunctionUrlAuthType="NONE")
    client.add_permission(**public, StatementId="b", Action="lambda:InvokeFunction", InvokedViaFunctionUrl=True)
    return f"http://{urlsplit(address).hostname}:{urlsplit(server.url).port}/"


def test_a_page_reads_the_stream_of_another_origin_if_that_allows_it(
    server: Server, lambda_client: Any, function: Callable[..., str], directory: Path
) -> None:
    source = "import os\ndef handler(event, context):\n    return {'statusCode': 200, 'body': open('page.html').read(),"
    source += " 'headers': {'Content-Type': 'text/html'}}\n"
    custom = {"bootstrap": BOOTSTRAP, "runtime.py": RUNTIME}
    head = {"statusCode": 202, "headers": {"X-Own": "seen", "X-Hidden": "unseen"}}
    given = [["begin", {"Content-Type": INTEGRATION}], ["write", json.dumps(head) + "\0" * 8], ["write", "one "],
             ["write", "two"], ["end"]]  # fmt: skip
    cors = {"AllowOrigins": ["*"], "AllowMethods": ["POST"], "AllowHeaders": ["content-type", "x-asked"],
            "ExposeHeaders": ["x-own"]}  # fmt: skip
    addresses = {
        "OPEN": opened(server, lambda_client, function(custom, **SETTINGS), Cors=cors),
        "CLOSED": opened(server, lambda_client, function(custom, **SETTINGS)),
        "STEPS": json.dumps(json.dumps(given)),
    }
    page = PAGE
    for word, value in addresses.items():
        page = page.replace(word, value)
    address = opened(server, lambda_client, function({"app.py": source, "page.html": page}), InvokeMode="BUFFERED")
    assert CHROMIUM is not None
    shown = subprocess.run(
        [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
         "--virtual-time-budget=60000", f"--user-data-dir={directory / 'profile'}", "--dump-dom", address],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    found = re.search(r'<pre id="found">(.*?)</pre>', shown.stdout)
    assert found is not None, shown.stdout + shown.stderr
    told = json.loads(found[1])
    assert told["open"] == {"status": 202, "own": "seen", "hidden": None, "text": "one two"}
    # Methods and origins that nobody allowed are the browser's to refuse, from what the answers say.
    assert told["method"] == told["closed"] == {"error": "TypeError"}
