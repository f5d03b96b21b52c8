"""The network that environments reach: links, translation and filters, made of the kernel's own parts.

Knows Linux networking and no AWS word. A process of its own (`agent`), started by the supervisor, holds the privileges
and every namespace; the server talks to it through `client`, in the values of `plan`.
"""
