import json


def lambda_handler(event, context):
    """Called at its URL: the event is the request, in payload format 2.0."""
    request = event.get("requestContext", {}).get("http", {})
    answer = {
        "method": request.get("method"),
        "path": event.get("rawPath"),
        "query": event.get("queryStringParameters", {}),
    }
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": json.dumps(answer)}
