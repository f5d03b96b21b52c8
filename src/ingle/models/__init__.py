"""The service model of Ingle's own service, in the layout that SDKs read below `AWS_DATA_PATH`.

Owns where it is. `wire` reads it as it reads botocore's; `ingle service-model` shows it to others.
"""

from __future__ import annotations

from pathlib import Path

#: Has a directory for the service, with one for each version of its API.
DIRECTORY = Path(__file__).parent
#: The model.
FILE = DIRECTORY / "ingle" / "2026-11-29" / "service-2.json"
