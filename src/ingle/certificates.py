"""Where this machine keeps the authorities that certificates are checked against."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

#: A place that Python's own defaults may leave out.
_DISTRIBUTIONS = "/etc/ssl/certs"


def authorities() -> list[Path]:
    """What is read when a TLS connection is made: files and directories that exist."""
    known = ssl.get_default_verify_paths()
    places = {known.cafile, known.capath, known.openssl_cafile, known.openssl_capath, _DISTRIBUTIONS}
    return [Path(place) for place in places if place and os.path.exists(place)]
