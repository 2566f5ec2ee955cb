"""The inference role as a process, and a server that takes its models from there: the same answers as with models of its own; by words
while the role is away, and by meaning again as soon as it is back."""

import argparse
import json
import os
import shutil
import signal
import socket
import time
import urllib.parse

import catalogue
import harness

QUERY = "something+warm+for+the+winter"


class Role(harness.Server):
    """`scalestyle inference` on a port that is known before."""

    def __init__(self, program, port, *arguments):
        super().__init__(program, None, *arguments, command=["inference", "--port", str(port)])


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def search(server, query=QUERY, more=""):
    status, answer = server.ask(f"/api/recommendation/search?query={query}&k=20{more}")
    return answer if status == 200 else {"data": [], "degradations": [], "error": answer}


def listed(answer):
    return [(item["article_id"], item["score"]) for item in answer["data"]]


def dependency(server, name):
    status, answer = server.ask("/ready")
    found = [one for one in answer.get("dependencies", []) if one["name"] == name]
    return status, found[0] if found else None


def check_role(role, failures):
    status, vectors = role.ask("/embed", "POST", {"inputs": ["warm winter jacket"]})
    failures.check("embed", status == 200 and len(vectors) == 1 and len(vectors[0]) == 384, status)
    status, info = role.ask("/info")
    failures.check("info", info["model_id"] == "bge-small-en-v1.5" and len(info["weights_hash"]) == 64, info)
    status, error = role.ask("/rerank", "POST", {"query": "a", "texts": ["b"]})
    failures.check("no reranker is served", status == 424 and error["error_type"] == "Backend", error)
    for path in ("/live", "/ready", "/health"):
        failures.check(path, role.request(path)[0] == 200)
    failures.check("metrics", b"scalestyle_inference_batch_tokens" in role.request("/metrics")[2])


def check_hung(server, role, failures):
    """A role that takes calls and says nothing: searches wait for it until its breaker has seen enough, and not after that."""
    role.process.send_signal(signal.SIGSTOP)
    reasons = []
    for number in range(12):
        answer = search(server, f"jacket+{number}")
        reasons.append(answer["degradations"])
        failures.check("by words while the role hangs", len(answer["data"]) > 0, answer)
        if "DOWNSTREAM_CIRCUIT_OPEN" in answer["degradations"]:
            break
    failures.check("late answers are named", "INFERENCE_TIMEOUT" in reasons[0], reasons)
    failures.check("the breaker opens", "DOWNSTREAM_CIRCUIT_OPEN" in reasons[-1], reasons)
    started = time.monotonic()
    answer = search(server, "jacket+and+trousers")
    print(f"hung, breaker open: an answer in {1000 * (time.monotonic() - started):.1f} ms after {len(reasons)} searches", flush=True)
    failures.check("the open breaker is named", "DOWNSTREAM_CIRCUIT_OPEN" in answer["degradations"], answer["degradations"])
    status, state = dependency(server, "inference")
    failures.check("ready says so", status == 200 and state["status"] == "down" and state["breaker"] == "open", state)
    failures.check("metrics say so", b'scalestyle_dependency_breaker_state{dependency="inference"} 2' in server.request("/metrics")[2])
    role.process.send_signal(signal.SIGCONT)
    harness.wait_until(lambda: dependency(server, "inference")[1]["breaker"] == "closed")  # without a search
    harness.wait_until(lambda: not search(server, f"jacket+again+{free_port()}")["degraded"])


def check_fallback(program, data, arguments, drill, failures):
    """Steps of the ladder that the setting leaves out are passed over; `drill` may use none. The role is away."""
    status, headers, body = drill.request("/api/recommendation/search?query=jacket")
    reason = json.loads(body)["error"].get("reason") if status == 503 else body
    failures.check("no step is left", status == 503 and "Retry-After" in headers and reason == "INFERENCE_UNAVAILABLE", (status, headers, body))
    failures.check("the log says what is left out", any('"left_out":"words,other_side,cached' in line for line in drill.lines), drill.lines)
    drill.stop()
    popular = harness.Server(program, data, *arguments, "--fallback", "global_popular")
    answer = search(popular, "jacket")
    failures.check("popular articles before words", answer.get("fallback_source") == "global_popular" and len(answer["data"]) > 0, answer)
    popular.stop()
    wrong = harness.run(program, "serve", "--data", data, *arguments, "--fallback", "words,popular_all")
    failures.check("a step that is none", wrong.returncode == 2 and "there is no step \"popular_all\"" in wrong.stderr, wrong.stderr)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    program = parser.parse_args().program
    harness.need_model()
    failures = harness.Failures()
    refused = harness.run(program, "inference", "--inference-device", "cuda")
    failures.check("an accelerator is refused", refused.returncode == 2 and "inference_url" in refused.stderr, refused.stderr)
    wrong = harness.run(program, "serve", "--data", "nowhere", "--inference-url", "localhost:8000")
    failures.check("an address that is none", wrong.returncode == 2 and "inference_url" in wrong.stderr, wrong.stderr)
    none = ("--reranker", "none")
    with harness.temporary_folder() as folder:
        data, _ = catalogue.ingest_sample(program, folder, failures, products=40)
        copy = shutil.copytree(data, os.path.join(folder, "drill"))
        alone = harness.Server(program, data, *none)
        expected = listed(search(alone))
        alone.stop()

        port = free_port()
        url = ("--inference-url", f"http://127.0.0.1:{port}")
        server = harness.Server(program, data, *none, *url, "--breaker-open-ms", "3000")
        status, state = dependency(server, "inference")
        failures.check("ready without the role, and says so", status == 200 and state["status"] == "down" and str(port) in state["cause"], state)
        by_words = search(server, "jacket")
        reasons = by_words["degradations"]
        failures.check("by words", len(by_words["data"]) > 0 and "INFERENCE_UNAVAILABLE" in reasons, by_words)

        role = Role(program, port, *none)
        check_role(role, failures)
        harness.wait_until(lambda: (state := dependency(server, "inference")[1])["status"] == "ok" and state["breaker"] == "closed")
        failures.check("the same list as in one process", listed(search(server)) == expected, search(server))
        failures.check("not degraded", not search(server)["degraded"])
        check_hung(server, role, failures)

        drill = harness.Server(program, copy, *none, *url, "--fallback", "none")
        role.kill()
        check_fallback(program, copy, (*none, *url), drill, failures)
        query = urllib.parse.quote_plus("a dress for the summer")
        gone = search(server, query)
        failures.check("by words again", gone["degraded"] and len(gone["data"]) > 0, gone)
        role = Role(program, port, *none)
        harness.wait_until(lambda: not search(server, query + "+and+" + str(free_port()))["degraded"])
        failures.check("the same list again", listed(search(server)) == expected)
        for name, process in (("server", server), ("role", role)):
            code, _ = process.stop()
            failures.check(f"{name} stops", code == 0, code)
        told = [json.loads(line)["message"] for line in server.lines if line.startswith("{")]
        failures.check("the log tells", "an inference endpoint serves" in told and "an inference endpoint is left alone for a while" in told, told)
    failures.finish()


if __name__ == "__main__":
    main()
