"""The program over TLS, with a port for operators and limits of what one client may ask for, as `serve` and as the inference role."""

import argparse
import http.client
import json
import os
import shutil
import socket
import ssl
import subprocess

import catalogue
import harness

SEARCH = "/api/recommendation/search?query=warm+jacket&k=3&rerank=false"


def make_pair(folder, name):
    """A certificate that is its own authority, and its key."""
    certificate, key = os.path.join(folder, name + ".crt"), os.path.join(folder, name + ".key")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", f"/CN={name}", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key, "-out", certificate],
                   check=True, capture_output=True)
    return certificate, key


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def get(port, path, authority, headers=None):
    """Status, headers and body of an answer over TLS, by a client that believes only this authority."""
    connection = http.client.HTTPSConnection("localhost", port, context=ssl.create_default_context(cafile=authority), timeout=20)
    try:
        connection.request("GET", path, headers=headers or {})
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


def believed(port, authority):
    try:
        return get(port, "/live", authority)[0] == 200
    except ssl.SSLCertVerificationError:
        return False


def check_limits(port, authority, failures):
    status, headers, _ = get(port, SEARCH + "&userId=ann", authority, {"X-Forwarded-For": "198.51.100.7"})
    failures.check("a search over TLS", status == 200, status)
    failures.check("tells of both limits", headers.get("RateLimit-Policy") == '"user";q=60;w=10, "address";q=30;w=10', headers)
    statuses = []
    for number in range(60):
        path = f"/api/recommendation/search?query=jacket+number+{number}&k=3&rerank=false"
        status, headers, body = get(port, path, authority, {"X-Forwarded-For": "198.51.100.7"})
        statuses.append(status)
        if status == 429:
            failures.check("when to come again", int(headers["Retry-After"]) >= 1, headers)
            failures.check("what it is", json.loads(body)["error"]["code"] == "rate_limited", body)
            break
    failures.check("an address is refused at last", statuses[-1] == 429 and statuses[0] == 200, statuses)
    failures.check("another is not", get(port, SEARCH, authority, {"X-Forwarded-For": "203.0.113.9"})[0] == 200)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    program = parser.parse_args().program
    harness.need_model()
    failures = harness.Failures()
    none = ("--reranker", "none")
    with harness.temporary_folder() as folder:
        data, _ = catalogue.ingest_sample(program, folder, failures, products=40)
        (first, first_key), (second, second_key) = make_pair(folder, "first"), make_pair(folder, "second")
        used, used_key = os.path.join(folder, "used.crt"), os.path.join(folder, "used.key")
        shutil.copy(first, used)
        shutil.copy(first_key, used_key)
        tls = ("--tls-certificate", used, "--tls-key", used_key)

        wrong = harness.run(program, "serve", "--data", data, *none, "--tls-certificate", used, "--tls-key", second_key)
        failures.check("a key of another certificate", wrong.returncode == 2 and "tls_key" in wrong.stderr, wrong.stderr)
        wrong = harness.run(program, "serve", "--data", data, *none, "--trusted-proxies", "nowhere")
        failures.check("a proxy that is none", wrong.returncode == 2 and "trusted_proxies" in wrong.stderr, wrong.stderr)

        admin = free_port()
        server = harness.Server(program, data, *none, *tls, "--admin-port", str(admin), "--trusted-proxies", "127.0.0.1",
                                "--rate-limit-user", "6", "--rate-limit-address", "3")
        check_limits(server.port, first, failures)
        failures.check("metrics are not public", get(server.port, "/metrics", first)[0] == 404)
        status, _, body = get(admin, "/metrics", first)
        failures.check("operators have them", status == 200 and b'scalestyle_http_rate_limited_total{limit="address"}' in body, status)
        failures.check("and everything else", get(admin, SEARCH, first)[0] == 200)

        shutil.copy(second, used)
        shutil.copy(second_key, used_key)
        harness.wait_until(lambda: believed(server.port, second))
        failures.check("a new pair without a restart", not believed(server.port, first))
        with open(used, "w", encoding="utf-8") as damaged:
            damaged.write("nonsense")
        harness.wait_until(lambda: any("the one before stays" in line for line in server.lines))
        failures.check("a damaged one is not used", believed(server.port, second))
        failures.check("stops", server.stop()[0] == 0)

        shutil.copy(second, used)
        role = harness.Server(program, None, *none, *tls, command=["inference", "--port", "0", "--admin-port", str(admin)])
        failures.check("the role over TLS", get(role.port, "/info", second)[0] == 200)
        failures.check("its metrics", get(role.port, "/metrics", second)[0] == 404 and get(admin, "/metrics", second)[0] == 200)
        failures.check("the role stops", role.stop()[0] == 0)
    failures.finish()


if __name__ == "__main__":
    main()
