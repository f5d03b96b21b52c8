"""The master key of a data directory: finding it at the start, and another one taking its place.

`finding` joins settings and data directory; `channel` is how a verb reaches the server that uses the directory;
`rotation` is what `ingle keys rotate-master` does. Ciphers are `encryption`'s, what is wrapped is `supporting.kms`'.
"""
