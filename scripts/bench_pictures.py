#!/usr/bin/env python3
"""usage: bench_pictures.py DATA --vision-model DIR --photos DIR [--requests 60] [--only KIND] [--json] [serve options…]

What searches by picture cost, over HTTP, one client, closed loop. DATA was ingested with that model (or with
--image-embeddings of its width); DIR of photos has JPEG files. Every request has a picture, or a query, that the server has not
seen: a photo with another comment in it, and other words. Each answer is checked (success, not degraded, full page); a bad one
ends the run with 1. `clip_bench --write DIR` makes a model of ViT-B/32's shape with random weights, `rerank_bench --model minilm
--write DIR` a cross-encoder of its own; further options go to `scalestyle serve` (--reranker DIR --reranker-rerank-depth 50 …).
"""

import argparse
import base64
import http.client
import itertools
import json
import pathlib
import statistics
import subprocess
import sys
import threading
import time

WORDS = ["red", "blue", "black", "white", "green", "summer", "winter", "cotton", "linen", "soft", "striped", "floral", "long",
         "short", "wide", "slim"]
THINGS = ["dress", "shirt", "jacket", "trousers", "skirt", "sweater", "shorts", "coat", "blouse", "cardigan"]


def jpeg_with_comment(photo, text):
    comment = text.encode()
    return photo[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + photo[2:]


def serve(program, arguments):
    process = subprocess.Popen([program, "serve", "--port", "0", "--log-format", "json", *arguments],
                               stderr=subprocess.PIPE, text=True)
    for line in process.stderr:
        if '"message":"ready"' in line:
            threading.Thread(target=process.stderr.read, daemon=True).start()
            return process, json.loads(line)
        sys.stderr.write(line)
    sys.exit("the server did not start")


class Client:
    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def ask(self, path, body):
        text = json.dumps(body)
        started = time.perf_counter()
        self.connection.request("POST", path, text, {"Content-Type": "application/json"})
        response = self.connection.getresponse()
        answer = json.loads(response.read())
        took = 1000 * (time.perf_counter() - started)
        if response.status != 200 or answer["degraded"] or len(answer["data"]) != body["k"]:
            sys.exit(f"bad answer: {response.status} {str(answer)[:400]}")
        return took, answer


def measure(client, name, path, bodies, processor_seconds, options):
    if options.only and not name.startswith(options.only):
        return
    client.ask(path, next(bodies))
    times, stages, reranked, before = [], {}, [], processor_seconds()
    for body in bodies:
        took, answer = client.ask(path, body)
        times.append(took)
        for stage in answer["stages"]:
            stages.setdefault(stage["stage"], []).append(stage["took_ms"])
        if answer.get("rerank"):
            reranked.append(answer["rerank"]["scored"])
    times.sort()
    spent = 1000 * (processor_seconds() - before) / len(times)
    at = lambda share: times[min(len(times) - 1, int(share * len(times)))]
    if options.json:
        print(json.dumps({"kind": name, "count": len(times), "p50_ms": statistics.median(times), "p99_ms": at(0.99),
                          "processor_ms": spent}), flush=True)
        return
    print(f"{name:34} n {len(times):3}  p50 {statistics.median(times):7.1f}  p99 {at(0.99):7.1f} ms  processor {spent:6.1f} ms"
          + (f"  reranked {statistics.mean(reranked):.0f}" if reranked else ""))
    longest = sorted(((statistics.median(values), stage) for stage, values in stages.items()), reverse=True)[:4]
    print("    " + ", ".join(f"{stage} {took:.1f}" for took, stage in longest), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("--program", default="build/release/scalestyle")
    parser.add_argument("--vision-model", required=True)
    parser.add_argument("--photos", required=True)
    parser.add_argument("--requests", type=int, default=60)
    parser.add_argument("--only", default="", help="image_to_image, text_to_image or hybrid")
    parser.add_argument("--json", action="store_true", help="a line of JSON for each row")
    options, rest = parser.parse_known_args()
    photos = [path.read_bytes() for path in sorted(pathlib.Path(options.photos).rglob("*.jpg"))]
    if not photos:
        sys.exit(f"no JPEG file in {options.photos}")
    process, ready = serve(options.program, ["--data", options.data, "--vision-enabled", "--vision-model", options.vision_model,
                                             *rest])
    number = itertools.count()
    queries = (" ".join(words) for words in itertools.product(WORDS, WORDS, THINGS) if words[0] != words[1])

    def processor_seconds():
        with open(f"/proc/{process.pid}/stat", encoding="ascii") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / 100

    def picture():
        index = next(number)
        return base64.b64encode(jpeg_with_comment(photos[index % len(photos)], f"number {index}")).decode()

    def bodies(make):
        return (make() for _ in range(options.requests + 1))

    try:
        client = Client(ready["port"])
        print(f"ready after {ready['seconds']:.2f} s; {ready['models']}; photos of {statistics.mean(map(len, photos)) / 1000:.0f} kB")
        image, hybrid = "/api/recommendation/search/image", "/api/recommendation/search/hybrid"
        measure(client, "image_to_image", image,
                bodies(lambda: {"mode": "image_to_image", "image_base64": picture(), "k": 10}), processor_seconds, options)
        measure(client, "text_to_image", image,
                bodies(lambda: {"mode": "text_to_image", "query": next(queries), "k": 10}), processor_seconds, options)
        for k in (20, 50):
            measure(client, f"hybrid, k {k}", hybrid,
                    bodies(lambda: {"query": next(queries), "image_base64": picture(), "k": k, "rerank": False}), processor_seconds, options)
            if rest and any(option.startswith("--reranker") for option in rest):
                measure(client, f"hybrid, {k} pairs reranked", hybrid,
                        bodies(lambda: {"query": next(queries), "image_base64": picture(), "k": k, "rerank": k,
                                        "deadline_ms": 8000}), processor_seconds, options)
    finally:
        process.terminate()
        process.wait(timeout=60)


if __name__ == "__main__":
    main()
