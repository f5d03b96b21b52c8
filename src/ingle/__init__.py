"""Ingle: AWS Lambda on your own machines."""

from __future__ import annotations

__version__ = "0.1.0"
