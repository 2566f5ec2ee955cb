"""Models and data that the measurements need and no package brings, made once below build/bench: random weights in true shapes, a
catalogue of sample products, and the H&M catalogue with a vector for a photo of each article."""
import ctypes
import json
import shutil

from common import Failed, NoData, copy_of
from machine import ROOT

SAMPLE_PRODUCTS = 100  # of the sample, each with some variants


def kept(target, make):
    """`target`, made by make(part) where it is not there; a run that ended half way leaves no target."""
    if not target.exists():
        part = target.with_name(target.name + ".part")
        if part.is_dir():
            shutil.rmtree(part)
        part.parent.mkdir(parents=True, exist_ok=True)
        make(part)
        part.rename(target)
    return target


def cross_encoder(context, name):
    """minilm or base, with random weights in its true shape."""
    return kept(context.work / "models" / name,
                lambda part: context.run([context.program("rerank_bench"), "--model", name, "--write", part]))


def clip(context):
    return kept(context.work / "models" / "clip", lambda part: context.run([context.program("clip_bench"), "--write", part]))


def sample_catalogue(context):
    def make(part):
        made = part.with_name("sample-files")
        context.run([context.program("scalestyle"), "sample", "--out", made, "--products", SAMPLE_PRODUCTS, "--seed", 1])
        context.run([context.program("scalestyle"), "ingest", "--data", part, "--models", context.models, "--articles", made / "articles.csv",
                     "--transactions", made / "transactions.csv"])
        shutil.rmtree(made)
    return kept(context.work / "sample", make)


def random_unit_vectors(articles, target, dimension):
    """A Parquet file of a made-up vector of length 1 for every article, written by DuckDB's library, which the build has."""
    library = ROOT / "build" / "third_party" / "duckdb" / "lib" / "libduckdb.so"
    if not library.exists():
        raise NoData(f"{library} is not there: scripts/duckdb.sh")
    duckdb = ctypes.CDLL(str(library))
    database, connection = ctypes.c_void_p(), ctypes.c_void_p()

    class Answer(ctypes.Structure):
        _fields_ = [("numbers", ctypes.c_uint64 * 3), ("pointers", ctypes.c_void_p * 3)]

    duckdb.duckdb_result_error.restype = ctypes.c_char_p
    if duckdb.duckdb_open(None, ctypes.byref(database)) or duckdb.duckdb_connect(database, ctypes.byref(connection)):
        raise Failed("DuckDB does not open")
    quoted = [str(path).replace("'", "''") for path in (articles, target)]
    # Numbers of a hash, so that the vectors are the same each time; numbered rows in the order of ids.
    statement = f"""
      COPY (SELECT article_id, list_transform(v, lambda x: CAST(x / norm AS FLOAT)) AS embedding FROM (
        SELECT article_id, v, sqrt(list_sum(list_transform(v, lambda x: x * x))) AS norm FROM (
          SELECT lpad(CAST(article_id AS VARCHAR), 10, '0') AS article_id,
                 list_transform(range({dimension}), lambda i: CAST(hash(article_id, i) % 2000001 AS DOUBLE) / 1000000 - 1) AS v
          FROM '{quoted[0]}'))) TO '{quoted[1]}' (FORMAT PARQUET)"""
    answer = Answer()
    state = duckdb.duckdb_query(connection, statement.encode(), ctypes.byref(answer))
    error = duckdb.duckdb_result_error(ctypes.byref(answer)) if state else None
    duckdb.duckdb_destroy_result(ctypes.byref(answer))
    duckdb.duckdb_disconnect(ctypes.byref(connection))
    duckdb.duckdb_close(ctypes.byref(database))
    if state:
        raise Failed(f"DuckDB: {error.decode() if error else 'unknown error'}")


def catalogue_with_photos(context):
    """The H&M catalogue of `data`, its texts' vectors reused, with random vectors of photos: what is found is of no meaning, what it
    costs is."""
    data, articles = context.need_data(), context.hm("articles.parquet")
    manifest = json.loads((data / "generations" / (data / "CURRENT").read_text(encoding="utf-8").strip() / "manifest.json")
                          .read_text(encoding="utf-8"))["manifest"]

    def make(part):
        vectors = part.with_name("photo-vectors.parquet")
        random_unit_vectors(articles, vectors, 512)
        copy_of(data, part)
        context.run([context.program("scalestyle"), "ingest", "--data", part, "--models", context.models, "--articles", articles,
                     "--image-embeddings", vectors, "--vision-enabled", "--vision-model", clip(context),
                     "--document-precision", manifest["encoder"]["precision"], "--update"])
        vectors.unlink()
    return kept(context.work / f"photos-{manifest['id']}", make)
