"""Measurements over HTTP on a served data folder: searches, reranked ones, kept lists, pictures, clicks, and Kafka with Redis."""
import itertools
import itertools
import urllib.parse

import common
import prepared
from common import Failed, NoData, Server, copy_of, figure, json_lines, median

STARTS = 3
KEPT = [f"{colour} {thing}{more}" for colour in ("red", "blue", "black", "white", "green")
        for thing in ("dress", "shirt", "jacket", "trousers", "skirt", "sweater", "shorts", "hat", "bag", "socks")
        for more in ("", " for women")]
LOAD = "scalestyle-load"


def told(found, server_seconds):
    """What a search cost, for the note of its row."""
    degraded = f"; {100 * found['degraded_share']:.1f} % degraded" if found["degraded_share"] else ""
    cost = 1e3 * server_seconds / found["answers"]
    return f"{found['answers']:,} answers, {cost:.2f} processor ms each, the generator's {found['generator_cpu_seconds']:.2f} s beside{degraded}"


def measured_load(server, *options):
    before = server.processor_seconds()
    found = server.load(*options)
    return found, told(found, server.processor_seconds() - before)


def search(context, _machine):
    """Without rerank, unique queries; then queries that are asked again; start and memory of the same servers."""
    data, found = context.need_data(), {}
    with common.temporary(context) as folder:
        folder = common.pathlib.Path(folder)
        copy, ready = copy_of(data, folder / "data"), []
        for _ in range(STARTS - 1):
            with Server(context, copy, "--reranker", "none") as server:
                ready.append(server.ready_seconds)
        asked = folder / "asked.txt"
        asked.write_text("\n".join(KEPT) + "\n", encoding="utf-8")
        with Server(context, copy, "--reranker", "none") as server:
            ready.append(server.ready_seconds)
            warmup, seconds = ("--warmup", 20 if context.short else 200), context.seconds(15)
            one, said = measured_load(server, "--seed", 1, "--clients", 1, *warmup, "--duration", seconds)
            for quantile in ("p50", "p99"):
                found[f"search_{quantile}"] = figure(one["latency_ms"][quantile], f"{LOAD} --clients 1", said)
            many, said = measured_load(server, "--seed", 2, "--clients", 16, *warmup, "--duration", seconds)
            # Degraded answers are no successes.
            found["search_16"] = figure(many["rps"] * (1 - many["degraded_share"]), f"{LOAD} --clients 16",
                                        f"p50 {many['latency_ms']['p50']:.1f}, p99 {many['latency_ms']['p99']:.1f} ms; {said}")
            kept, said = measured_load(server, "--queries", asked, "--repeat", "--clients", 1, "--warmup", 200, "--duration", context.seconds(5))
            found["kept_p99"] = figure(kept["latency_ms"]["p99"], f"{LOAD} --repeat", f"p50 {kept['latency_ms']['p50']:.2f} ms; {said}")
            found["memory"] = figure(server.resident_mb(), "VmRSS after the searches")
    found["ready"] = figure(median(ready), "scalestyle serve", f"median of {STARTS} starts")
    return found


def unique_queries(count):
    """Of four words each, none twice, the same every time."""
    words = "warm soft light dark cotton wool linen denim striped floral long short wide slim".split()
    return [f"{one} {two} {KEPT[2 * ((7 * number) % (len(KEPT) // 2))]}"
            for number, (one, two) in zip(range(count), itertools.permutations(words, 2))]


def reranked(context, name, gate, requests):
    """One client. An answer in which not all 50 pairs were scored counts with the whole deadline."""
    data, found, deadline_ms, pairs = context.need_data(), {}, 4000, 50
    model = prepared.cross_encoder(context, name)
    requests = 4 if context.short else requests
    queries = [urllib.parse.quote_plus(query) for query in unique_queries(requests + 12)]
    with common.temporary(context) as folder:
        copy = copy_of(data, common.pathlib.Path(folder) / "data")
        with Server(context, copy, "--reranker", model, "--rerank-precision", "int8", "--pair-cache-mb", 0, "--brownout=false") as server:
            times, in_full, before = [], 0, server.processor_seconds()
            for query in queries[:requests]:
                took, answer = server.ask(f"/api/recommendation/search?query={query}&k=10&rerank={pairs}&deadline_ms={deadline_ms}")
                scored = (answer.get("rerank") or {}).get("scored", 0)
                times.append(took if scored == pairs else max(took, deadline_ms))
                in_full += scored == pairs
            spent = 1e3 * (server.processor_seconds() - before) / requests
            found[gate] = figure(median(times), f"GET …&rerank={pairs}&deadline_ms={deadline_ms}",
                                 f"random weights in int8; {in_full} of {requests} answers with all {pairs}, slowest {max(times):.0f} ms, "
                                 f"{spent:.0f} processor ms each")
            depths = []
            for number, query in enumerate(queries[requests:]):
                _, answer = server.ask(f"/api/recommendation/search?query={query}&k=10")
                if number >= 4:  # the first ones teach it the rate
                    depths.append((answer.get("rerank") or {}).get("scored", 0))
            found[f"{gate}_depth"] = figure(median(depths), "GET /api/recommendation/search", "at default settings otherwise, random weights in int8",
                                            unit="pairs", row=f"reranked by {'MiniLM-L6' if name == 'minilm' else 'bge-reranker-base'} within the default deadline")
    return found


def reranked_minilm(context, _machine):
    return reranked(context, "minilm", "search_minilm", 30)


def reranked_base(context, _machine):
    return reranked(context, "base", "search_base", 12)


def pictures(context, _machine):
    data, model, photos = prepared.catalogue_with_photos(context), prepared.clip(context), context.hm("images")
    with common.temporary(context) as folder:
        copy = copy_of(data, common.pathlib.Path(folder) / "data")
        text = context.run(["python3", "-B", common.ROOT / "scripts" / "bench_pictures.py", copy, "--program", context.program("scalestyle"),
                            "--vision-model", model, "--photos", photos, "--requests", 4 if context.short else 60, "--only", "image_to_image",
                            "--json", "--models", context.models, "--reranker", "none"])
    row = json_lines(text)[0]
    note = f"random weights in f32, {row['count']} pictures of 1.2 to 1.8 MP, {row['processor_ms']:.0f} processor ms each"
    return {f"picture_{quantile}": figure(row[f"{quantile}_ms"], "scripts/bench_pictures.py --only image_to_image", note)
            for quantile in ("p50", "p99")}


def clicks(context, _machine):
    """On the catalogue, or a sample: neither figure depends on it."""
    data = context.data or prepared.sample_catalogue(context)
    found = {}
    with common.temporary(context) as folder:
        copy = copy_of(data, common.pathlib.Path(folder) / "data")
        with Server(context, copy, "--reranker", "none") as server:
            one = server.clicks("--rate", 2000, "--duration", context.seconds(20), "--seed", 1, "--probe-folder", copy)
            sync = one["fdatasync"]["p99_ms"]
            found["click_p99"] = figure(one["acknowledgement"]["p99_ms"], "scalestyle-click-load", bound=2 * sync + 1,
                                        note=f"{one['acknowledgement']['count']:,} clicks, none failed; 2 × fdatasync p99 of {sync:.2f} ms + 1, the same file system, between the clicks")
            two = server.clicks("--mode", "freshness", "--seed", 3, "--rounds", 20 if context.short else 300)
            found["effect_p99"] = figure(two["reflected"]["p99_ms"], "scalestyle-click-load --mode freshness",
                                         f"p50 {two['reflected']['p50_ms']:.2f} ms; the same question without a click p99 {two['plain']['p99_ms']:.2f} ms")
    return found


SKIPPED = 77  # a server cannot be had on this machine


def distributed(context, _machine):
    """One broker, one Redis, one gateway and one consumer on this machine, on the catalogue or a sample."""
    data = context.data or prepared.sample_catalogue(context)
    command = ["python3", "-B", common.ROOT / "scripts" / "bench_distributed.py", "--program", context.program("scalestyle"), "--data", data,
               "--seconds", 3 if context.short else 15, "--queries", 20, "--backlog", 0, "--shapes", "standalone", "--json"]
    said = context.run(command, good=(0, SKIPPED))
    if not json_lines(said):
        raise NoData(f"Kafka or Redis cannot be had: {said.strip().splitlines()[-1]}")
    row = json_lines(said)[0]
    note = f"200 clicks/s beside; p50 {row['whole']['p50_ms']:.1f}; acknowledged p99 {row['acknowledged']['p99_ms']:.1f}"
    return {"effect_distributed_p99": figure(row["whole"]["p99_ms"], "scripts/bench_distributed.py --shapes standalone", note)}
