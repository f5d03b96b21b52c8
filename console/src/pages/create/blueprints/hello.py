import json


def lambda_handler(event, context):
    name = event.get("name", "world") if isinstance(event, dict) else "world"
    print(f"greeting {name}")
    return {"statusCode": 200, "body": json.dumps(f"Hello, {name}!")}
