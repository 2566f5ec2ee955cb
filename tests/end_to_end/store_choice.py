"""A choice of engines that cannot be is told at once, whole, before anything is opened."""

import argparse

import harness


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    program = parser.parse_args().program
    failures = harness.Failures()

    def refused(name, words, *command):
        ended = harness.run(program, *command)
        failures.check(f"{name}: ends with 2", ended.returncode == 2, f"{ended.returncode}: {ended.stderr}")
        for word in words:
            failures.check(f"{name}: says {word}", word in ended.stderr, ended.stderr)

    refused("everything that is missing is named", ["kafka_brokers", "redis_nodes", "milvus_address"],
            "gateway", "--event-log", "kafka", "--feature-store", "redis", "--vector-store", "milvus")
    refused("an embedded end needs a folder", ["data"], "gateway", "--event-log", "kafka", "--kafka-brokers", "127.0.0.1:1")
    refused("a consumer needs both ends", ["event_log=kafka and feature_store=redis"], "consumer", "--mode", "retry")
    refused("marks outlive the log", ["redis_marker_days"], "consumer", "--event-log", "kafka", "--kafka-brokers", "127.0.0.1:1",
            "--feature-store", "redis", "--redis-nodes", "127.0.0.1:1", "--redis-marker-days", "7")
    refused("a mode is one of two", ["mode"], "consumer", "--mode", "third")
    refused("an unknown engine", ["event_log"], "serve", "--event-log", "rabbit")
    failures.finish()


if __name__ == "__main__":
    main()
