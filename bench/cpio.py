"""Writes a cpio archive ("newc") that the kernel unpacks after the guest's own initrd."""

import itertools


def entry(number, name, mode, data=b""):
    fields = [number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0]
    head = b"070701" + b"".join(b"%08x" % f for f in fields) + name.encode() + b"\0"
    return pad(head) + pad(data)


def pad(data):
    return data + bytes(-len(data) % 4)


def archive(files):
    """files: (name, mode with its type bits, contents) in order, a directory before what is in it."""
    number = itertools.count(1)
    out = b"".join(entry(next(number), *f) for f in files)
    return out + entry(0, "TRAILER!!!", 0)


def append(initrd, files, path):
    """A copy of an initrd with more files behind it; an archive begins at a multiple of 4."""
    with open(initrd, "rb") as f:
        data = pad(f.read())
    with open(path, "wb") as f:
        f.write(data + archive(files))
