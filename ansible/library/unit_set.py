#!/usr/bin/python3
"""Ansible module: a family of systemd units, exactly those that are wanted."""

DOCUMENTATION = r"""
module: unit_set
short_description: Keep exactly the wanted systemd units of a family
description:
  - One task for any number of instances of a template unit.
  - C(started) enables and starts the wanted units, and stops and disables every other one of the family.
  - C(restarted) and C(reloaded) act on the wanted units that are running, less those in I(except).
options:
  family:
    description: Glob that matches all units of the family, e.g. C(wsnode@*.service).
    type: str
    required: true
  units:
    description: The units wanted. An empty list stops the whole family, known to the host or not.
    type: list
    elements: str
    default: []
  except:
    description: Units to leave alone, e.g. those that this run has just started.
    type: list
    elements: str
    default: []
  state:
    type: str
    choices: [started, restarted, reloaded]
    default: started
"""

RETURN = r"""
started: {description: "Units that were not running before", returned: always, type: list}
stopped: {description: "Units that were stopped or disabled", returned: always, type: list}
"""

import glob
import os

from ansible.module_utils.basic import AnsibleModule


class Systemd:
    def __init__(self, module, family):
        self.module, self.family = module, family

    def ctl(self, *args):
        rc, out, err = self.module.run_command(["systemctl", "--no-pager", "--plain", "--no-legend"] + list(args))
        if rc != 0:
            self.module.fail_json(msg="systemctl %s: %s" % (" ".join(args), (err or out).strip()))
        return [line.split() for line in out.splitlines() if line.strip()]

    def running(self):
        # "activating" is on its way: a unit between two automatic restarts is in it too.
        states = "--state=active,activating,reloading"
        return {f[0] for f in self.ctl("list-units", states, self.family)}

    def enabled(self):
        # list-unit-files does not tell the enabled instances of a template; their links do.
        return {os.path.basename(link) for link in glob.glob("/etc/systemd/system/*.wants/" + self.family)}


def main():
    module = AnsibleModule(
        argument_spec={
            "family": {"type": "str", "required": True},
            "units": {"type": "list", "elements": "str", "default": []},
            "except": {"type": "list", "elements": "str", "default": []},
            "state": {"type": "str", "choices": ["started", "restarted", "reloaded"], "default": "started"},
        },
        supports_check_mode=True,
    )
    p = module.params
    systemd = Systemd(module, p["family"])
    running, wanted = systemd.running(), set(p["units"])

    def act(verb, units):
        if units and not module.check_mode:
            # A unit file that changed since it was read must count, whoever changed it.
            systemd.ctl("daemon-reload")
            systemd.ctl(*(verb.split() + sorted(units)))

    if p["state"] != "started":
        units = (wanted & running) - set(p["except"])
        act({"restarted": "restart", "reloaded": "reload"}[p["state"]], units)
        module.exit_json(changed=bool(units), started=[], stopped=[])

    enabled = systemd.enabled()
    start, enable = wanted - running, wanted - enabled
    stop = (running | enabled) - wanted
    act("disable --now", stop)
    act("enable", enable)
    act("start", start)
    module.exit_json(changed=bool(start or enable or stop), started=sorted(start), stopped=sorted(stop))


if __name__ == "__main__":
    main()
