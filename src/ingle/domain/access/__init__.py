"""Policies and what they decide: the policy language, the condition operators, and AWS's evaluation logic. Pure.

    patterns     wildcards and policy variables
    conditions   the condition operators
    principals   who asks, and the Principal element
    document     one policy, checked and compiled
    evaluation   several policies together: allowed, or why not

Source of the rules: "IAM JSON policy reference" and "Policy evaluation logic" in the IAM user guide.
"""
