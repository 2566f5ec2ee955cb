"""What doctor says of good and of broken configurations, as a process: exit codes, findings, and no secret in any of it."""

import argparse
import email.utils
import http.server
import json
import os
import shutil
import socket
import subprocess
import threading
import time

import harness

SECRET = "open-sesame-4711"
ENGINE_SECONDS = 30  # far above every deadline: a wait for ever fails, a slow machine does not


class Doctor:
    def __init__(self, program, failures):
        self.program = program
        self.failures = failures

    def ask(self, name, code, *arguments, environment=None):
        """The checks by name; the report is looked at in both forms of its output."""
        started = time.monotonic()
        answer = harness.run(self.program, "doctor", "--json", *arguments, environment=environment)
        took = time.monotonic() - started
        self.failures.check(f"{name}: exit code", answer.returncode == code,
                            f"{answer.returncode}\n{answer.stdout}\n{answer.stderr}")
        self.failures.check(f"{name}: no secret is told", SECRET not in answer.stdout + answer.stderr,
                            answer.stdout + answer.stderr)
        self.failures.check(f"{name}: in time", took < ENGINE_SECONDS, f"{took:.1f} s")
        try:
            report = json.loads(answer.stdout)
        except ValueError:
            self.failures.check(f"{name}: JSON", False, answer.stdout + answer.stderr)
            return {}
        for check in report["checks"]:
            good = check["status"] in ("ok", "skipped", "warn", "fail") and check["found"]
            self.failures.check(f"{name}: {check['name']} is whole", good, str(check))
            bad = check["status"] in ("warn", "fail")
            self.failures.check(f"{name}: {check['name']} says what to do", bool(check["advice"]) == bad, str(check))
        return {check["name"]: check for check in report["checks"]}

    def expect(self, name, checks, status, *words, check=None):
        found = checks.get(check or name, {"status": "absent", "found": "", "advice": ""})
        self.failures.check(f"{name}: {status}", found["status"] == status, str(found))
        for word in words:
            self.failures.check(f"{name}: {word}", word in found["found"] + found["advice"], str(found))


class ModelServer:
    """Says which model it is, by a clock of its own."""

    def __init__(self, model, seconds_ahead=0, status=200):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                body = json.dumps({"model_id": "maker/" + model, "version": "9.9.9",
                                   "model_type": {"embedding": {"pooling": "cls"}}}).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def date_time_string(self, timestamp=None):
                return email.utils.formatdate(time.time() + seconds_ahead, usegmt=True)

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def __enter__(self):
        return self.url

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


class Silent:
    """Takes connections and never says a word: what a black hole is to who asks."""

    def __enter__(self):
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=16)
        return f"127.0.0.1:{self.socket.getsockname()[1]}"

    def __exit__(self, *_):
        self.socket.close()


def refused_address():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return f"127.0.0.1:{taken.getsockname()[1]}"


def check_machine(doctor, folder, no_models):
    checks = doctor.ask("no model", 1, "--quick", "--port", "0", *no_models)
    doctor.expect("model_files", checks, "fail", "bge-small-en-v1.5", "scalestyle models fetch")
    doctor.expect("text_encoder", checks, "skipped", "--quick")
    doctor.expect("generation", checks, "skipped", "no --data")
    doctor.expect("stores", checks, "ok", "events in embedded")
    for name in ("kernels", "file_handles", "threads", "huge_pages", "memory", "access", "listen"):
        doctor.failures.check(f"there is a check of {name}", name in checks, str(sorted(checks)))

    limited = subprocess.run(["sh", "-c", 'ulimit -n 200; exec "$0" "$@"', doctor.program, "doctor", "--quick", "--port", "0",
                              *no_models],
                             capture_output=True, text=True, timeout=120, check=False)
    doctor.failures.check("few handles", "200 open files allowed" in limited.stdout and "LimitNOFILE" in limited.stdout,
                          limited.stdout)

    with socket.create_server(("127.0.0.1", 0)) as taken:
        checks = doctor.ask("a port in use", 1, "--quick", *no_models, "--port", str(taken.getsockname()[1]))
        doctor.expect("listen", checks, "warn", "is in use")
    checks = doctor.ask("an address of another machine", 1, "--quick", *no_models, "--host", "192.0.2.1")
    doctor.expect("listen", checks, "fail", "192.0.2.1")
    checks = doctor.ask("an open address", 1, "--quick", *no_models, "--host", "0.0.0.0", "--port", "0")
    doctor.failures.check("an open address is remarked on", checks["access"]["status"] in ("warn", "fail"), str(checks["access"]))

    words = os.path.join(folder, "words")
    checks = doctor.ask("a file that is not there", 1, "--quick", "--port", "0", *no_models, "--synonyms", words)
    doctor.expect("named_files", checks, "fail", words, "(synonyms)")
    with open(words, "w", encoding="utf-8") as file:
        file.write("tee => t-shirt\n")
    os.chmod(words, 0o644)
    secret = ["--kafka-password-file", words]
    checks = doctor.ask("a password that others read", 1, "--quick", "--port", "0", *no_models, *secret)
    doctor.expect("named_files", checks, "warn", "chmod 600")
    os.chmod(words, 0o600)
    checks = doctor.ask("a password that they do not", 1, "--quick", "--port", "0", *no_models, *secret)
    doctor.expect("named_files", checks, "ok")

    checks = doctor.ask("a folder that cannot be written", 1, "--quick", "--port", "0", *no_models, "--data", "/proc/none/data")
    doctor.expect("disk_sync", checks, "fail", "/proc", "--data")
    doctor.expect("generation", checks, "fail", "scalestyle ingest")
    checks = doctor.ask("an empty folder", 1, "--quick", "--port", "0", *no_models, "--data", os.path.join(folder, "none"))
    doctor.expect("disk_sync", checks, "skipped", "can be written")
    doctor.expect("event_log", checks, "ok", "no events yet")
    with open(os.path.join(folder, "events.db"), "wb") as file:
        file.write(b"this is not a database" * 400)
    checks = doctor.ask("a damaged log", 1, "--quick", "--port", "0", *no_models, "--data", folder)
    doctor.expect("event_log", checks, "fail", "scalestyle events verify")


def check_usage(doctor):
    for name, words, arguments in (("a flag that is not", "did you mean '--quick'?", ["--quik"]),
                                   ("a bad value", "a whole number", ["--port", "many"]),
                                   ("a kernel that is not", "mmx", ["--isa", "mmx"]),
                                   ("a choice that is not", "event_log", ["--event-log", "rabbit"])):
        answer = harness.run(doctor.program, "doctor", *arguments)
        doctor.failures.check(f"{name}: usage", answer.returncode == 2, f"{answer.returncode}\n{answer.stderr}")
        doctor.failures.check(f"{name}: message", words in answer.stderr, answer.stderr)


def check_engines(doctor, no_models):
    quick = ["--quick", "--port", "0", *no_models]
    secrets = {"SCALESTYLE_REDIS_PASSWORD": SECRET, "SCALESTYLE_MILVUS_TOKEN": SECRET, "SCALESTYLE_CURSOR_KEY": SECRET,
               "INFERENCE_API_KEY": SECRET, "OPENAI_API_KEY": SECRET}
    checks = doctor.ask("a store without an address", 1, *quick, "--feature-store", "redis", "--data", "/proc/none/data")
    doctor.expect("stores", checks, "fail", "redis_nodes")
    with Silent() as silent:
        checks = doctor.ask("engines that say nothing", 1, *quick, "--redis-nodes", silent, "--inference-url",
                            f"http://{silent}", environment=secrets)
        doctor.expect("redis", checks, "fail", silent)
        doctor.expect("inference_url", checks, "fail", silent)
    address = refused_address()
    checks = doctor.ask("engines that refuse", 1, *quick, "--redis-nodes", address, "--inference-url", f"http://{address}",
                        environment=secrets)
    doctor.expect("redis", checks, "fail", address)
    doctor.expect("inference_url", checks, "fail", address)
    checks = doctor.ask("a password in an address", 1, *quick, "--inference-url", f"http://user:{SECRET}@127.0.0.1:1")
    doctor.expect("inference_url", checks, "fail")

    with ModelServer("bge-small-en-v1.5") as url:
        checks = doctor.ask("a model server", 0, *quick, "--inference-url", url, "--reranker", "none", environment=secrets)
        doctor.expect("inference_url", checks, "ok", "maker/bge-small-en-v1.5", "version 9.9.9")
        doctor.expect("inference_url_clock", checks, "ok")
        doctor.expect("model_files", checks, "ok")
    with ModelServer("another-model") as url:
        checks = doctor.ask("a server of another model", 1, *quick, "--inference-url", url, "--reranker", "none")
        doctor.expect("inference_url", checks, "fail", "wanted is bge-small-en-v1.5")
    with ModelServer("bge-small-en-v1.5", seconds_ahead=120) as url:
        checks = doctor.ask("a clock that is wrong", 0, *quick, "--inference-url", url, "--reranker", "none")
        doctor.expect("inference_url_clock", checks, "warn", "ahead of ours")
        doctor.ask("strictly, that is a failure", 1, "--strict", *quick, "--inference-url", url, "--reranker", "none")
    with ModelServer("bge-small-en-v1.5", status=401) as url:
        checks = doctor.ask("a key that is wrong", 1, *quick, "--inference-url", url, "--reranker", "none", environment=secrets)
        doctor.expect("inference_url", checks, "fail", "401", "INFERENCE_API_KEY")


def check_distributed(doctor, no_models):
    """Programs may be built without these two."""
    quick = ["--quick", "--port", "0", *no_models]
    for setting, check in (("--kafka-brokers", "kafka"), ("--milvus-address", "milvus")):
        address = refused_address()
        checks = doctor.ask(f"no {check}", 1, *quick, setting, address)
        if check in checks:
            doctor.expect(check, checks, "fail", address)


def check_redis(doctor, no_models):
    if not shutil.which("redis-server"):
        print("no redis-server: not asked about a real one")
        return
    port = refused_address().rsplit(":", 1)[1]
    # This process's own child, ended by its handle.
    with subprocess.Popen(["redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", "--requirepass", SECRET],
                          stdout=subprocess.DEVNULL) as redis:
        try:
            with ModelServer("bge-small-en-v1.5") as url:
                harness.wait_until(lambda: accepts(port))
                base = ["--quick", "--port", "0", *no_models, "--inference-url", url, "--reranker", "none", "--redis-nodes",
                        f"127.0.0.1:{port}"]
                checks = doctor.ask("a Redis", 0, *base, environment={"SCALESTYLE_REDIS_PASSWORD": SECRET})
                doctor.expect("redis", checks, "ok", "standalone of 1 master", "noeviction")
                doctor.expect("redis_clock", checks, "ok")
                checks = doctor.ask("a password that is wrong", 1, *base, environment={"SCALESTYLE_REDIS_PASSWORD": SECRET + "!"})
                doctor.expect("redis", checks, "fail")
        finally:
            redis.terminate()


def accepts(port):
    try:
        socket.create_connection(("127.0.0.1", int(port)), timeout=1).close()
        return True
    except OSError:
        return False


def check_good(doctor, folder):
    harness.need_model()
    sample = os.path.join(folder, "sample")
    data = os.path.join(folder, "data")
    for command in (["sample", "--out", sample, "--products", "20"],
                    ["ingest", "--data", data, "--articles", os.path.join(sample, "articles.csv")]):
        made = harness.run(doctor.program, *command)
        doctor.failures.check(command[0], made.returncode == 0, made.stderr)
    checks = doctor.ask("a good configuration", 0, "--data", data, "--port", "0")
    doctor.expect("generation", checks, "ok", "is complete, every checksum right")
    doctor.expect("ranker", checks, "ok")
    doctor.expect("disk_free", checks, checks["disk_free"]["status"], "MB free")
    doctor.failures.check("syncs were measured", "fdatasync p50" in checks["disk_sync"]["found"], str(checks["disk_sync"]))
    doctor.failures.check("a rate was measured", "tokens/s in batches" in checks["text_encoder"]["found"],
                          str(checks["text_encoder"]))
    doctor.failures.check("memory", "catalogue and vectors" in checks["memory"]["found"], str(checks["memory"]))
    left = [name for name in os.listdir(data) if name.startswith(".doctor")]
    doctor.failures.check("nothing is left behind", not left, str(left))
    damaged = [os.path.join(root, name) for root, _, names in os.walk(data) for name in names if name == "vectors.i8"][0]
    with open(damaged, "r+b") as file:
        file.write(b"\xff\xff")
    checks = doctor.ask("a damaged generation", 1, "--data", data, "--port", "0")
    doctor.expect("generation", checks, "fail", "vectors.i8")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    failures = harness.Failures()
    doctor = Doctor(parser.parse_args().program, failures)
    check_usage(doctor)
    with harness.temporary_folder() as folder:
        no_models = ["--models", os.path.join(folder, "no-models")]
        check_machine(doctor, folder, no_models)
        check_engines(doctor, no_models)
        check_distributed(doctor, no_models)
        check_redis(doctor, no_models)
    if failures.count:
        failures.finish()  # what follows may be skipped
    with harness.temporary_folder() as folder:
        check_good(doctor, folder)
    failures.finish()


if __name__ == "__main__":
    main()
