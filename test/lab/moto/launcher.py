"""moto's server, quieter, and with some of its defects mended (see emulator.yaml)."""

import logging
import sys

from moto.ec2.exceptions import InvalidPermissionDuplicateError
from moto.ec2.models import instances, launch_templates, security_groups
from moto.ec2.utils import parse_user_data
from moto.server import main

# The lab asks once a second: a log line for each request would be all there is.
logging.getLogger("werkzeug").setLevel(logging.WARNING)

template = launch_templates.LaunchTemplate
groups = security_groups.SecurityGroupBackend
instance = instances.Instance
original_init, original_create_version = template.__init__, template.create_version
original_prep_nics = instance.prep_nics


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


def prep_nics(self, nic_spec, *args, **kwargs):
    """Give an interface the secondary addresses that it is asked for at the launch."""
    original_prep_nics(self, nic_spec, *args, **kwargs)
    for spec in nic_spec:
        nic = self.nics.get(int(spec["DeviceIndex"]))
        for address in spec.get("PrivateIpAddresses", []):
            ip = address["PrivateIpAddress"]
            if nic and not address.get("Primary") and ip not in [a["PrivateIpAddress"] for a in nic.private_ip_addresses]:
                nic.subnet.request_ip(ip, instance=self)
                nic.private_ip_addresses.append({"Primary": False, "PrivateIpAddress": ip})


def repeatable(authorize, revoke):
    """Let a rule be made again: a client asks twice when the first answer was lost on a busy machine."""

    def authorize_again(self, **rule):
        try:
            return authorize(self, **rule)
        except InvalidPermissionDuplicateError:
            revoke(self, **{k: v for k, v in rule.items() if k != "sgrule_tags"})
            return authorize(self, **rule)

    return authorize_again


template.__init__, template.create_version = init, create_version
instance.prep_nics = prep_nics
for way in ("ingress", "egress"):
    authorize, revoke = f"authorize_security_group_{way}", f"revoke_security_group_{way}"
    setattr(groups, authorize, repeatable(getattr(groups, authorize), getattr(groups, revoke)))
main(sys.argv[1:])
