"""Whether a caller who proved who they are may do what they ask for.

needs            what a request needs: pairs of an action and a resource
lambda_needs     those of Lambda's operations
ec2_needs        those of EC2's
service_needs    those of the other services
context          what the request says for condition keys
authorizer       the decision, by the policies of the caller and of the resource
"""
