"""Ingle's own service, `ingle`: what AWS has no operation for. Its model is in `ingle.models`.

environments  the execution environments that are alive
functions     which function of the caller a request means
errors        what the service refuses with

Owns no data and takes no decision about functions: it tells what other parts know. Called by `frontend`.
"""
