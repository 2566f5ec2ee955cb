"""The figures to reach as gates, and how a measured figure is judged. Pure: no measurement, no file is read but accepted.json.

A gate names a figure of run.py's measurements and a bound. Bounds are for two cores with AVX-512 VNNI, 457 giga-operations/s a core
in int8 and 115 in f32 at the register peak. `model` is the part of a bound that is model work:
  - on a processor without AVX-512 VNNI that part is multiplied by reference peak ÷ this machine's peak, measured in the same run
    with the best exact instruction it has; the bound as written and its verdict stay in the table beside it;
  - where the int8 peak is higher than the reference, work that is a model's alone stays within 1.35 × the arithmetic at that peak;
  - ratios and shares of a peak are never scaled.
A miss is an error unless accepted.json names it with a decision record, and then too where it is more than 15 % worse than accepted.
"""
from __future__ import annotations

import dataclasses
import json
import math

REFERENCE_PEAKS = {"int8": 457.0, "f32": 115.0}  # giga-operations/s of one core
ABOVE_ARITHMETIC = 1.35
WORSE_THAN_ACCEPTED = 0.15
HAS_VNNI = "avx512_vnni"


class BadAcceptance(Exception):
    pass


@dataclasses.dataclass(frozen=True)
class Model:
    """So many milliseconds of the bound (of each answer's time, where the bound is a rate) are products in this precision."""
    precision: str
    ms: float


@dataclasses.dataclass(frozen=True)
class Gate:
    name: str
    row: str  # what is said in the table
    unit: str
    bound: float | None  # None: the figure brings its own, measured in the same run
    direction: str = "most"  # the figure is at most the bound, or at least
    model: Model | None = None
    applies: str = ""  # when; empty: always


def kernel_gates():
    for precision in ("f32", "bf16", "int8"):
        full_rate = "where the processor has an instruction for it" if precision == "bf16" else ""
        for name, said in (("one", "mean, one thread"), ("two", "mean, two threads"), ("least", "least, one thread")):
            yield Gate(f"gemm_{precision}_{name}", f"products in {precision}, six shapes, M = 12…1,280, {said}", "% of peak", 90, "least",
                       applies=full_rate)


QUERY = Model("int8", 2.2)  # its vector is all the model work of a search without reranking
HALF_A_QUERY = Model("int8", 1.1)  # two cores embed two at a time
ON_HM = "105,542 articles"

GATES = [
    *kernel_gates(),
    Gate("bge_query", "BGE-small, query of 14 tokens, one core, int8", "ms", 2.2, model=QUERY),
    Gate("bge_query_ratio", "the same beside ONNX Runtime int8", "×", 1.8, "least"),
    Gate("minilm_50", "MiniLM-L6, 50 pairs of 50 tokens, int8, two cores", "ms", 85, model=Model("int8", 85)),
    Gate("base_20", "bge-reranker-base, 20 pairs of 50 tokens, int8, two cores", "ms", 240, model=Model("int8", 240)),
    Gate("minilm_mixed_ratio", "MiniLM-L6, 50 pairs of mixed lengths, beside ONNX Runtime int8", "×", 2.5, "least"),
    Gate("scan", "exact scan of 105,542 × 384, top 100", "ms", 1.5, applies=ON_HM),
    Gate("scan_filtered", "the same, 12 % eligible", "ms", 1.5, applies=ON_HM),
    *(Gate(f"words_{queries}_{quantile}", f"words, top 100, one thread, {said}, {quantile}", "ms", bound, applies=ON_HM)
      for queries, said in (("judged", "48 judged queries"), ("generated", "3,000 queries of the catalogue's words"))
      for quantile, bound in (("p50", 0.3), ("p99", 1))),
    Gate("search_p50", "search without rerank, one client, p50", "ms", 3.5, model=QUERY, applies=ON_HM),
    Gate("search_p99", "search without rerank, one client, p99", "ms", 7, model=QUERY, applies=ON_HM),
    Gate("search_16", "search without rerank, 16 clients", "/s", 500, "least", HALF_A_QUERY, ON_HM),
    Gate("search_minilm", "search with MiniLM-L6 on 50, p50", "ms", 100, model=Model("int8", 87.2), applies=ON_HM),
    Gate("search_base", "search with bge-reranker-base on 50, p50", "ms", 660, model=Model("int8", 602.2), applies=ON_HM),
    Gate("kept_p99", "search from the ranked-list cache, one client, p99", "ms", 2, applies=ON_HM),
    Gate("picture_p50", "search by picture, p50", "ms", 45, model=Model("f32", 36), applies=ON_HM),
    Gate("picture_p99", "search by picture, p99", "ms", 70, model=Model("f32", 36), applies=ON_HM),
    Gate("click_p99", "durable click acknowledgement over HTTP at 2,000/s, p99", "ms", None),
    Gate("log_p99", "the event log alone at 2,000/s, p99", "ms", None),
    Gate("effect_p99", "click → next answer over the acknowledgement, embedded, p99", "ms", 5),
    Gate("effect_distributed_p99", "click → next answer through Kafka and Redis, p99", "ms", 50, applies="Kafka and Redis can be had"),
    Gate("ready", "start to ready, warm disk", "s", 3, applies=ON_HM),
    Gate("memory", "resident memory with BGE-small, after the load", "MB", 500, applies=ON_HM),
    Gate("cosine_int8", "BGE-small in int8, least cosine to f32", "", 0.999, "least"),
]
BY_NAME = {gate.name: gate for gate in GATES}


def is_within(value, bound, direction):
    return value <= bound if direction == "most" else value >= bound


def scaled_bound(gate, bound, machine, figure):
    """(bound that applies on this machine, why), or (None, "") where the bound applies as it stands."""
    if gate.model is None:
        return None, ""
    reference, peak = REFERENCE_PEAKS[gate.model.precision], machine["peaks"].get(gate.model.precision, 0)
    if peak <= 0:
        return None, ""
    if peak > reference:
        arithmetic = figure.get("arithmetic_ms")
        if gate.model.precision != "int8" or gate.model.ms != bound or not arithmetic:
            return None, ""
        return ABOVE_ARITHMETIC * arithmetic, f"{ABOVE_ARITHMETIC} × {arithmetic:.3g} ms of arithmetic at {peak:.0f} GOP/s a core"
    if HAS_VNNI in machine["flags"]:
        return None, ""
    factor = reference / peak
    more_ms = gate.model.ms * (factor - 1)
    bound = 1 / (1 / bound + more_ms / 1e3) if gate.unit == "/s" else bound + more_ms
    return bound, f"{gate.model.ms:g} ms of it × {factor:.2f} ({reference:.0f} ÷ {peak:.0f} GOP/s a core, {gate.model.precision})"


def judge(gate, figure, machine, accepted=None):
    """One row of the results. `figure` is {"value", …} or {"no_data": why} or {"failed": why}; `accepted` an entry of accepted.json."""
    row = {"gate": gate.name, "row": gate.row, "unit": gate.unit, "direction": gate.direction, "applies": gate.applies,
           "is_error": False, "value": None, "bound": gate.bound, "scaled_bound": None, "scaled_why": "", "as_written": "",
           **{name: figure[name] for name in ("command", "note", "rival", "rival_value") if figure.get(name)}}
    if "value" not in figure:
        failed = figure.get("failed")
        return row | {"verdict": f"FAILED: {failed}" if failed else f"no data: {figure['no_data']}", "is_error": bool(failed)}
    value, bound = figure["value"], figure["bound"] if gate.bound is None else gate.bound
    if not math.isfinite(value):
        return row | {"verdict": f"FAILED: the figure is {value}", "is_error": True}
    scaled, why = scaled_bound(gate, bound, machine, figure)
    as_written = "met" if is_within(value, bound, gate.direction) else "missed"
    verdict = as_written if scaled is None else ("met" if is_within(value, scaled, gate.direction) else "missed")
    row |= {"value": value, "bound": bound, "scaled_bound": scaled, "scaled_why": why, "as_written": as_written}
    if verdict == "met" or accepted is None:
        return row | {"verdict": verdict, "is_error": verdict == "missed"}
    reach = accepted["value"] if "value" in accepted else accepted["of_bound"] * bound
    allowed = reach * (1 + WORSE_THAN_ACCEPTED if gate.direction == "most" else 1 - WORSE_THAN_ACCEPTED)
    decision = accepted["decision"]
    row |= {"decision": decision, "accepted_value": reach}
    if is_within(value, allowed, gate.direction):
        return row | {"verdict": f"missed, accepted: decision {decision}"}
    return row | {"verdict": f"missed, worse than decision {decision} accepted ({reach:.3g} {gate.unit})".replace(" )", ")"), "is_error": True}


def read_accepted(path, decisions):
    """{(gate, kernels): entry}. Every entry names a gate, the kernels for which it was accepted ("*": all), a record that exists in
    `decisions`, and a value or a multiple of the bound."""
    if not path.exists():
        return {}
    found = {}
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise BadAcceptance(f"{path}: {error}") from error
    if not isinstance(entries, list):
        raise BadAcceptance(f"{path}: not a list")
    for number, entry in enumerate(entries, start=1):
        where = f"{path}, entry {number}"
        fields = set(entry) if isinstance(entry, dict) else set()
        if not fields >= {"gate", "kernels", "decision"} or len(fields & {"value", "of_bound"}) != 1 or len(fields) != 4:
            raise BadAcceptance(f"{where}: needs gate, kernels, decision, and value or of_bound")
        if entry["gate"] not in BY_NAME:
            raise BadAcceptance(f"{where}: there is no gate {entry['gate']}")
        amount = entry.get("value", entry.get("of_bound"))
        if isinstance(amount, bool) or not isinstance(amount, (int, float)) or not 0 < amount < math.inf:
            raise BadAcceptance(f"{where}: {amount!r} is no figure")
        if not list(decisions.glob(f"{entry['decision']}-*.md")):
            raise BadAcceptance(f"{where}: {decisions} has no record {entry['decision']}")
        key = entry["gate"], entry["kernels"]
        if key in found:
            raise BadAcceptance(f"{where}: {key[0]} on {key[1]} is there twice")
        found[key] = entry
    return found


def judge_all(figures, machine, accepted):
    """The rows of all gates, in order. A gate without a figure was not measured."""
    kernels = machine["kernels"].split(maxsplit=1)[0] if machine["kernels"] else ""
    return [judge(gate, figures.get(gate.name, {"no_data": "not measured"}), machine,
                  accepted.get((gate.name, kernels)) or accepted.get((gate.name, "*"))) for gate in GATES]
