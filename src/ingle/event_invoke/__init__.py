"""Asynchronous invocation: events that were accepted are run, tried again, and their results sent on.

`queue` holds what is to be done and when, `policy` decides what becomes of an event after each attempt, `records`
writes what destinations get, `delivery` sends it.
"""
