"""The method of Raspberry Pi tools in Python: HKDF, one AES object a key, a set of identifiers. Arguments: folder, number of keys. See bench/match.ts."""
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

folder, count = Path(sys.argv[1]), int(sys.argv[2])
keys = (folder / "keys.bin").read_bytes()
starts = struct.unpack("<%dI" % (len(keys) // 16), (folder / "starts.bin").read_bytes())
heard_bytes = (folder / "identifiers.bin").read_bytes()

begun = time.process_time()
heard = {heard_bytes[i : i + 16] for i in range(0, len(heard_bytes), 16)}
found = []
for number in range(count):
    rpik = HKDF(keys[16 * number : 16 * number + 16], 16, None, SHA256, 1, b"EN-RPIK")
    start = starts[number]
    padded = b"".join([b"EN-RPI\0\0\0\0\0\0" + struct.pack("<I", start + i) for i in range(144)])
    rpis = AES.new(rpik, AES.MODE_ECB).encrypt(padded)
    for i in range(144):
        if rpis[16 * i : 16 * i + 16] in heard:
            found.append([number, i])
print(json.dumps({"cpuSeconds": time.process_time() - begun, "found": found}))
