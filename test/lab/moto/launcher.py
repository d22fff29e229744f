"""moto's server, quieter, and with two defects of its launch templates mended (see emulator.yaml)."""

import logging
import sys

from moto.ec2.models import launch_templates
from moto.ec2.utils import parse_user_data
from moto.server import main

# The lab asks once a second: a log line for each request would be all there is.
logging.getLogger("werkzeug").setLevel(logging.WARNING)

template = launch_templates.LaunchTemplate
original_init, original_create_version = template.__init__, template.create_version


def init(self, backend, name, template_data, *args):
    """Keep the template's own tags out of what the template launches."""
    specs = template_data.pop("TagSpecifications", [])
    specs = [s for s in specs if s["ResourceType"] != "launch-template"]
    if specs:
        template_data["TagSpecifications"] = specs
    original_init(self, backend, name, template_data, *args)


def create_version(self, data, *args):
    """Decode the user data of later versions as moto does that of the first."""
    if isinstance(data.get("UserData"), str):
        data["UserData"] = parse_user_data(data["UserData"])
    return original_create_version(self, data, *args)


template.__init__, template.create_version = init, create_version
main(sys.argv[1:])
