"""Requests for AWS services that Ingle does not have itself, handed on to where they are.

`places` finds out which service a request is for, `bodies` and `aws_chunked` check bodies while they pass, `forwarder`
owns the order of things. What callers need to be allowed is `authorization.companion_needs`'s. Called by `asgi`.
"""
