#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A fuzzer's inputs in one file: for each, its length in four bytes (little-endian) and the bytes.

usage: corpus.py pack FOLDER FILE     corpus.py unpack FILE FOLDER
"""
import hashlib
import pathlib
import struct
import sys


def pack(folder, file):
    inputs = sorted((p.read_bytes() for p in pathlib.Path(folder).iterdir()), key=lambda b: (len(b), b))
    pathlib.Path(file).write_bytes(b"".join(struct.pack("<I", len(b)) + b for b in inputs))


def unpack(file, folder):
    rest = pathlib.Path(file).read_bytes()
    pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
    while rest:
        (size,) = struct.unpack_from("<I", rest)
        one, rest = rest[4 : 4 + size], rest[4 + size :]
        (pathlib.Path(folder) / hashlib.sha1(one).hexdigest()).write_bytes(one)


if len(sys.argv) != 4 or sys.argv[1] not in ("pack", "unpack"):
    sys.exit(__doc__)
{"pack": pack, "unpack": unpack}[sys.argv[1]](*sys.argv[2:])
