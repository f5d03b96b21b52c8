"""KMS: keys that never leave the server, and what is encrypted with them.

`service` is the API; `use` is what encrypts and decrypts, for the API and for Lambda's environment variables;
`access` is where policies will be asked; `records` owns the keys.
"""
