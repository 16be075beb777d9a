"""Prints the template as AWS will see it: SAM's resources translated to CloudFormation's."""

import json
import sys

from boto3.session import Session
from samcli.yamlhelper import yaml_parse
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

with open(sys.argv[1], encoding="utf-8") as file:
    template = yaml_parse(file.read())

# The translator takes uploaded code only, as `sam deploy` hands it over.
for resource in template["Resources"].values():
    if resource["Type"] == "AWS::Serverless::Function" and not resource["Properties"]["CodeUri"].startswith("s3://"):
        resource["Properties"]["CodeUri"] = "s3://bucket/key"

translator = Translator({}, Parser(), plugins=None, boto_session=Session(region_name="us-east-1"))
json.dump(translator.translate(template, {}), sys.stdout, indent=2)
