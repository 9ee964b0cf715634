"""Matching in Python over pycryptodome: HKDF, one AES object a key, a set of identifiers. Arguments: folder, number of keys, method. See bench/match.ts.

Methods: "each" encrypts identifier by identifier, as tools for the Raspberry Pi do (mh-/diagnosis-keys on GitHub); "together" all of a key in one call.
"""
import json
import struct
import sys
import time
from pathlib import Path

try:
    from Crypto.Cipher import AES
    from Crypto.Hash import SHA256
    from Crypto.Protocol.KDF import HKDF
except ImportError:  # Debian's package has another name for the same
    from Cryptodome.Cipher import AES
    from Cryptodome.Hash import SHA256
    from Cryptodome.Protocol.KDF import HKDF

folder, count, method = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
keys = (folder / "keys.bin").read_bytes()
starts = struct.unpack("<%dI" % (len(keys) // 16), (folder / "starts.bin").read_bytes())
heard_bytes = (folder / "identifiers.bin").read_bytes()

PADDED = b"EN-RPI" + bytes(6)

begun = time.process_time()
heard = {heard_bytes[i : i + 16] for i in range(0, len(heard_bytes), 16)}
found = []
for number in range(count):
    rpik = HKDF(keys[16 * number : 16 * number + 16], 16, None, SHA256, 1, b"EN-RPIK")
    start = starts[number]
    cipher = AES.new(rpik, AES.MODE_ECB)
    if method == "each":
        rpis = [cipher.encrypt(PADDED + struct.pack("<I", start + i)) for i in range(144)]
    else:
        all_rpis = cipher.encrypt(b"".join([PADDED + struct.pack("<I", start + i) for i in range(144)]))
        rpis = [all_rpis[16 * i : 16 * i + 16] for i in range(144)]
    for i in range(144):
        if rpis[i] in heard:
            found.append([number, i])
print(json.dumps({"cpuSeconds": time.process_time() - begun, "found": found}))
