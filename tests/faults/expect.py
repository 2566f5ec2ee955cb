"""What an endpoint must answer under a fault, and the comparison of what it did with that."""

from dataclasses import dataclass, replace

from endpoints import Client, Endpoints, Row

INFERENCE = frozenset({"INFERENCE_TIMEOUT", "INFERENCE_UNAVAILABLE", "DOWNSTREAM_CIRCUIT_OPEN"})
NOT_RERANKED = frozenset({"RERANK_UNAVAILABLE", "RERANK_PARTIAL"})
FEATURES = frozenset({"PERSONALIZATION_UNAVAILABLE", "REDIS_TIMEOUT", "REDIS_UNAVAILABLE", "DOWNSTREAM_CIRCUIT_OPEN"})
LATE = frozenset({"INFERENCE_TIMEOUT", "RERANK_PARTIAL", "PERSONALIZATION_UNAVAILABLE"})
AGAIN = 5
NO_LIST = frozenset({"CACHE_MISS", "STALE_DATA_ALLOWED"})
POPULAR = frozenset({"popular_24h", "popular_7d", "global_popular"})
TEXT, PICTURE = ("text search", "reranked search"), ("image search", "hybrid")
ENCODED = (*TEXT, *PICTURE, "why-not")
OTHERS = tuple(name for name in Endpoints.NAMES if name not in ENCODED)
LISTS = (*TEXT, *PICTURE, "suggest", "for-you", "similar", "complete the look", "trending")


@dataclass(frozen=True)
class Expect:
    """Statuses and labels that may come (None: an answer that is whole), where its items may come from, and how late the 99th of
    a hundred may be."""

    statuses: frozenset = frozenset({200})
    labels: frozenset = frozenset({None})
    sources: frozenset = frozenset({None})
    p99_ms: float = 500
    never_whole: bool = False  # each answer must say that it is less

    def less(self, *labels, **more):
        """An answer that names one of these reasons, or comes from a list that the fault has not reached."""
        return replace(self, labels=frozenset({None}).union(*labels), **more)

    def always_less(self, *labels, **more):
        return replace(self, labels=frozenset().union(*labels), never_whole=True, **more)

    def refused(self, *statuses, labels, **more):
        return replace(self, statuses=frozenset(statuses), labels=frozenset(labels), **more)


# What is popular takes the place of a list without events, which is no fault.
FROM_POPULAR = frozenset({None}) | POPULAR
WHOLE = {
    name: Expect(sources=FROM_POPULAR if name in ("trending", "for-you", "complete the look") else frozenset({None}))
    for name in Endpoints.NAMES
}


@dataclass(frozen=True)
class Case:
    """One fault: its name, the data folder and the server that it happens to, and the questions with their books."""

    name: str
    data: str
    endpoints: Endpoints
    server: object


class Measure:
    """Asks every endpoint `times` times over one connection, and holds the answers against what is expected."""

    def __init__(self, endpoints, check, times, slack):
        self.endpoints, self.check, self.times, self.slack = endpoints, check, times, slack

    def run(self, name, to, wanted=None, only=Endpoints.NAMES, skip_first=0):
        """Rows in the order of the endpoints. `to`: a port, or a connection that is there already. `wanted`: where it differs from
        WHOLE. `skip_first` answers of each are judged but not timed."""
        rows = []
        client = to if isinstance(to, Client) else Client(to)
        for endpoint in only:
            row = Row(endpoint)
            expected = (wanted or {}).get(endpoint, WHOLE[endpoint])
            untimed = [self.ask(client, endpoint, expected) for _ in range(skip_first)]
            row.answers = [self.ask(client, endpoint, expected) for _ in range(self.times)]
            for answer in untimed + row.answers:
                self.judge(f"{name}: {endpoint}", endpoint, answer, expected)
            most = expected.p99_ms * self.slack
            self.check(
                f"{name}: {endpoint} within {most:.0f} ms",
                row.milliseconds(0.99) <= most,
                f"p50 {row.milliseconds(0.5):.1f} ms, p99 {row.milliseconds(0.99):.1f} ms",
            )
            rows.append(row)
        client.close()
        return rows

    def ask(self, client, endpoint, expected):
        """Where limits of time have slack, an answer that is less only because the machine had other work is asked for again."""
        for _ in range(AGAIN):
            answer = self.endpoints.ask(client, endpoint)
            if self.slack == 1 or answer.label not in LATE or answer.label in expected.labels:
                break
        return answer

    def judge(self, name, endpoint, answer, expected):
        said = {key: value for key, value in answer.body.items() if key not in ("data", "stages", "understood", "facets")}
        if answer.status not in expected.statuses:
            self.check(f"{name}: status", False, f"{answer.status} {said}")
            return
        self.check(
            f"{name}: label", answer.label in expected.labels, f"{answer.label}, not one of {set(expected.labels)}: {said}"
        )
        if answer.status != 200:
            return
        if endpoint in LISTS:
            honest = (
                endpoint == "complete the look" and answer.body.get("total") == 0 and answer.label is None
            )  # nothing goes with it
            self.check(f"{name}: something is served", answer.items > 0 or honest, said)
            # An empty or poorer success without a mark does not exist.
            degraded = answer.body.get("degraded", False)
            self.check(f"{name}: degraded and its reason go together", degraded == (answer.label is not None), said)
            self.check(f"{name}: where it is from", answer.source in expected.sources, f"{answer.source}: {said}")
