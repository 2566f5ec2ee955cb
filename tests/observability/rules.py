"""The rules of deploy/prometheus by promtool, and that every alert has a page that can be followed."""

import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys

SKIPPED = 77
PARTS = ("What shoppers or operators notice", "## First look", "## What helps", "## When to call for help")


def find_promtool(root):
    third_party = os.environ.get("THIRD_PARTY_DIR") or str(root / "build" / "third_party")
    fetched = os.path.join(third_party, "promtool", "bin", "promtool")
    return os.environ.get("PROMTOOL") or shutil.which("promtool") or (fetched if os.path.exists(fetched) else None)


def run_promtool(promtool, folder):
    tests = sorted(str(path) for path in (folder / "tests").glob("*.yml"))
    rules = sorted(str(path) for path in (folder / "rules").glob("*.yml"))
    for command in (["check", "config", str(folder / "prometheus.yml")], ["check", "rules", *rules], ["test", "rules", *tests]):
        answer = subprocess.run([promtool, *command], capture_output=True, text=True, timeout=300, check=False)
        if answer.returncode != 0:
            yield f"promtool {' '.join(command[:2])}:\n{answer.stdout}{answer.stderr}"


def check_pages(root):
    """Each alert has a unit test and a page; each page is of an alert."""
    folder = root / "deploy" / "prometheus"
    alerts = re.findall(r"^      - alert: (\w+)$", (folder / "rules" / "alerts.yml").read_text(encoding="utf-8"), re.M)
    named = re.findall(r"^ +runbook_url: (\S+)$", (folder / "rules" / "alerts.yml").read_text(encoding="utf-8"), re.M)
    if len(alerts) < 10 or len(alerts) != len(named):
        yield f"{len(alerts)} alerts, {len(named)} of them with a runbook_url"
    tests = "".join(path.read_text(encoding="utf-8") for path in (folder / "tests").glob("*.yml"))
    for alert, page in zip(alerts, named):
        if page != f"docs/runbooks/{alert}.md" or not (root / page).is_file():
            yield f"{alert}: no page docs/runbooks/{alert}.md"
            continue
        text = (root / page).read_text(encoding="utf-8")
        yield from (f"{page}: has no part “{part}”" for part in PARTS if part not in text)
        if not re.search(rf"alertname: {alert}\n        exp_alerts:\n", tests):
            yield f"{alert}: no test in which it fires"
        if not re.search(rf"alertname: {alert}\n        exp_alerts: \[\]", tests):
            yield f"{alert}: no test in which it does not fire"
    for page in sorted((root / "docs" / "runbooks").glob("*.md")):
        if page.stem not in alerts:
            yield f"docs/runbooks/{page.name}: there is no such alert"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("root", type=pathlib.Path)
    root = parser.parse_args().root.resolve()
    wrong = list(check_pages(root))
    promtool = find_promtool(root)
    if promtool is not None:
        wrong += run_promtool(promtool, root / "deploy" / "prometheus")
    for line in wrong:
        print(line)
    if not wrong and promtool is None:
        print("promtool is not installed: run scripts/promtool.sh")
        sys.exit(1 if os.environ.get("CI") == "true" else SKIPPED)
    sys.exit(1 if wrong else 0)


main()
