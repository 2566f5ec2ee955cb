"""What the figures were taken on."""
import datetime
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
INSTRUCTION_SETS = ("avx2", "fma", "avx_vnni", "avx512f", "avx512_vnni", "avx512_bf16", "amx_int8", "amx_bf16")


def cpu_info():
    """(name, flags) as the system tells them."""
    name, flags = "", set()
    for line in pathlib.Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").splitlines():
        key, _, value = line.partition(":")
        if key.strip() == "model name":
            name = value.strip()
        if key.strip() == "flags":
            flags = set(value.split())
            break
    return name, flags


def memory_mb():
    for line in pathlib.Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
        if line.startswith("MemTotal"):
            return int(line.split()[1]) // 1024
    return 0


def load():
    return round(os.getloadavg()[0], 2)


def commit():
    def git(*words):
        return subprocess.run(["git", "-C", str(ROOT), *words], capture_output=True, text=True, check=False).stdout.strip()
    return git("rev-parse", "--short=12", "HEAD") + (" with changes" if git("status", "--porcelain", "--untracked-files=no") else "")


def describe(program):
    """All but the register peaks, which a program measures."""
    name, flags = cpu_info()
    said = subprocess.run([str(program), "doctor"], capture_output=True, text=True, check=False).stdout if program.exists() else ""
    kernels = next((line.split(maxsplit=1)[1] for line in said.splitlines() if line.startswith("kernels ")), "")
    return {"cpu": name, "flags": [one for one in INSTRUCTION_SETS if one in flags], "kernels": kernels, "cores": os.cpu_count(),
            "memory_mb": memory_mb(), "date": datetime.date.today().isoformat(), "commit": commit(), "load_before": load()}
