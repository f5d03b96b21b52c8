"""The command line's signatures, as somebody makes them who deploys to a served Ingle."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from pathlib import Path


class Signer:
    """Runs `ingle sign` and `ingle signer`. `directory` gets the private keys and what is signed."""

    def __init__(self, data_dir: Path, directory: Path) -> None:
        self.keys = directory / "keys"
        self._directory = directory
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        self._environ = {**kept, "INGLE_DATA_DIR": str(data_dir), "PYTHONWARNINGS": "ignore"}

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "ingle", *arguments]
        return subprocess.run(command, env=self._environ, capture_output=True, text=True, timeout=60, check=False)

    def create(self, name: str, *more: str) -> str:
        """A version of a profile, by its ARN."""
        return self._printed("signer", "create", name, "--keys", str(self.keys), *more)

    def sign(self, zip_bytes: bytes, name: str) -> tuple[bytes, str]:
        """The signed package, and the ARN of the signing job."""
        source = self._directory / f"{uuid.uuid4().hex}.zip"
        source.write_bytes(zip_bytes)
        destination = source.with_suffix(".signed.zip")
        job = self._printed("sign", str(source), str(destination), "--profile", name, "--keys", str(self.keys))
        return destination.read_bytes(), job

    def revoke(self, arn: str) -> None:
        self._printed("signer", "revoke", arn, "--reason", "a test")

    def _printed(self, *arguments: str) -> str:
        done = self.run(*arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()
