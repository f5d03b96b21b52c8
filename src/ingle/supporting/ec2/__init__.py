"""The part of EC2 that private networks consist of: VPCs and what is in them. No instances, no volumes, no images.

service          the list of operations, and how a request becomes a commit
scene            what a decision sees and what it comes to; looking up by id
errors           EC2's errors by name
filters, pages   what Describe operations have in common
tags             tags, and those that come with a creation

The other modules have the operations, one for each kind of resource. Every operation is a pure decision over the
catalog: it says what is to be stored and what the answer is. Decisions that raise change nothing.
"""
