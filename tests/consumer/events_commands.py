"""scalestyle events export, import, verify and rebuild, as a person uses them."""

import argparse
import fcntl
import json
import os
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "end_to_end"))

import harness  # noqa: E402

BASE_MS = 1772366400000


def click(number):
    return {"event_id": f"click-{number}", "event_type": "click", "event_time_ms": BASE_MS + number, "received_time_ms": BASE_MS + number,
            "user_id": f"user-{number % 9}", "item_id": "0108775015", "category": "Vest top", "weight": 1}


def lines_of(numbers):
    return "".join(json.dumps(click(number)) + "\n" for number in numbers)


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def interrupted_import(program, data, failures):
    """An import whose input never ends: it is interrupted once a batch is in the log."""
    process = subprocess.Popen([program, "events", "import", "--data", data], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    process.stdin.write(lines_of(range(0, 700)))
    process.stdin.flush()
    while process.poll() is None and "click-499" not in harness.run(program, "events", "export", "--data", data).stdout:
        pass
    process.send_signal(signal.SIGINT)
    process.wait()  # with its input still open: only the signal can end it
    output, error = process.communicate()
    failures.check("an interrupted import: exit code", process.returncode == 1, f"{process.returncode} {error}")
    failures.check("an interrupted import: says where", "run the import again" in error, error)
    failures.check("an interrupted import: counts", "imported 700 events" in output, output)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    program = parser.parse_args().program
    failures = harness.Failures()

    def expect(name, arguments, code, *texts):
        answer = harness.run(program, "events", *arguments)
        output = answer.stdout + answer.stderr
        failures.check(f"{name}: exit code", answer.returncode == code, f"{answer.returncode}\n{output}")
        for text in texts:
            failures.check(f"{name}: says '{text}'", text in output, output)

    with harness.temporary_folder() as folder:
        shop = os.path.join(folder, "shop")
        copy = os.path.join(folder, "copy")
        for data in (shop, copy):
            os.mkdir(data)
        good = os.path.join(folder, "good.jsonl")
        bad = os.path.join(folder, "bad.jsonl")
        out = os.path.join(folder, "out.jsonl")
        again = os.path.join(folder, "again.jsonl")
        write(good, lines_of(range(0, 1200)))
        write(bad, lines_of([1200]) + "no event\n" + lines_of([1201]) + '{"event_id":"x"}\n')

        expect("no folder", ["verify", "--data", os.path.join(folder, "none")], 2, "none")
        expect("no log", ["export", "--data", shop], 2, "events.db does not exist")
        expect("no input", ["import", "--data", shop, "--in", os.path.join(folder, "none")], 2, "none")
        interrupted_import(program, shop, failures)
        expect("the rest", ["import", "--data", shop, "--in", good], 0, "imported 500 events; 700 were there already")
        expect("bad lines", ["import", "--data", shop, "--in", bad], 1, "imported 2 events", "2 lines rejected",
               "bad.jsonl, line 2", "line 4")
        expect("verify", ["verify", "--data", shop], 0, "1202 events", "features.db is missing", "sound")
        expect("export", ["export", "--data", shop, "--out", out], 0, "exported 1202 events")
        exported = [json.loads(line) for line in read(out).splitlines()]
        failures.check("the export has every event in order", exported == [click(number) for number in range(1202)])
        failures.check("nothing partial is left", not os.path.exists(out + ".partial"))
        expect("import of an export", ["import", "--data", copy, "--in", out], 0, "imported 1202 events")
        expect("export of the import", ["export", "--data", copy, "--out", again], 0)
        failures.check("an export of an import is the same", read(out) == read(again))

        expect("nothing to compare", ["rebuild", "--data", shop], 2, "features.db does not exist; --replace")
        expect("a first checkpoint", ["rebuild", "--data", shop, "--replace"], 0, "1202 events applied")
        expect("equal", ["rebuild", "--data", shop], 0, "equal")
        expect("more events", ["import", "--data", shop, "--in", good], 0, "imported 0 events; 1200 were there already")
        expect("a checkpoint of other settings", ["rebuild", "--data", shop, "--affinity-half-life-hours", "1"], 1, "rebuild")
        expect("made anew", ["rebuild", "--data", shop, "--affinity-half-life-hours", "1", "--replace"], 0)
        expect("other settings are equal now", ["rebuild", "--data", shop, "--affinity-half-life-hours", "1"], 0, "equal")
        with open(os.path.join(shop, "events.lock"), "a", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            expect("import beside a server", ["import", "--data", shop, "--in", good], 1, "events.lock", "must be stopped")
            expect("replace beside a server", ["rebuild", "--data", shop, "--replace"], 1, "events.lock", "to be stopped")
            expect("export beside a server", ["export", "--data", shop], 0, "exported 1202 events")
        with open(os.path.join(shop, "features.db"), "r+b") as file:
            file.seek(4096)
            file.write(b"\x5a" * 4096)
        expect("damage is found", ["verify", "--data", shop], 1, "features.db", "not sound")
    failures.finish()


main()
