"""Ingle's own service, `ingle`: what AWS has no operation for. Its model is in `ingle.models`.

environments  the execution environments that are alive
async_events  what waits of a function's asynchronous events
audit_records what the audit log has of an account
concurrency   the pool of an account, and what its functions have of it
host          how the machine and its server are
test_events   events that are kept with a function to try it with
functions     which function of the caller a request means
pages         pages of what is sorted by a key
errors        what the service refuses with

Owns test events, and no other data: it tells what other parts know, and decides nothing about functions. Called by
`frontend`.
"""
