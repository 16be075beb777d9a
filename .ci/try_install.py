"""Installs a release as the README says, on a machine without Rust: unpacks the archive in an empty folder and runs `sam deploy`.

Usage: try_install.py SAM TRANSLATING_PYTHON

AWS is moto, on a port of this machine. AWS would translate the template: here .ci/translate.py does. What moto does not know is
left out, as in create_stack.py. So this shows that the archive is complete, that SAM uploads its zips, and that the documented
commands make, change and remove a stack.
"""

import json
import logging
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

# First, since it sets the credentials by which no real account can be reached.
from create_stack import ACCOUNT, expect, functions_of, settings, without_the_unknown  # isort: skip

import boto3
import moto.cloudformation.responses as cloudformation
from cloudwatch import Template
from moto.server import ThreadedMotoServer
from test_release import FUNCTIONS, program

ROOT = Path(__file__).resolve().parent.parent
STACK = "channel-janitor"
BUCKET = "sam-bucket"
SERVICE = f"IS{'0' * 32}"


def release(folder):
    """Packs small stand-ins for the programs as a release, and unpacks it in an empty folder."""
    binaries, out, unpacked = (folder / name for name in ("binaries", "out", "unpacked"))
    for path in (binaries, out, unpacked):
        path.mkdir()
    for name in FUNCTIONS:
        (binaries / name).write_bytes(program(name))
    subprocess.run([ROOT / ".ci/release", "functions", "--binaries", binaries, "--out", out], check=True)
    (archive,) = out.iterdir()
    with tarfile.open(archive) as tar:
        tar.extractall(unpacked, filter="data")
    (root,) = unpacked.iterdir()
    return root


def translate_as_aws_does(python, folder):
    """Lets moto see a template as AWS makes it of SAM's."""
    read = cloudformation.get_stack_from_s3_url

    def translated(*place, **names):
        source = folder / "uploaded.yaml"
        source.write_text(read(*place, **names), encoding="utf-8")
        done = subprocess.run([python, ROOT / ".ci/translate.py", source], check=True, capture_output=True, text=True)
        template = without_the_unknown(json.loads(done.stdout))
        # moto's updates stumble over resources whose condition does not hold. No story here lets one hold that is not so by default.
        return json.dumps({**template, "Resources": Template(template, ACCOUNT).resources})

    cloudformation.get_stack_from_s3_url = translated


def bucket_of_sam():
    """Makes the bucket that `resolve_s3` looks for. moto does not know all of SAM's own stack for it."""
    template = {
        "Resources": {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": BUCKET}}},
        "Outputs": {"SourceBucket": {"Value": {"Ref": "Bucket"}}},
    }
    boto3.client("cloudformation").create_stack(
        StackName="aws-sam-cli-managed-default",
        TemplateBody=json.dumps(template),
        Tags=[{"Key": "ManagedStackSource", "Value": "AwsSamCli"}],
    )


def check(sam, root):
    """Deploys, deploys again with another parameter, and removes the stack."""

    def run(*arguments, answer="y\n"):
        done = subprocess.run([sam, *arguments], cwd=root, input=answer, capture_output=True, text=True)
        expect(done.returncode == 0, f"sam {' '.join(arguments)} fails:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")

    run("validate")
    # The README's command, and its answer to the one question.
    run("deploy", "--parameter-overrides", f"TwilioAccountSid={ACCOUNT['TwilioAccountSid']}")
    expect(("SWEEP_MODE", "observe") in settings(), "a first deployment observes")

    stored = [part for part in boto3.resource("s3").Bucket(BUCKET).objects.all() if not part.key.endswith(".template")]
    uploaded = {part.get()["Body"].read() for part in stored}
    expect(uploaded == {(root / f"{name}.zip").read_bytes() for name in FUNCTIONS}, "SAM uploads each function's zip as it is")

    run("deploy", "--parameter-overrides", f"SweepMode=act ChatServiceSid={SERVICE}")
    expect(("SWEEP_MODE", "act") in settings(), "SweepMode=act is deployed, and the account is kept")
    accounts = {f["Environment"]["Variables"]["TWILIO_ACCOUNT_SID"] for f in functions_of(STACK)}
    expect(accounts == set(ACCOUNT.values()), "the parameters of the first deployment are kept")
    expect(("CHAT_SERVICE_SID", SERVICE) in settings(), "a parameter is set")

    # The pages empty a parameter in this way: SAM refuses a bare NAME=, or leaves it out.
    run("deploy", "--parameter-overrides", 'ChatServiceSid=""')
    expect("CHAT_SERVICE_SID" not in dict(settings()), "a parameter is emptied")
    expect(("SWEEP_MODE", "act") in settings(), "the others are kept")

    tables = boto3.client("dynamodb").list_tables()["TableNames"]
    run("delete", "--no-prompts")
    expect(not functions_of(STACK), "the functions are gone")
    expect(len(tables) == 1 and boto3.client("dynamodb").list_tables()["TableNames"] == tables, "the table stays")
    print("a release was unpacked, deployed, changed and removed with SAM")


def main(sam, python):
    os.environ["SAM_CLI_TELEMETRY"] = "0"
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="localhost", port=0)
    server.start()
    # moto reads a template by its URL only where the host is called so.
    os.environ["AWS_ENDPOINT_URL"] = f"http://localhost:{server.get_host_and_port()[1]}"
    try:
        with tempfile.TemporaryDirectory() as folder:
            folder = Path(folder)
            translate_as_aws_does(python, folder)
            bucket_of_sam()
            check(sam, release(folder))
    finally:
        server.stop()


main(*sys.argv[1:])
