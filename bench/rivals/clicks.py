"""Clicks acknowledged a second: ours over HTTP (embedded log, on disk before the answer) beside a synchronous Kafka producer in Python
(confluent-kafka: produce and flush for each click, acks=all) and one broker on the same machine. 1, 16 and 64 at once: connections
of our load generator, threads of the producer's process with a producer each. The producer has no HTTP before it, which favours it.
Quality: whether a click is on disk when it is acknowledged. A broker by default leaves that to the page cache; with the topic's
flush.messages=1 it does as ours does."""
import json
import re
import subprocess
import tempfile
import threading
import time

import runs
import service

CLIENTS = (1, 16, 64)
TOPICS = {"Kafka, page cache": {}, "Kafka, flushed to disk": {"flush.messages": "1"}}
SCRIPT = runs.ROOT / "tests" / "servers" / "kafka.sh"


class Broker:
    def __init__(self, folder):
        self.folder = folder
        started = subprocess.run([SCRIPT, "start", folder, "1"], capture_output=True, text=True, check=False)
        if started.returncode == runs.NOT_TO_BE_HAD:
            runs.cannot(started.stderr.strip())
        if started.returncode != 0:
            self.stop()
            raise RuntimeError(started.stderr[-2000:])
        self.bootstrap = dict(line.split("=", 1) for line in started.stdout.splitlines())["bootstrap"]

    def make_topic(self, name, settings):
        from confluent_kafka.admin import AdminClient, NewTopic
        admin = AdminClient({"bootstrap.servers": self.bootstrap})
        topic = NewTopic(name, num_partitions=4, replication_factor=1, config=settings)
        admin.create_topics([topic])[name].result(30)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        subprocess.run([SCRIPT, "stop", self.folder], check=False)


def click(number):
    return json.dumps({"event_type": "click", "event_id": f"load-{number}", "user_id": f"load-user-{number % 10000}",
                       "item_id": f"{number % 100000:010d}", "source": "search", "query": "warm jacket", "position": number % 50 + 1,
                       "device": "web"}).encode()


def produce(bootstrap, topic, seconds, times):
    """Clicks one after the other for so long; appends the time of each, or raises."""
    from confluent_kafka import KafkaException, Producer
    failures = []
    producer = Producer({"bootstrap.servers": bootstrap, "acks": "all", "linger.ms": 0})

    def delivered(error, _):
        if error:
            failures.append(error)
    end, number = None, 0
    while end is None or time.perf_counter() < end:
        start = time.perf_counter()
        producer.produce(topic, click(number), key=f"load-user-{number % 10000}".encode(), on_delivery=delivered)
        left = producer.flush(30)
        if left or failures:
            raise KafkaException(failures[0] if failures else "not delivered within 30 s")
        if end is None:  # the first one finds the broker
            end = time.perf_counter() + seconds
        else:
            times.append(1e3 * (time.perf_counter() - start))
        number += 1


def time_kafka(broker, topic, seconds):
    cells = {}
    for clients in CLIENTS:
        times, failures = [[] for _ in range(clients)], []

        def work(mine):
            try:
                produce(broker.bootstrap, topic, seconds, mine)  # noqa: B023
            except Exception as error:  # noqa: BLE001
                failures.append(error)  # noqa: B023
        threads = [threading.Thread(target=work, args=(mine,)) for mine in times]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failures:
            raise RuntimeError(f"{topic}: {failures[0]}")
        every = [one for mine in times for one in mine]
        # Threads begin and end together up to their first click: each counts over its own time.
        cells[clients, "clicks/s"] = sum(1e3 * len(mine) / sum(mine) for mine in times if mine)
        cells[clients, "p99"] = runs.percentile(every, 0.99)
    return cells


class Ours:
    def __init__(self, options, folder):
        self.options, self.data, self.seed = options, folder / "data", 0
        program = runs.program(options, "scalestyle")
        runs.run([program, "sample", "--out", folder / "sample", "--products", 50 if options.smoke else 1000, "--seed", 1])
        runs.run([program, "ingest", "--data", self.data, "--articles", folder / "sample" / "articles.csv", "--models", options.models])

    def measure(self, rates):
        port = service.free_port()
        command = [runs.program(self.options, "scalestyle"), "serve", "--data", self.data, "--models", self.options.models, "--port", port,
                   "--log-format", "json", "--reranker", "none"]
        cells = {}
        with service.Server(command, port, {}, self.options.work / "logs" / "clicks.log", 1):
            for clients in CLIENTS:
                self.seed += 1
                users = 200 if self.options.smoke else rates[clients]
                said = runs.run([runs.program(self.options, "scalestyle-click-load"), "--mode", "fill", "--port", port, "--clients", clients,
                                 "--users", users, "--batch", 1, "--rounds", 1, "--seed", self.seed])
                found = re.search(r"([\d.]+) events/s, p99 ([\d.]+) ms", said)
                cells[clients, "clicks/s"], cells[clients, "p99"] = float(found[1]), float(found[2])
        return cells


def main():
    options = runs.arguments(__doc__).parse_args()
    record = runs.Record(options, {"confluent-kafka": runs.version("confluent-kafka"), "Kafka": "4.3.1"})
    seconds = 0.5 if options.smoke else 8
    options.work.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="clicks-", dir=options.work) as name:
        folder = runs.pathlib.Path(name)
        ours = Ours(options, folder)
        with Broker(folder / "kafka") as broker:
            topics = {side: f"clicks-{index}" for index, side in enumerate(TOPICS)}
            for side, settings in TOPICS.items():
                broker.make_topic(topics[side], settings)
            sides = {"ours": lambda: ours.measure({1: 10_000, 16: 60_000, 64: 100_000})}  # each some seconds
            sides |= {side: lambda side=side: time_kafka(broker, topics[side], seconds) for side in TOPICS}
            found = runs.take_turns(options.repeats, sides)
    for side in TOPICS:
        quality = ("on disk", "on disk" if TOPICS[side] else "page cache")
        for clients in CLIENTS:
            for figure, unit in (("clicks/s", "/s"), ("p99", "ms")):
                record.add(f"{clients} at once, {figure}", side, unit, (found["ours"][clients, figure], found[side][clients, figure]), quality,
                           more_is_better=unit == "/s")
    record.write(options.out)


if __name__ == "__main__":
    main()
