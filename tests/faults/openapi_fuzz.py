"""Requests made from /openapi.json by schemathesis, such as it allows and such as it does not: no 5xx, no status, content type or
shape that it does not tell. The packages are pinned by hash and kept where the tests' servers are.

    openapi_fuzz.py --program P [--examples N] [--seed N] [--routes REGEX]
"""

import fcntl
import os
import platform
import shutil
import subprocess
import sys
import tempfile

from endpoints import Client
from shop import Shop, harness, parser

HERE = os.path.dirname(os.path.abspath(__file__))
REQUIREMENTS = os.path.join(HERE, "schemathesis_requirements.txt")
CACHE = os.environ.get("SCALESTYLE_SERVER_CACHE") or os.path.expanduser("~/.cache/scalestyle/servers")
CHECKS = ("not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance")


def packages():
    """The folder of the packages, fetched once; ends the test as skipped where they cannot be had."""
    if (sys.version_info[:2], platform.system(), platform.machine()) != ((3, 11), "Linux", "x86_64"):
        harness.skip("schemathesis is pinned for Python 3.11 on Linux, x86-64")
    with open(REQUIREMENTS, encoding="utf-8") as file:
        version = next(line.split("==")[1].split()[0] for line in file if line.startswith("schemathesis=="))
    package = os.path.join(CACHE, f"schemathesis-{version}")
    os.makedirs(CACHE, exist_ok=True)
    with open(os.path.join(CACHE, "schemathesis.lock"), "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if os.path.exists(package):
            return package
        work = tempfile.mkdtemp(prefix="schemathesis.", dir=CACHE)
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "pip",
                "--disable-pip-version-check",
                "-q",
                "install",
                "--no-deps",
                "--require-hashes",
                "--only-binary",
                ":all:",
                "--root-user-action",
                "ignore",
                "--target",
                work,
                "-r",
                REQUIREMENTS,
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            shutil.rmtree(work)
            harness.skip(f"schemathesis cannot be had: {done.stderr.strip()[-400:]}")
        os.rename(work, package)
    return package


def fuzz(package, port, options, folder):
    command = [
        sys.executable,
        "-B",
        "-c",
        "import sys; from schemathesis.cli import schemathesis; sys.exit(schemathesis())",
        "run",
        f"http://127.0.0.1:{port}/openapi.json",
        "--checks",
        ",".join(CHECKS),
        "--phases",
        options.phases,
        "--mode",
        "all",
        "--max-examples",
        str(options.examples),
        "--seed",
        str(options.seed),
        "--request-timeout",
        "20",
        "--continue-on-failure",
        "--generation-database",
        "none",
        "--suppress-health-check",
        "all",
        "--warnings",
        "off",
        "--no-color",
    ]
    if options.routes:
        command += ["--include-path-regex", options.routes]
    return subprocess.run(
        command,
        env={**os.environ, "PYTHONPATH": package, "SCHEMATHESIS_HOOKS": ""},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=options.timeout,
        check=False,
    )


def main():
    options = parser(description=__doc__)
    options.add_argument("--examples", type=int, help="requests an operation and phase (200; brief 8)")
    options.add_argument("--seed", type=int, default=int(os.environ.get("FAULT_SEED", "1")))
    options.add_argument("--routes", help="only paths that match")
    options.add_argument("--timeout", type=float, default=3_600)
    options = options.parse_args()
    options.examples = options.examples or (8 if options.brief else 200)
    options.phases = "fuzzing" if options.brief else "examples,coverage,fuzzing"
    failures = harness.Failures()
    package = packages()
    with harness.temporary_folder() as folder:
        shop = Shop(options.program, folder, products=12)
        with shop.serve(shop.data(), "--generation-enabled", "--generation-model", shop.generator) as server:
            done = fuzz(package, server.port, options, folder)
            print("\n".join(line[:300] for line in done.stdout.splitlines()[-400:]), flush=True)
            failures.check("schemathesis finds nothing", done.returncode == 0, done.stderr[-2_000:])
            failures.check("the server stays", server.alive())
            answer = Client(server.port).ask("GET", "/api/recommendation/search?query=dress&k=5")
            failures.check("and answers", answer.status == 200 and answer.label is None, answer)
            failures.check("it stops as it should", server.stop()[0] == 0)
    failures.finish()


if __name__ == "__main__":
    main()
