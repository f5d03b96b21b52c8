"""Encryption: sealing bytes, the master key, and the forms of what is sealed. Knows no service and no database.

    master key          outside the database, see `sources`
    └── key material    of KMS keys: wrapped under the master key (`master`)
        ├── ciphertext  what KMS's Encrypt gives out (`ciphertext`)
        └── data key    one for each set of environment variables, wrapped as such a ciphertext (`envelope`)
            └── environment variables

The library is imported with the first use: it takes a twentieth of the time in which a server has to be ready.
"""
