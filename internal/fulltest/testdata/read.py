"""Reads a world through boto3 and prints what it found as one JSON object; argument: the ARN of a PENDING connection."""
import datetime
import json
import sys

import boto3
from botocore.exceptions import ClientError

arn = sys.argv[1]
connections = boto3.client("codeconnections")
old = boto3.client("codestar-connections")
pipelines = boto3.client("codepipeline")
iam = boto3.client("iam")


def refusal(call, **kwargs):
    try:
        call(**kwargs)
    except ClientError as e:
        return [e.response["Error"]["Code"], e.response["ResponseMetadata"]["HTTPStatusCode"]]
    return None


def paged(call, member, **kwargs):
    found, pages = [], 0
    while True:
        page = call(MaxResults=1, **kwargs)
        found += page[member]
        pages += 1
        if "NextToken" not in page:
            return found, pages
        kwargs["NextToken"] = page["NextToken"]


found, pages = paged(connections.list_connections, "Connections")
state = pipelines.get_pipeline_state(name="web")
pipeline = pipelines.get_pipeline(name="web")
events = boto3.client("cloudtrail").lookup_events(LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "CreateConnection"}])["Events"]
role = iam.get_role_policy(RoleName="Viewer", PolicyName=iam.list_role_policies(RoleName="Viewer")["PolicyNames"][0])
statement = role["PolicyDocument"]["Statement"]
regions = boto3.client("account").get_paginator("list_regions").paginate(RegionOptStatusContains=["ENABLED_BY_DEFAULT"])
made = old.create_connection(ProviderType="GitHub", ConnectionName="passing")["ConnectionArn"]
seen = old.get_connection(ConnectionArn=made)["Connection"]["ConnectionStatus"]
old.delete_connection(ConnectionArn=made)

print(json.dumps({
    "account": boto3.client("sts").get_caller_identity()["Account"],
    "regions": "us-east-1" in [r["RegionName"] for page in regions for r in page["Regions"]],
    "connections": {c["ConnectionName"]: c["ConnectionStatus"] for c in found},
    "pages": pages,
    "same": connections.get_connection(ConnectionArn=arn)["Connection"]["ConnectionStatus"],
    "pipelines": [p["name"] for page in pipelines.get_paginator("list_pipelines").paginate() for p in page["pipelines"]],
    "source": {
        "connection": pipeline["pipeline"]["stages"][0]["actions"][0]["configuration"]["ConnectionArn"],
        "status": state["stageStates"][0]["actionStates"][0]["latestExecution"]["status"],
        "stages": [s["stageName"] for s in state["stageStates"]],
    },
    "created": isinstance(pipeline["metadata"]["created"], datetime.datetime),
    "events": [json.loads(e["CloudTrailEvent"])["requestParameters"]["connectionName"] for e in events],
    "role": [role["RoleName"], (statement[0] if isinstance(statement, list) else statement)["Effect"]],
    "missing": refusal(connections.get_connection, ConnectionArn=arn[:-4] + "0000"),
    "none": refusal(iam.get_role, RoleName="None"),
    "deleted": [seen, refusal(old.get_connection, ConnectionArn=made)[0]],
}))
