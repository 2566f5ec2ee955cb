"""The usual Python service: text search of one catalogue behind FastAPI, with the answer's envelope of ours.

query → BGE-small (ENGINE: onnxruntime, int8 in a fused graph, or torch, f32) → 100 nearest (FAISS: HNSW; INDEX=flat: exact) and 100
best by words (Tantivy) → reciprocal rank fusion → with RERANK=1 a cross-encoder over the first 50 → the first k as JSON.
Kinder to it than such services are: no network between its parts, no cache to miss, no deadline, articles in memory.
Environment: ENGINE, INDEX, RERANK, THREADS of each model, RIVALS_WORK, RIVALS_MODELS, RIVALS_ARTICLES, RIVALS_VECTORS.
"""
import asyncio
import contextlib
import os
import pathlib
import sys

import numpy as np

ENGINE, INDEX = os.environ.get("ENGINE", "onnxruntime"), os.environ.get("INDEX", "hnsw")
RERANK, THREADS = os.environ.get("RERANK") == "1", int(os.environ.get("THREADS", "2"))
os.environ.setdefault("OMP_NUM_THREADS", str(THREADS))
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
sys.path.insert(0, str(pathlib.Path(__file__).parent))

import faiss  # noqa: E402
import orjson  # noqa: E402
from fastapi import FastAPI, Response  # noqa: E402
from tokenizers import Tokenizer  # noqa: E402

import bert_onnx  # noqa: E402
import catalogue  # noqa: E402
import encoder  # noqa: E402
import vectors  # noqa: E402
import words  # noqa: E402

WORK, MODELS = pathlib.Path(os.environ["RIVALS_WORK"]), pathlib.Path(os.environ["RIVALS_MODELS"])
FOUND, RERANKED, BATCH, FUSION = 100, 50, 16, 60  # FUSION: the k of reciprocal ranks


def model(folder, name):
    if ENGINE == "torch":
        return encoder.Torch(folder, THREADS)
    return encoder.Runtime(bert_onnx.build(folder, WORK / "cache" / f"{name}.onnx")["int8"], THREADS)


def tokenizer(folder):
    read = Tokenizer.from_file(str(folder / "tokenizer.json"))
    read.enable_truncation(512)
    read.no_padding()
    return read


class Search:
    def __init__(self):
        self.rows = catalogue.read_articles(pathlib.Path(os.environ["RIVALS_ARTICLES"]))
        values = vectors.read_vectors(pathlib.Path(os.environ["RIVALS_VECTORS"]))
        if len(values) != len(self.rows):
            raise RuntimeError(f"{len(values)} vectors for {len(self.rows)} articles")
        faiss.omp_set_num_threads(THREADS)
        if INDEX == "flat":
            self.index = faiss.IndexFlatIP(values.shape[1])
            self.index.add(values)
        else:
            self.index = faiss.read_index(str(WORK / "cache" / "service.hnsw"))
            self.index.hnsw.efSearch = 100
        self.words = words.Tantivy(self.rows)
        self.places = {one["article_id"]: place for place, one in enumerate(self.rows)}
        folder = MODELS / "bge-small-en-v1.5"
        self.tokens, self.encoder = tokenizer(folder), model(folder, "bge-small")
        if RERANK:
            folder = WORK / "cache" / "minilm-head"
            self.texts = [catalogue.rerank_text(one) for one in self.rows]
            self.pair_tokens, self.scorer = tokenizer(folder), model(folder, "minilm-head")

    def by_meaning(self, query):
        vector = self.encoder(bert_onnx.padded([self.tokens.encode(query).ids]))
        return self.index.search(vector, FOUND)[1][0]

    def by_words(self, query):
        text = " ".join(catalogue.WORD.findall(query.lower()))
        return [self.places[article] for article in self.words.ids(self.words.search(text))] if text else []

    def fused(self, query):
        scores = {}
        for found in (self.by_meaning(query), self.by_words(query)):
            for rank, place in enumerate(found):
                if place >= 0:
                    scores[int(place)] = scores.get(int(place), 0.0) + 1 / (FUSION + rank + 1)
        return sorted(scores.items(), key=lambda one: -one[1])[:FOUND]

    def reranked(self, query, found):
        encoded = self.pair_tokens.encode_batch([(query, self.texts[place]) for place, _ in found])
        order = sorted(range(len(found)), key=lambda i: -len(encoded[i].ids))
        scores = np.empty(len(found), np.float32)
        for first in range(0, len(order), BATCH):
            part = order[first:first + BATCH]
            feed = bert_onnx.padded([encoded[i].ids for i in part], [encoded[i].type_ids for i in part])
            scores[part] = self.scorer(feed)[:, 0]
        return [(found[i][0], float(scores[i])) for i in np.argsort(-scores, kind="stable")]

    def answer(self, query, k):
        found = self.fused(query)
        if RERANK:
            found = self.reranked(query, found[:RERANKED])
        data = [{"article_id": one["article_id"], "title": one["prod_name"], "type": one["product_type_name"],
                 "colour": one["colour_group_name"], "department": one["department_name"], "description": one["detail_desc"], "score": score}
                for one, score in ((self.rows[place], score) for place, score in found[:k])]
        return orjson.dumps({"status": "success", "degraded": False, "data": data})


STATE = {}


@contextlib.asynccontextmanager
async def lifespan(_):
    STATE["search"] = Search()
    STATE["search"].answer("warm winter jacket", 10)
    yield


app = FastAPI(lifespan=lifespan)


@app.get("/api/recommendation/search")
async def search(query: str, k: int = 10):
    body = await asyncio.get_running_loop().run_in_executor(None, STATE["search"].answer, query, k)
    return Response(body, media_type="application/json")


@app.get("/healthz")
async def healthz():
    return {"status": "ok", "pid": os.getpid()}
