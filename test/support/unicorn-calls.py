"""Runs Thumb code in Unicorn as a Cortex-M4. Standard input: a JSON list of calls; standard output: a JSON list of what came of each.

A call: code (hex), offset, at (where the code lies), args, memory (list of base and hex), services (what supervisor calls answer, in order: answer and hex to
write from r0 + 32 on). Code can't be written to, data can't be executed, and where nothing lies nothing can be read.
"""

import json
import sys

from unicorn import UC_ARCH_ARM, UC_HOOK_CODE, UC_HOOK_INTR, UC_MODE_MCLASS, UC_MODE_THUMB
from unicorn import UC_PROT_EXEC, UC_PROT_READ, UC_PROT_WRITE, Uc, UcError
from unicorn import arm_const as arm

PAGE = 0x1000
CALLER = 0x00100000
STACK = 0x20200000
STACK_BYTES = 0x4000
# in the exception number of an SVC that Unicorn reports
SUPERVISOR_CALL = 2
LONGEST = 10_000_000
SAVED = [getattr(arm, f"UC_ARM_REG_R{n}") for n in range(4, 12)]


def run(call):
    uc = Uc(UC_ARCH_ARM, UC_MODE_THUMB | UC_MODE_MCLASS)
    uc.ctl_set_cpu_model(arm.UC_CPU_ARM_CORTEX_M4)
    code = bytes.fromhex(call["code"])
    pages = {}
    for base, size, rights in [
        (CALLER, PAGE, UC_PROT_READ | UC_PROT_EXEC),
        (STACK - STACK_BYTES, STACK_BYTES, UC_PROT_READ | UC_PROT_WRITE),
        (call["at"], len(code), UC_PROT_READ | UC_PROT_EXEC),
    ] + [(piece["base"], len(piece["bytes"]) // 2, UC_PROT_READ | UC_PROT_WRITE) for piece in call["memory"]]:
        for page in range(base & -PAGE, base + size, PAGE):
            if pages.setdefault(page, rights) != rights:
                raise ValueError(f"page {page:#x} has code and data")
    for page, rights in pages.items():
        uc.mem_map(page, PAGE, rights)
    uc.mem_write(call["at"], code)
    for piece in call["memory"]:
        uc.mem_write(piece["base"], bytes.fromhex(piece["bytes"]))
    for n, value in enumerate(call["args"]):
        uc.reg_write(getattr(arm, f"UC_ARM_REG_R{n}"), value & 0xFFFFFFFF)
    for n, register in enumerate(SAVED):
        uc.reg_write(register, 0x1000 + n)
    uc.reg_write(arm.UC_ARM_REG_SP, STACK)
    uc.reg_write(arm.UC_ARM_REG_LR, CALLER | 1)

    result = {"instructions": 0, "lowest": STACK, "services": []}
    services = list(call.get("services", []))

    def step(uc, address, size, _):
        result["instructions"] += 1
        result["lowest"] = min(result["lowest"], uc.reg_read(arm.UC_ARM_REG_SP))

    def interrupt(uc, number, _):
        after = uc.reg_read(arm.UC_ARM_REG_PC)
        argument = uc.reg_read(arm.UC_ARM_REG_R0)
        instruction = int.from_bytes(uc.mem_read(after - 2, 2), "little")
        result["services"].append({"exception": number, "instruction": instruction, "argument": argument})
        if number != SUPERVISOR_CALL or not services:
            uc.emu_stop()
            return
        service = services.pop(0)
        uc.mem_write(argument + 32, bytes.fromhex(service.get("write", "")))
        uc.reg_write(arm.UC_ARM_REG_R0, service["answer"])

    uc.hook_add(UC_HOOK_CODE, step)
    uc.hook_add(UC_HOOK_INTR, interrupt)
    try:
        uc.emu_start((call["at"] + call["offset"]) | 1, CALLER, count=LONGEST)
    except UcError as error:
        result["error"] = f"{error} at {uc.reg_read(arm.UC_ARM_REG_PC):#x}"
    result["returned"] = uc.reg_read(arm.UC_ARM_REG_PC) & ~1 == CALLER
    result["answer"] = uc.reg_read(arm.UC_ARM_REG_R0)
    result["kept"] = uc.reg_read(arm.UC_ARM_REG_SP) == STACK and all(
        uc.reg_read(register) == 0x1000 + n for n, register in enumerate(SAVED)
    )
    result["stackUsed"] = STACK - result.pop("lowest")
    result["memory"] = [uc.mem_read(piece["base"], len(piece["bytes"]) // 2).hex() for piece in call["memory"]]
    return result


json.dump([run(call) for call in json.load(sys.stdin)], sys.stdout)
