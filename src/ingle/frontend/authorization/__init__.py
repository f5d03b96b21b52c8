"""Whether a caller who proved who they are may do what they ask for.

needs            what a request needs: pairs of an action and a resource
lambda_needs     those of Lambda's operations
ec2_needs        those of EC2's
own_needs        those of Ingle's own service
service_needs    those of the other services
companion_needs  those of requests that are handed on, which companion_reading reads; of S3's: s3_needs
context          what the request says for condition keys
authorizer       the decision, by the policies of the caller and of the resource
"""
