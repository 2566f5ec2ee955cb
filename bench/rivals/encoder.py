"""BGE-small queries of 14 tokens and documents of 81, and a cross-encoder of MiniLM-L6's shape on 50 pairs: ours, ONNX Runtime in f32
and int8 (fused graphs), PyTorch in f32. The same token ids and weights for all; the least of repeated calls in each turn, one thread by
its processor time and two by the clock, as our programs measure; the cross-encoder from text to score, medians.
Quality: least cosine to PyTorch's f32 vectors; least Kendall tau of four queries' scores to each side's own f32 (random weights).
With --brief ONNX Runtime alone, and its f32 vectors and scores stand for PyTorch's: the query, and 50 pairs on two threads."""
import itertools
import json
import re
import statistics
import time

import numpy as np

import bert_onnx
import runs

DOCUMENTS, DOCUMENT_TOKENS, QUERY_TOKENS = 24, 81, 14
MASK64 = 2**64 - 1
ENCODER_WORK = {("query", 1): "BGE-small, query of 14 tokens, one thread", ("document", 1): "document of 81 tokens, one thread",
                ("document", 2): "document of 81 tokens, two threads"}
COMPARED = (("f32", "ONNX Runtime f32"), ("f32", "PyTorch f32"), ("int8", "ONNX Runtime int8"), ("int8", "PyTorch f32"))


def made_up_ids(count, tokens, vocabulary):
    """The texts of encoder_bench."""
    state, texts = 12345, []
    for _ in range(count):
        ids = []
        for _ in range(tokens):
            state = (state * 1664525 + 1013904223) % 2**32
            ids.append(1996 + (state >> 8) % (vocabulary - 1996))
        texts.append([101, *ids[1:-1], 102])
    return texts


def random_words(words, seed):
    """The texts of rerank_bench."""
    state, out = (seed * 2654435761 + 99) & MASK64, []
    for _ in range(words):
        state = (state * 6364136223846793005 + 1442695040888963407) & MASK64
        out.append(f"w{(state >> 33) % (30522 - 5)}")
    return " ".join(out)


def pairs(count, mixed, seed=1):
    tokens = [25 + (i * 29 + seed) % 46 if mixed else 50 for i in range(count)]
    return random_words(4, seed), [random_words(n - 7, 1000 * seed + i) for i, n in enumerate(tokens)]


def kendall_tau(a, b):
    signs = [np.sign((a[i] - a[j]) * (b[i] - b[j])) for i, j in itertools.combinations(range(len(a)), 2)]
    return float(np.mean(signs))


class Torch:
    def __init__(self, folder, threads):
        import torch
        from transformers import BertConfig, BertForSequenceClassification, BertModel
        from transformers.utils import logging
        logging.set_verbosity_error()
        logging.disable_progress_bar()
        torch.set_num_threads(threads)
        self.torch = torch
        if "BertModel" in (BertConfig.from_pretrained(folder).architectures or []):
            self.model = BertModel.from_pretrained(folder, dtype=torch.float32, add_pooling_layer=False).eval()
        else:
            self.model = BertForSequenceClassification.from_pretrained(folder, dtype=torch.float32).eval()

    def threads(self, count):
        self.torch.set_num_threads(count)

    def __call__(self, feed):
        with self.torch.inference_mode():
            tensors = {name: self.torch.from_numpy(value.astype(np.int64)) for name, value in feed.items()}
            out = self.model(input_ids=tensors["ids"], attention_mask=tensors["mask"], token_type_ids=tensors["types"])
            if hasattr(out, "logits"):
                return out.logits.numpy()
            return self.torch.nn.functional.normalize(out.last_hidden_state[:, 0], dim=1).numpy()


class Runtime:
    def __init__(self, path, threads):
        self.session = bert_onnx.session(path, threads)

    def __call__(self, feed):
        return self.session.run(None, feed)[0]


def cpu_clock(threads):
    return time.thread_time if threads == 1 else time.perf_counter


def time_encoder(models, budget, works):
    """{(work, threads): ms a text} of one rival; `models` by threads."""
    cells = {}
    for work, threads in works:
        count, tokens = (1, QUERY_TOKENS) if work == "query" else (DOCUMENTS, DOCUMENT_TOKENS)
        feed, model = bert_onnx.padded(made_up_ids(count, tokens, 30522)), models[threads]
        if isinstance(model, Torch):
            model.threads(threads)
        cells[work, threads] = 1e3 * runs.best_seconds(budget, lambda: model(feed), cpu_clock(threads)) / count
    return cells


def our_encoder(options, precision, budget):
    found = runs.json_lines(runs.run([runs.program(options, "encoder_bench"), "--model", options.models / "bge-small-en-v1.5",
                                      "--precision", precision, "--seconds-per-cell", budget, "--json"]))
    return {(one["work"], one["threads"]): one["ms"] for one in found if one.get("tokens") in (QUERY_TOKENS, DOCUMENT_TOKENS)}


def our_cosines(options, texts, vectors):
    golden = options.work / "cache" / "encoder_golden.jsonl"
    golden.parent.mkdir(parents=True, exist_ok=True)
    golden.write_text("".join(json.dumps({"ids": ids, "embedding": [float(x) for x in vector]}) + "\n"
                              for ids, vector in zip(texts, vectors)), encoding="ascii")
    said = [runs.run([runs.program(options, "encoder_bench"), "--model", options.models / "bge-small-en-v1.5", "--golden", golden,
                      "--precision", precision, "--seconds-per-cell", 0.01]) for precision in ("f32", "int8")]
    return dict(re.findall(r"^(\w+): least cosine ([\d.]+)", "".join(said), re.M))


def rival_models(options, folder, files, threads):
    """{name: {threads: model}}; the first is the reference of quality."""
    rivals = {}
    if not options.brief:
        torch = Torch(folder, 1)
        rivals["PyTorch f32"] = {count: torch for count in threads}
    for precision, file in files.items():
        rivals[f"ONNX Runtime {precision}"] = {count: Runtime(file, count) for count in threads}
    return rivals


def compare_encoders(options, record, budget):
    folder = options.models / "bge-small-en-v1.5"
    if not (folder / "model.safetensors").exists():
        runs.cannot(f"{folder} is not installed: scalestyle models fetch bge-small-en-v1.5")
    files = bert_onnx.build(folder, options.work / "cache" / "bge-small.onnx")
    works = {("query", 1): ENCODER_WORK["query", 1]} if options.brief else ENCODER_WORK
    rivals = rival_models(options, folder, files, sorted({threads for _, threads in works}))
    texts = made_up_ids(DOCUMENTS, DOCUMENT_TOKENS, 30522)
    exact = next(iter(rivals.values()))[1](bert_onnx.padded(texts))
    quality = {name: f"cosine ≥ {np.sum(models[1](bert_onnx.padded(texts)) * exact, axis=1).min():.5f}" for name, models in rivals.items()}
    quality |= {precision: f"cosine ≥ {value}" for precision, value in our_cosines(options, texts, exact).items()}
    sides = {name: lambda models=models: time_encoder(models, budget, works) for name, models in rivals.items()}
    sides |= {precision: lambda precision=precision: our_encoder(options, precision, budget) for precision in ("f32", "int8")}
    found = runs.take_turns(options.repeats, sides)
    for cell, name in works.items():
        for ours, rival in [pair for pair in COMPARED if pair[1] in rivals]:
            record.add(f"{name}, {ours}", rival, "ms", (found[ours][cell], found[rival][cell]), (quality[ours], quality[rival]))


class Scorer:
    """Text to score with the word list of the model's folder: longest first, so that little is padded."""

    def __init__(self, model, words, batch):
        from tokenizers import BertWordPieceTokenizer
        self.model, self.batch = model, batch
        self.words = BertWordPieceTokenizer(str(words), lowercase=True)

    def __call__(self, query, texts):
        encoded = self.words.encode_batch([(query, text) for text in texts])
        order = sorted(range(len(texts)), key=lambda i: -len(encoded[i].ids))
        scores = np.empty(len(texts), np.float32)
        for first in range(0, len(order), self.batch):
            part = order[first:first + self.batch]
            feed = bert_onnx.padded([encoded[i].ids for i in part], [encoded[i].type_ids for i in part])
            scores[part] = self.model(feed)[:, 0]
        return scores


def time_scorer(scorers, budget):
    cells = {}
    for mixed in (False, True):
        query, texts = pairs(50, mixed)
        for threads, scorer in scorers.items():
            if isinstance(scorer.model, Torch):
                scorer.model.threads(threads)
            scorer(query, texts)
            times, end = [], time.perf_counter() + budget
            while len(times) < 3 or time.perf_counter() < end:
                start = time.perf_counter()
                scorer(query, texts)
                times.append(1e3 * (time.perf_counter() - start))
            cells["50 mixed" if mixed else "50 even", threads] = statistics.median(times)
    return cells


def our_scorer(options, precision, budget, quality):
    less = ["--pairs", 50, "--threads", 2, "--tau-pairs", 4] if options.brief else []
    found = runs.json_lines(runs.run([runs.program(options, "rerank_bench"), "--model", "minilm", "--precision", precision,
                                      "--seconds-per-cell", budget, "--json", *less]))
    tau = next(one["kendall_tau_random_weights"] for one in found if "kendall_tau_random_weights" in one)
    quality[precision] = f"tau ≥ {tau:.3f}"
    return {(one["pairs"], one["threads"]): one["p50_ms"] for one in found if "pairs" in one}


def compare_rerankers(options, record, budget):
    folder = options.work / "cache" / "minilm-random"
    if not (folder / "model.safetensors").exists():
        runs.run([runs.program(options, "rerank_bench"), "--model", "minilm", "--write", folder])
    files = bert_onnx.build(folder, options.work / "cache" / "minilm-random.onnx")
    counts = (2,) if options.brief else (1, 2)
    models = rival_models(options, folder, files, counts)
    # 16 a batch leaves mixed lengths little padding, and is the usual setting.
    rivals = {name: {threads: Scorer(model, folder / "vocab.txt", 16) for threads, model in by.items()} for name, by in models.items()}
    work = [pairs(50, True, seed) for seed in range(1, 5)]
    exact = [next(iter(rivals.values()))[counts[0]](*one) for one in work]
    quality = {name: f"tau ≥ {min(kendall_tau(by[counts[0]](*one), right) for one, right in zip(work, exact)):.3f}"
               for name, by in rivals.items()}
    sides = {name: lambda by=by: time_scorer(by, budget) for name, by in rivals.items()}
    sides |= {precision: lambda precision=precision: our_scorer(options, precision, budget, quality) for precision in ("f32", "int8")}
    found = runs.take_turns(options.repeats, sides)
    for pairs_name, threads in itertools.product(("50 even", "50 mixed"), counts):
        cell, lengths = (pairs_name, threads), "50 tokens each" if pairs_name == "50 even" else "25 to 70 tokens"
        name = f"MiniLM-L6's shape, 50 pairs of {lengths}, {'one thread' if threads == 1 else 'two threads'}"
        for ours, rival in [pair for pair in COMPARED if pair[1] in rivals]:
            record.add(f"{name}, {ours}", rival, "ms", (found[ours][cell], found[rival][cell]), (quality[ours], quality[rival]))


def main():
    options = runs.arguments(__doc__).parse_args()
    packages = ("onnxruntime", "tokenizers") if options.brief else ("onnxruntime", "torch", "transformers", "tokenizers")
    record = runs.Record(options, {name: runs.version(name) for name in packages})
    budget = 0.05 if options.smoke else 0.6 if options.brief else 2
    compare_encoders(options, record, budget)
    compare_rerankers(options, record, budget)
    record.write(options.out)


if __name__ == "__main__":
    main()
