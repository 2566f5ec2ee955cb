"""The cases of the end-to-end tests (tests/end_to_end/cases), asked of a gateway over other engines.

What a log in Kafka answers otherwise (repetitions, a subject's history) is left out: the cases' "embedded".
"""

import argparse
import os
import sys

import stack

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "end_to_end"))
import harness  # noqa: E402
import run_cases  # noqa: E402


class Gateway:
    """As harness.Server, of a process that the stack started."""

    request = harness.Server.request
    ask = harness.Server.ask

    def __init__(self, port):
        self.port = port


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    parser.add_argument("--stack", default="--brokers 1 --redis standalone --catalog redis --inference yes", help="arguments of stack.sh start")
    arguments = parser.parse_args()
    failures = harness.Failures()
    with stack.Stack(arguments.program, *arguments.stack.split(), environment={"PRODUCTS": "120"}) as whole:
        table = os.path.join(whole.folder, "sample", "articles.csv")
        run_cases.run_all(Gateway(whole.values["gateway-1.port"]), table, failures, shape="distributed")
    failures.finish()


if __name__ == "__main__":
    main()
