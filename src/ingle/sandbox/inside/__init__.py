"""Code that runs inside sandboxes, below Ingle: standard library only, Python 3.9 and later."""
