"""The arithmetic of capacity.py: what a shop needs of each tier, and which limit it meets first.

Every figure comes from docs/measured.json. What depends on a figure that was not measured has no value, but the names of what
is missing. Bytes, seconds, milliseconds of a processor; a peak is the mean of a day times `peak_factor`.
"""
import dataclasses
import json
import math

KINDS = ("measured", "format", "setting", "choice")
DAY_SECONDS = 86_400
MILLION = 1_000_000


class NotMeasured(Exception):
    """A figure that has no value yet."""


class BadInput(ValueError):
    """What was asked makes no sense; the message says why."""


class Figures:
    """The figures by name; asking for one without a value raises NotMeasured."""

    def __init__(self, entries):
        self.entries = entries
        self.asked = set()

    @classmethod
    def read(cls, path):
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise BadInput(f"{path}: {error}") from None
        entries = content.get("figures") if isinstance(content, dict) else None
        if not isinstance(entries, dict):
            raise BadInput(f"{path}: no object \"figures\"")
        for name, entry in entries.items():
            problem = problem_of(entry)
            if problem:
                raise BadInput(f"{path}: {name}: {problem}")
        return cls(entries)

    def __getitem__(self, name):
        self.asked.add(name)
        if name not in self.entries:
            raise BadInput(f"no figure is called {name}")
        value = self.entries[name]["value"]
        if value is None:
            raise NotMeasured(name)
        return value


def problem_of(entry):
    """What is wrong with one figure of the file; empty: nothing."""
    if not isinstance(entry, dict) or "value" not in entry:
        return "no \"value\""
    for field in ("unit", "source", "kind"):
        if not isinstance(entry.get(field), str) or not entry[field]:
            return f"no \"{field}\""
    if entry["kind"] not in KINDS:
        return f"kind {entry['kind']} is none of {', '.join(KINDS)}"
    value = entry["value"]
    if value is None:
        return "" if entry["kind"] == "measured" else "only what is to be measured may have no value"
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value) or value <= 0:
        return f"value {value!r} is no number above 0"
    if entry["kind"] == "measured" and not (entry.get("machine") and entry.get("date")):
        return "measured, but not on which machine and when"
    return ""


@dataclasses.dataclass(frozen=True)
class Shop:
    """`users` are those with an event within user_ttl_days; `rerank_pairs` of a search; `kept_share` of the searches are
    answered from kept lists."""
    users: float
    items: float
    searches_per_day: float
    clicks_per_day: float
    peak_factor: float = 5
    kept_share: float = 0
    rerank_pairs: float = 0

    BOUNDS = {
        "users": (1, 1e10), "items": (1, 1e9), "searches_per_day": (1, 1e12), "clicks_per_day": (1, 1e12),
        "peak_factor": (1, 1_000), "kept_share": (0, 0.99), "rerank_pairs": (0, 200),
    }

    def __post_init__(self):
        for name, (least, most) in self.BOUNDS.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
                raise BadInput(f"{name}: {value!r} is no number")
            if not least <= value <= most:
                raise BadInput(f"{name}: {value:,} is not within {least:,} and {most:,.0f}")

    @property
    def searches_at_peak(self):
        return self.searches_per_day / DAY_SECONDS * self.peak_factor

    @property
    def clicks_at_peak(self):
        return self.clicks_per_day / DAY_SECONDS * self.peak_factor


@dataclasses.dataclass
class Quantity:
    tier: str
    name: str
    unit: str
    value: float = None
    missing: str = ""


@dataclasses.dataclass
class Limit:
    """`need` of the shop against `most` that the tier takes as it is; headroom below 1: `add` something."""
    tier: str
    name: str
    unit: str
    add: str
    need: float = None
    most: float = None
    missing: str = ""

    @property
    def headroom(self):
        return None if self.need is None or self.most is None else self.most / self.need


class Model:
    def __init__(self, figures, shop):
        self.figures = figures
        self.shop = shop

    # Searches.
    def search_core_ms(self):
        f, shop = self.figures, self.shop
        per_item = f["scan_core_ms_per_item"] + f["words_core_ms_per_item"]
        made = f["search_core_ms"] + (shop.items - f["search_items"]) * per_item
        if shop.rerank_pairs:
            made += shop.rerank_pairs * f["rerank_core_ms_per_pair"]
        return (1 - shop.kept_share) * made + shop.kept_share * f["kept_search_core_ms"]

    def lone_search_ms(self):
        f = self.figures
        return f["lone_search_ms"] + (self.shop.items - f["search_items"]) * f["lone_scan_ms_per_item"]

    def search_cores(self):
        return self.shop.searches_at_peak * self.search_core_ms() / 1_000

    def click_cores(self):
        return self.shop.clicks_at_peak * self.figures["click_core_ms"] / 1_000

    def usable_cores(self):
        return self.figures["machine_cores"] * self.figures["utilisation"]

    def planned(self, name):
        """What we would ask of what carries so much at most."""
        return self.figures[name] * self.figures["utilisation"]

    def gateways(self):
        return math.ceil((self.search_cores() + self.click_cores()) / self.usable_cores())

    def model_cores(self):
        f, shop = self.figures, self.shop
        return shop.searches_at_peak * (1 - shop.kept_share) * f["query_tokens"] / f["query_tokens_per_core_second"]

    def inference_cores(self):
        calls = self.shop.searches_at_peak * (1 - self.shop.kept_share) / 1_000
        return self.model_cores() + calls * self.figures["inference_http_core_ms"]

    # Memory and disk of a process.
    def item_bytes(self):
        f = self.figures
        return (f["int8_bytes_per_item"] + f["catalogue_bytes_per_item"] + f["words_bytes_per_item"] +
                f["suggest_bytes_per_item"] + f["orders_bytes_per_item"])

    def gateway_bytes(self):
        f = self.figures
        fixed = f["ready_own_bytes"] - f["search_items"] * self.item_bytes() + f["cache_bytes"]
        return fixed + self.shop.items * (self.item_bytes() + f["neighbour_bytes_per_item"] + f["f32_bytes_per_item"])

    def recent_items(self):
        f, shop = self.figures, self.shop
        return min(f["max_recent_items"], shop.clicks_per_day * f["user_ttl_days"] / shop.users)

    def feature_bytes(self):
        f = self.figures
        return self.shop.users * (f["feature_bytes_per_user"] + self.recent_items() * f["feature_bytes_per_event"])

    def generation_bytes(self):
        f = self.figures
        each = f["catalog_db_bytes_per_item"] + f["f32_bytes_per_item"] + f["int8_bytes_per_item"] + f["neighbour_bytes_per_item"]
        return 3 * each * self.shop.items  # the one served, the one before it, the next one being made

    def event_log_bytes(self):
        return self.shop.clicks_per_day * self.figures["event_bytes"] * self.figures["event_retention_days"]

    def impression_log_bytes(self):
        return self.shop.searches_per_day * self.figures["impression_bytes"] * self.figures["impression_retention_days"]

    def new_article_seconds(self):
        return self.shop.items * self.figures["new_article_seconds_per_item"]

    def ingest_hours(self):
        f = self.figures
        tokens = self.shop.items * f["distinct_text_share"] * f["document_tokens"]
        return tokens / f["document_tokens_per_core_second"] / f["machine_cores"] / 3_600

    def network_bytes(self):
        return self.shop.searches_at_peak * self.figures["answer_bytes"]

    # Kafka.
    def kafka_click_bytes(self):
        return self.shop.clicks_per_day * self.figures["kafka_record_bytes"]

    def kafka_impression_bytes(self):
        return self.shop.searches_per_day * self.figures["kafka_impression_bytes"]

    def kafka_bytes(self):
        return (self.kafka_click_bytes() + self.kafka_impression_bytes()) * self.figures["kafka_retention_days"] * self.figures["kafka_replication"]

    def partitions(self):
        return self.shop.clicks_at_peak / self.figures["kafka_events_per_second_per_partition"]

    def consumer_cores(self):
        return self.shop.clicks_at_peak / self.figures["consumer_events_per_core_second"]

    # Redis.
    def redis_value_bytes(self):
        f, shop = self.figures, self.shop
        marks = min(f["redis_max_marks"], shop.clicks_per_day * f["redis_marker_days"] / shop.users)
        recent = self.recent_items()
        return (f["redis_value_fixed_bytes"] + recent * f["redis_value_bytes_per_recent"] +
                min(f["max_affinities"], recent) * f["redis_value_bytes_per_category"] + marks * f["redis_value_bytes_per_mark"])

    def redis_user_bytes(self):
        return self.shop.users * (self.redis_value_bytes() + self.figures["redis_key_bytes"])

    def redis_item_bytes(self):
        f = self.figures
        items = min(self.shop.items, f["redis_max_items"])
        popular = min(self.shop.items, f["redis_max_popular"])
        return items * (f["redis_item_key_bytes"] + f["redis_item_record_bytes"]) + popular * f["redis_popular_bytes"]

    def redis_bytes(self):
        return self.redis_user_bytes() + self.redis_item_bytes()

    def redis_masters(self):
        return math.ceil(self.redis_bytes() / self.figures["redis_master_bytes"])

    def redis_reads(self):
        return self.shop.searches_at_peak + self.shop.clicks_at_peak

    # Milvus.
    def milvus_bytes(self):
        return self.shop.items * (self.figures["milvus_vector_bytes"] + self.figures["milvus_graph_bytes"])

    def milvus_nodes(self):
        return math.ceil(self.milvus_bytes() / self.figures["milvus_node_bytes"])


def value_or_missing(function):
    """(value, "") or (None, name of what was not measured)."""
    try:
        return function(), ""
    except NotMeasured as error:
        return None, str(error)


def quantities(figures, shop):
    m, f = Model(figures, shop), figures
    rows = (
        ("gateway", "searches a second at the peak", "/s", lambda: shop.searches_at_peak),
        ("gateway", "processor time of a search", "core-ms", m.search_core_ms),
        ("gateway", "cores for searches at the peak", "cores", m.search_cores),
        ("one process", "cores for clicks at the peak", "cores", m.click_cores),
        ("gateway", "gateways", "of two cores", m.gateways),
        ("gateway", "a search alone", "ms", m.lone_search_ms),
        ("gateway", "memory of each", "bytes", m.gateway_bytes),
        ("one process", "features in memory", "bytes", m.feature_bytes),
        ("gateway", "a new article is visible after", "s", m.new_article_seconds),
        ("gateway", "answers to the network at the peak", "bytes/s", m.network_bytes),
        ("ingest", "embedding all texts, two cores", "h", m.ingest_hours),
        ("disk", "generations", "bytes", m.generation_bytes),
        ("disk", "event log, embedded", "bytes", m.event_log_bytes),
        ("disk", "impressions", "bytes", m.impression_log_bytes),
        ("inference", "cores of the model at the peak", "cores", m.model_cores),
        ("inference", "the same with HTTP", "cores", m.inference_cores),
        ("inference", "a gateway's call", "core-ms", lambda: f["remote_call_core_ms"]),
        ("Kafka", "clicks a second at the peak", "/s", lambda: shop.clicks_at_peak),
        ("Kafka", "clicks a day, each copy", "bytes", m.kafka_click_bytes),
        ("Kafka", "impressions a day, each copy", "bytes", m.kafka_impression_bytes),
        ("Kafka", "kept, three copies", "bytes", m.kafka_bytes),
        ("Kafka", "partitions that the rate needs", "", m.partitions),
        ("consumer", "cores at the peak", "cores", m.consumer_cores),
        ("Redis", "memory of users", "bytes", m.redis_user_bytes),
        ("Redis", "memory of items", "bytes", m.redis_item_bytes),
        ("Redis", "masters, by memory", "", m.redis_masters),
        ("Redis", "reads a second at the peak", "/s", m.redis_reads),
        ("Redis", "writes a second at the peak, at most", "/s", lambda: shop.clicks_at_peak),
        ("Milvus", "memory of vectors and graph", "bytes", m.milvus_bytes),
        ("Milvus", "memory of filter fields", "bytes", lambda: shop.items * f["milvus_field_bytes"]),
        ("Milvus", "query nodes, by memory", "", m.milvus_nodes),
    )
    return [Quantity(tier, name, unit, *value_or_missing(function)) for tier, name, unit, function in rows]


def limits(figures, shop):
    """Those that have a headroom first, the least first; then those that were not measured."""
    m, f = Model(figures, shop), figures
    rows = (
        ("one process", "searches", "/s", lambda: shop.searches_at_peak, lambda: m.usable_cores() * 1_000 / m.search_core_ms(),
         "gateways, with Kafka and Redis behind them"),
        ("one process", "clicks", "/s", lambda: shop.clicks_at_peak, lambda: f["clicks_per_second"], "Kafka instead of the file"),
        ("one process", "memory of features", "bytes", m.feature_bytes, lambda: f["feature_memory_bytes"],
         "feature_memory_mb, then Redis; until then the least active shoppers go"),
        ("one process", "memory of the machine", "bytes", lambda: m.gateway_bytes() + m.feature_bytes(),
         lambda: f["machine_memory_bytes"], "memory, then Redis and Milvus"),
        ("one process", "event log on disk", "bytes", m.event_log_bytes, lambda: f["event_retention_bytes"],
         "event_retention_mb; until then fewer days are kept"),
        ("one process", "impressions on disk", "bytes", m.impression_log_bytes, lambda: f["impression_retention_bytes"],
         "impression_retention_mb, or a smaller impression_sample"),
        ("gateway", "time of a search alone", "ms", m.lone_search_ms, lambda: f["lone_search_limit_ms"],
         "Milvus, or faster cores: more gateways do not help"),
        ("gateway", "articles of the word index", "articles", lambda: shop.items, lambda: f["max_articles"],
         "nothing: the catalogue must be split"),
        ("gateway", "answers of one", "bytes/s", lambda: m.network_bytes() / m.gateways(),
         lambda: f["machine_network_bytes_per_second"], "a faster network"),
        ("Redis", "memory of one master", "bytes", m.redis_bytes, lambda: f["redis_master_bytes"], "masters (Redis Cluster)"),
        ("Redis", "masters that shards can be spread over", "", m.redis_masters, lambda: f["redis_shards"],
         "redis_shards, to be chosen before the first event"),
        ("Redis", "items with popularity", "items", lambda: shop.items, lambda: f["redis_max_items"],
         "nothing: the least active items lose theirs"),
        ("Milvus", "vectors of one query node", "bytes", m.milvus_bytes, lambda: f["milvus_node_bytes"],
         "query nodes and shards"),
        ("Kafka", "events of all partitions", "/s", lambda: shop.clicks_at_peak,
         lambda: f["kafka_partitions"] * m.planned("kafka_events_per_second_per_partition"), "partitions, then brokers"),
        ("consumer", "events of one core", "/s", lambda: shop.clicks_at_peak,
         lambda: m.planned("consumer_events_per_core_second"), "consumers, up to one a partition"),
        ("consumer", "events merged into popularity by the one that does", "/s", lambda: shop.clicks_at_peak,
         lambda: m.planned("merged_events_per_second"), "nothing: one consumer merges for all"),
        ("Redis", "reads of one master", "/s", m.redis_reads, lambda: m.planned("redis_reads_per_second"), "masters"),
        ("Redis", "writes of one master", "/s", lambda: shop.clicks_at_peak, lambda: m.planned("redis_writes_per_second"),
         "masters"),
        ("Milvus", "searches of one query node", "/s", lambda: shop.searches_at_peak * (1 - shop.kept_share),
         lambda: m.planned("milvus_searches_per_second"), "replicas of the collection"),
        ("inference", "queries of a server of two cores", "/s", lambda: shop.searches_at_peak * (1 - shop.kept_share),
         lambda: m.usable_cores() / m.inference_cores() * shop.searches_at_peak * (1 - shop.kept_share), "inference servers"),
    )
    found = []
    for tier, name, unit, need, most, add in rows:
        needed, missing = value_or_missing(need)
        has, also_missing = value_or_missing(most)
        found.append(Limit(tier, name, unit, add, needed, has, missing or also_missing))
    return sorted(found, key=lambda limit: (limit.headroom is None, limit.headroom or 0))
