#!/usr/bin/python3
"""Ansible module: set kernel parameters, read them back, and say what the host refused."""

DOCUMENTATION = r"""
module: sysctl_apply
short_description: Apply a dictionary of kernel parameters and verify each one
description:
  - Writes what differs, reads it back, and reports what did not come out as wanted.
  - In a container the parameters outside its network namespace belong to the machine, which other hosts
    share. Named in I(machine_wide), they are compared and reported, and never written.
options:
  settings:
    description: Parameter to wanted value, as in sysctl.conf.
    type: dict
    required: true
  machine_wide:
    description: Parameters that belong to a machine this host is only a part of. Compared, never written.
    type: list
    elements: str
    default: []
  only_raise:
    description: Parameters whose present value is kept when it is higher. Others may rely on it.
    type: list
    elements: str
    default: []
  strict:
    description: Fail if anything was refused or is unknown to the kernel.
    type: bool
    default: false
"""

RETURN = r"""
applied: {description: "Parameters that were changed, with the value before", returned: always, type: dict}
held: {description: "The machine's own parameters that fall short of what is wanted", returned: always, type: dict}
refused: {description: "Parameters that kept another value, and why", returned: always, type: dict}
unknown: {description: "Parameters this kernel does not have", returned: always, type: list}
"""

import os

from ansible.module_utils.basic import AnsibleModule


def path(key):
    return os.path.join("/proc/sys", key.replace(".", "/"))


def normal(value):
    """The kernel separates by tabs what people separate by spaces."""
    return " ".join(str(value).split())


def read(key):
    with open(path(key)) as f:
        return normal(f.read())


def write(key, value):
    # One write call: the kernel takes a value whole or not at all.
    fd = os.open(path(key), os.O_WRONLY)
    try:
        os.write(fd, (value + "\n").encode())
    finally:
        os.close(fd)


def covers(actual, wanted):
    """Whether every number of actual is at least the one wanted."""
    try:
        have, want = ([int(n) for n in v.split()] for v in (actual, wanted))
    except ValueError:
        return False
    return len(have) == len(want) and all(h >= w for h, w in zip(have, want))


def main():
    module = AnsibleModule(
        argument_spec={
            "settings": {"type": "dict", "required": True},
            "machine_wide": {"type": "list", "elements": "str", "default": []},
            "only_raise": {"type": "list", "elements": "str", "default": []},
            "strict": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    p = module.params
    applied, held, refused, unknown = {}, {}, {}, []

    for key, value in sorted(p["settings"].items()):
        wanted = normal(value)
        machines = key in p["machine_wide"]
        if not os.path.exists(path(key)):
            if machines:
                held[key] = {"actual": None, "wanted": wanted}  # not visible from here
            else:
                unknown.append(key)
            continue
        before = read(key)
        if before == wanted or (key in p["only_raise"] and covers(before, wanted)):
            continue
        if machines:
            if not covers(before, wanted):
                held[key] = {"actual": before, "wanted": wanted}
            continue
        if module.check_mode:
            applied[key] = {"before": before, "after": wanted}
            continue
        try:
            write(key, wanted)
        except OSError as e:
            refused[key] = {"actual": before, "wanted": wanted, "error": e.strerror}
            continue
        after = read(key)
        if after != wanted:
            refused[key] = {"actual": after, "wanted": wanted, "error": "accepted but not kept"}
        if after != before:
            applied[key] = {"before": before, "after": after}

    result = {
        "changed": bool(applied), "applied": applied,
        "held": held, "refused": refused, "unknown": unknown,
        "diff": {
            "before": "".join("%s = %s\n" % (k, v["before"]) for k, v in applied.items()),
            "after": "".join("%s = %s\n" % (k, v["after"]) for k, v in applied.items()),
        },
    }
    if p["strict"] and (refused or unknown):
        module.fail_json(msg="the kernel refused %s and does not know %s" % (
            ", ".join(sorted(refused)) or "nothing", ", ".join(unknown) or "nothing"), **result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
