#!/usr/bin/python3
"""Ansible module: what a host really grants, as facts."""

DOCUMENTATION = r"""
module: host_capacity
short_description: Read how many files, CPUs and how much memory a host grants
description:
  - Returns the few facts that the fleet's roles size themselves by, in one round trip.
  - The open-file limit is tried out, not computed. With CAP_SYS_RESOURCE a service may go
    up to C(fs.nr_open), without it only up to the hard limit of PID 1, and a container may
    have the capability's name without its power.
options:
  open_files_wanted:
    description: The open-file limit that services are going to ask for.
    type: int
    required: true
"""

RETURN = r"""
ansible_facts:
  description: >-
    host_open_files (files one service may have open, at most what was wanted), host_cpus,
    host_memory_mb and host_container (whether the kernel is shared with other hosts).
  returned: always
  type: dict
"""

import os
import re
import resource

from ansible.module_utils.basic import AnsibleModule


def open_files(wanted):
    # This process ends with the module, so its own limit is free to be tried on.
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, wanted))
        return wanted
    except (OSError, ValueError):
        pass
    with open("/proc/1/limits") as limits:
        hard = re.search(r"^Max open files\s+\S+\s+(\S+)", limits.read(), re.M).group(1)
    return wanted if hard == "unlimited" else min(wanted, int(hard))


def main():
    module = AnsibleModule(
        argument_spec={"open_files_wanted": {"type": "int", "required": True}},
        supports_check_mode=True,
    )
    module.exit_json(ansible_facts={
        "host_open_files": open_files(module.params["open_files_wanted"]),
        "host_cpus": len(os.sched_getaffinity(0)),
        "host_memory_mb": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20,
        # systemd writes this file in every kind of container it knows.
        "host_container": os.path.exists("/run/systemd/container"),
    })


if __name__ == "__main__":
    main()
