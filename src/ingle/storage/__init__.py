"""What Ingle keeps: records in SQL, blobs, log segments, all in one data directory.

Owns every file format and every line of SQL. Knows nothing of the AWS APIs; `app` picks the implementations.
"""
