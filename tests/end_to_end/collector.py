"""A collector of spans on loopback: takes OTLP/HTTP JSON as the protocol has it, and refuses what is not."""

import http.server
import json
import re
import threading

HEX = {"traceId": re.compile(r"[0-9a-f]{32}"), "spanId": re.compile(r"[0-9a-f]{16}"), "parentSpanId": re.compile(r"[0-9a-f]{16}")}
NAMES = {"traceId", "spanId", "traceState", "parentSpanId", "flags", "name", "kind", "startTimeUnixNano", "endTimeUnixNano", "attributes",
         "droppedAttributesCount", "links", "droppedLinksCount", "status"}
SERVER, CLIENT, PRODUCER, CONSUMER = 2, 3, 4, 5


def fault_of(span):
    """What is wrong with a span as JSON; None: nothing."""
    if set(span) - NAMES:
        return f"unknown members {set(span) - NAMES}"
    for name, pattern in HEX.items():
        if name in span and not pattern.fullmatch(span[name]):
            return f"{name} is {span[name]!r}"
    for name in ("startTimeUnixNano", "endTimeUnixNano"):
        if not isinstance(span[name], str) or not span[name].isdigit():
            return f"{name} is {span[name]!r}"
    if int(span["startTimeUnixNano"]) > int(span["endTimeUnixNano"]):
        return "it ends before it begins"
    if not isinstance(span["kind"], int) or not 1 <= span["kind"] <= 5:
        return f"kind is {span['kind']!r}"
    for attribute in span.get("attributes", []):
        if len(attribute["value"]) != 1 or next(iter(attribute["value"])) not in ("stringValue", "intValue", "doubleValue", "boolValue"):
            return f"attribute {attribute}"
        if not isinstance(attribute["value"].get("intValue", ""), str):
            return f"attribute {attribute}: 64-bit numbers are texts"
    return None


def attributes(span):
    """Names and values; numbers as texts."""
    return {one["key"]: next(iter(one["value"].values())) for one in span.get("attributes", [])}


class Collector:
    """Listens on a free port until close(); `status` is what it answers."""

    def __init__(self):
        self.lock = threading.Lock()
        self.spans, self.faults, self.roles = [], [], {}
        self.status, self.refused = 200, 0
        collector = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):  # noqa: N802
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = collector.take(self.path, self.headers.get("Content-Type"), body)
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.endpoint = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self, path, content_type, body):
        with self.lock:
            if self.status != 200:
                self.refused += 1
                return self.status
            if path != "/v1/traces" or content_type != "application/json":
                self.faults.append(f"{path} {content_type}")
                return 404
            for resource in json.loads(body)["resourceSpans"]:
                about = attributes(resource["resource"])
                if about.get("service.name") != "scalestyle":
                    self.faults.append(f"resource {about}")
                for scope in resource["scopeSpans"]:
                    for span in scope["spans"]:
                        fault = fault_of(span)
                        if fault:
                            self.faults.append(f"{span.get('name')}: {fault}")
                        self.spans.append(span)
                        self.roles[span["spanId"]] = about.get("scalestyle.role")
            return 200

    def of(self, trace_id):
        with self.lock:
            return [span for span in self.spans if span["traceId"] == trace_id]

    def named(self, trace_id, name):
        return [span for span in self.of(trace_id) if span["name"] == name]

    def close(self):
        self.server.shutdown()


class Tree:
    """The spans of one trace, by parent."""

    def __init__(self, spans):
        self.by_id = {span["spanId"]: span for span in spans}
        self.spans = spans

    def one(self, name, kind=None):
        found = [span for span in self.spans if span["name"] == name and kind in (None, span["kind"])]
        return found[0] if found else None

    def path(self, span):
        """Names from the root of what is known to the span."""
        names = []
        while span is not None:
            names.insert(0, span["name"])
            span = self.by_id.get(span.get("parentSpanId"))
        return names
