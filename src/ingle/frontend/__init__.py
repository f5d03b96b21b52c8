"""The HTTP edge: sockets to requests, requests to operations, results to answers.

`server` owns sockets and time limits, `asgi` one request's bytes, `dispatch` its path through the operation,
`authentication` who calls, `origin` who may call from a browser, `internal` the routes that are not AWS's. The
composition root makes an `asgi.Application` and serves it with a `server.HttpServer`.
"""
