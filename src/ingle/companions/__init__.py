"""Clients for the AWS services that Ingle does not have itself: real ones, or what speaks like them, at an endpoint."""
