"""Carries packets between two network namespaces, each one late and some not at all.

Does by hand what `tc netem` does, where the kernel has none: run as a program of its own.
"""

import contextlib
import ctypes
import fcntl
import heapq
import os
import random
import selectors
import struct
import sys
import time

DEVICE = "line"
_TUNSETIFF = 0x400454CA
_IFF_TUN, _IFF_NO_PI = 0x0001, 0x1000
_CLONE_NEWNET = 0x40000000
_LARGEST = 65_536


def open_device(holder: int) -> int:
    """Make the device inside the namespace of a process, and hold its other end."""
    with open(f"/proc/{holder}/ns/net", encoding="ascii") as namespace:  # noqa: PTH123 - only a handle is wanted
        if ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), _CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    request = struct.pack("16sH22x", DEVICE.encode(), _IFF_TUN | _IFF_NO_PI)
    fcntl.ioctl(device, _TUNSETIFF, request)
    return device


def carry(ends: tuple[int, int], delay_s: float, loss: float) -> None:
    # The same packets are lost each time.
    chance = random.Random(7)  # noqa: S311 - no secret
    other = {ends[0]: ends[1], ends[1]: ends[0]}
    waiting: list[tuple[float, int, int, bytes]] = []
    ready = selectors.DefaultSelector()
    for end in ends:
        ready.register(end, selectors.EVENT_READ)
    number = 0
    while True:
        pause_s = max(0.0, waiting[0][0] - time.monotonic()) if waiting else None
        for key, _ in ready.select(pause_s):
            packet = os.read(key.fd, _LARGEST)
            if chance.random() >= loss:
                number += 1
                due = time.monotonic() + delay_s
                heapq.heappush(waiting, (due, number, other[key.fd], packet))
        while waiting and waiting[0][0] <= time.monotonic():
            _, _, end, packet = heapq.heappop(waiting)
            # An end that is not up yet takes nothing, as a socket without a plug.
            with contextlib.suppress(OSError):
                os.write(end, packet)


if __name__ == "__main__":
    one, another, delay, lost = sys.argv[1:]
    carry((open_device(int(one)), open_device(int(another))), float(delay), float(lost))
