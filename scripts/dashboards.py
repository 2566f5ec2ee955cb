"""Writes the dashboards of deploy/grafana/dashboards from the description below.

With --check, compares them and says which differ.

A panel is (title, unit, queries); a query is PromQL, or (PromQL, legend). Three panels a row."""

import argparse
import json
import pathlib
import sys

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "deploy" / "grafana" / "dashboards"
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
WIDTH, HEIGHT = 8, 8


def rate(metric, by="", selector=""):
    inner = f"rate({metric}{selector}[$__rate_interval])"
    return f"sum by ({by}) ({inner})" if by else f"sum({inner})"


def quantile(share, metric, by="", selector=""):
    labels = ", ".join(filter(None, [by, "le"]))
    return f"histogram_quantile({share}, sum by ({labels}) (rate({metric}_bucket{selector}[$__rate_interval])))"


REQUESTS = "recommendation_requests_total"
DURATION = "recommendation_request_duration_seconds"
PHASES = "recommendation_request_phase_duration_seconds"
FRESHNESS = "scalestyle_event_freshness_seconds"
LOOKUPS = "scalestyle_cache_lookups_total"
MODEL = "scalestyle_model_call_seconds"

DASHBOARDS = {
    "overview": ("ScaleStyle: overview", [
        ("Requests for lists", "reqps", [(rate(REQUESTS, "intent, flow"), "{{intent}} {{flow}}")]),
        ("Not answered in full (objective 1 %)", "percentunit", [("scalestyle:not_undegraded:ratio_rate5m", "5 minutes"),
                                                                 ("scalestyle:not_undegraded:ratio_rate1h", "1 hour")]),
        ("Time of a search", "s", [
            (quantile(q, DURATION, "", '{intent="search"}'), f"{q:.0%} of them") for q in (0.5, 0.95, 0.99)]),
        ("Events late (objective 1 %)", "percentunit", [("scalestyle:late_events:ratio_rate5m", "5 minutes"),
                                                       ("scalestyle:late_events:ratio_rate1h", "1 hour")]),
        ("HTTP by status", "reqps", [(rate("scalestyle_http_requests_total", "status"), "{{status}}")]),
        ("CPU", "none", [("rate(process_cpu_seconds_total[$__rate_interval])", "{{instance}}")]),
        ("Resident memory", "bytes", [("process_resident_memory_bytes", "{{instance}}")]),
        ("Disk of the data folder, free", "percentunit", [
            ("scalestyle_data_free_bytes / scalestyle_data_size_bytes", "{{instance}}")]),
        ("Open file handles", "percentunit", [("process_open_fds / process_max_fds", "{{instance}}")]),
        ("Jobs waiting for a thread", "none", [("scalestyle_pool_queued_jobs", "{{instance}}")]),
        ("Memory by owner", "bytes", [("sum by (owner) (scalestyle_memory_bytes)", "{{owner}}"),
                                      ("sum by (cache) (scalestyle_cache_bytes)", "cache {{cache}}")]),
        ("What runs", "none", [("scalestyle_build_info", "{{instance}} {{role}} {{version}}"),
                               ("scalestyle_generation_info == 1", "{{instance}} {{generation}} {{model}} {{precision}}")]),
    ]),
    "search": ("ScaleStyle: search, quality of service", [
        ("How requests end", "reqps", [(rate(REQUESTS, "status"), "{{status}}")]),
        ("Reasons of degradation", "reqps", [(rate("recommendation_degraded_reason_total", "reason"), "{{reason}}")]),
        ("Other lists than asked for", "reqps", [(rate("scalestyle_search_fallbacks_total", "source"), "{{source}}")]),
        ("Stages, 95 %", "s", [(quantile(0.95, PHASES, "phase"), "{{phase}}")]),
        ("Stages, mean", "s", [(f"{rate(PHASES + '_sum', 'phase')} / {rate(PHASES + '_count', 'phase')}", "{{phase}}")]),
        ("Rows judged by the reranker", "none", [(quantile(0.5, "scalestyle_rerank_depth_rows"), "judged, median"),
                                                  (quantile(0.5, "scalestyle_rerank_planned_rows"), "planned, median")]),
        ("Found in caches", "percentunit", [
            (rate(LOOKUPS, "cache", '{outcome=~".*hit"}') + " / " + rate(LOOKUPS, "cache"), "{{cache}}")]),
        ("Rows that pass the filters", "none", [(quantile(0.5, "scalestyle_search_eligible_rows"), "median"),
                                                (quantile(0.1, "scalestyle_search_eligible_rows"), "lowest tenth")]),
        ("Queries embedded together", "none", [(quantile(0.95, "scalestyle_search_batch_queries"), "95 %")]),
        ("Personalised answers", "reqps", [(rate("scalestyle_search_personalized_total"), "personalised")]),
        ("Connections refused at the limit", "reqps", [(rate("scalestyle_http_connections_shed_total"), "refused")]),
        ("Open connections", "none", [("scalestyle_http_connections", "{{instance}}")]),
    ]),
    "events": ("ScaleStyle: events", [
        ("Events accepted", "eps", [(rate("scalestyle_events_accepted_total", "type"), "{{type}}")]),
        ("Events refused", "eps", [(rate("scalestyle_events_refused_total", "reason"), "{{reason}}")]),
        ("Time to the acknowledgement", "s", [
            (quantile(q, "scalestyle_event_ack_seconds"), f"{q:.0%} of them") for q in (0.5, 0.99)]),
        ("From receipt to effect", "s", [
            (quantile(q, FRESHNESS, "stream"), f"{q:.0%} {{{{stream}}}}") for q in (0.5, 0.99)]),
        ("Events that wait", "none", [("sum by (stream) (scalestyle_consumer_lag_events)", "{{stream}}")]),
        ("Events that have taken effect", "eps", [(rate("events_processed_total", "stream"), "{{stream}}")]),
        ("Steps that failed", "eps", [(rate("scalestyle_consumer_failures_total", "stage"), "{{stage}}")]),
        ("Put off", "eps", [(rate("events_retry_tier_routed_total", "retry_tier"), "{{retry_tier}}")]),
        ("Dead letters, in a quarter of an hour", "none", [
            ("sum by (reason) (increase(events_dlq_sent_total[15m]))", "{{reason}}")]),
        ("Commits of the log", "s", [(quantile(0.99, "scalestyle_event_log_commit_seconds"), "99 %")]),
        ("Queues", "none", [("scalestyle_event_log_queued_events", "event log {{instance}}"),
                            ("scalestyle_impressions_queued", "impressions {{instance}}"),
                            ("scalestyle_kafka_queued_messages", "Kafka {{instance}}")]),
        ("Sizes", "bytes", [("scalestyle_event_log_bytes", "log {{instance}}"),
                           ("scalestyle_features_memory_bytes", "features {{instance}}")]),
    ]),
    "models": ("ScaleStyle: models and stores", [
        ("Tokens", "none", [(rate("scalestyle_model_tokens_total", "model"), "{{model}} tokens/s")]),
        ("Texts, pairs, pictures", "none", [(rate("scalestyle_model_items_total", "model"), "{{model}}/s")]),
        ("Calls of models, 95 %", "s", [(quantile(0.95, MODEL, "model"), "{{model}}")]),
        ("Calls that failed", "percentunit", [
            (rate("scalestyle_model_failures_total", "model") + " / " + rate(MODEL + "_count", "model"), "{{model}}")]),
        ("Inference role: tokens that wait", "none", [("scalestyle_inference_queue_tokens", "{{instance}} {{model}}")]),
        ("Inference role: refused", "reqps", [(rate("scalestyle_inference_refused_total", "model"), "{{model}}")]),
        ("Model servers that serve", "none", [("scalestyle_remote_inference_serving", "{{endpoint}} {{model}}")]),
        ("Vector engine: recall", "percentunit", [("sum(increase(scalestyle_vector_recall_ratio_sum[1h])) / "
                                                   "sum(increase(scalestyle_vector_recall_ratio_count[1h]))", "1 hour")]),
        ("Milvus, 95 %", "s", [(quantile(0.95, "scalestyle_milvus_call_seconds", "method"), "{{method}}")]),
        ("Redis, commands", "ops", [(rate("scalestyle_redis_commands_total", "result"), "{{result}}")]),
        ("Redis, 99 %", "s", [(quantile(0.99, "scalestyle_redis_command_duration_seconds"), "a command"),
                               (quantile(0.99, "redis_update_latency_seconds"), "a batch of events")]),
        ("Kafka, records sent", "ops", [(rate("scalestyle_kafka_messages_total", "outcome"), "{{outcome}}")]),
    ]),
}


def panel(number, title, unit, queries):
    targets = []
    for place, query in enumerate(queries):
        expression, legend = query if isinstance(query, tuple) else (query, "")
        targets.append({"datasource": SOURCE, "expr": expression, "legendFormat": legend, "refId": chr(ord("A") + place)})
    return {"id": number + 1, "type": "timeseries", "title": title, "datasource": SOURCE, "targets": targets,
            "fieldConfig": {"defaults": {"unit": unit, "min": 0}, "overrides": []},
            "gridPos": {"x": number % 3 * WIDTH, "y": number // 3 * HEIGHT, "w": WIDTH, "h": HEIGHT}}


def dashboard(name, title, panels):
    variable = {"name": "datasource", "type": "datasource", "query": "prometheus", "label": "Prometheus"}
    return {"uid": f"scalestyle-{name}", "title": title, "tags": ["scalestyle"], "schemaVersion": 38, "version": 1,
            "editable": False, "refresh": "30s", "time": {"from": "now-3h", "to": "now"}, "templating": {"list": [variable]},
            "panels": [panel(number, *described) for number, described in enumerate(panels)]}


def text_of(name):
    return json.dumps(dashboard(name, *DASHBOARDS[name]), indent=1, ensure_ascii=False) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    wrong = []
    for name in DASHBOARDS:
        path = FOLDER / f"{name}.json"
        if check:
            if not path.is_file() or path.read_text(encoding="utf-8") != text_of(name):
                wrong.append(f"{path.name} is not what scripts/dashboards.py makes: run it")
        else:
            FOLDER.mkdir(parents=True, exist_ok=True)
            path.write_text(text_of(name), encoding="utf-8")
    wrong += [f"{path.name} is described nowhere" for path in sorted(FOLDER.glob("*.json")) if path.stem not in DASHBOARDS]
    for line in wrong:
        print(line, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
