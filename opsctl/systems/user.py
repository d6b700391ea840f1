"""Who runs this, and on which machine, for the audit and the locks."""

import os
import pwd
from collections.abc import Mapping

from opsctl.value import Value


class User(Value):
    name: str
    uid: int
    behind: str = ""
    """Who typed sudo."""


def login(environment: Mapping[str, str]) -> User:
    uid = os.geteuid()
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        name = str(uid)
    return User(name, uid, behind=environment.get("SUDO_USER", ""))


def machine() -> str:
    return os.uname().nodename
