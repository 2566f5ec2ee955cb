#!/usr/bin/env bash
# usage: setup.sh [--brief] [FOLDER] : the rivals, from packages, into FOLDER (default: build/rivals). Quick when all is there.
#
# --brief      only what `run.py --brief` and so `make bench` need: ONNX Runtime, FAISS, hnswlib (80 MB of downloads). Where all is
#              there already, that serves too. oneDNN comes with PyTorch alone, in the full set.
# venv         Python packages of requirements.txt, whose hashes are checked. Needs CPython 3.11 (PYTHON names it) on x86-64 Linux and
#              a C++ compiler for hnswlib. About 3 GB of downloads and 8 GB of disk, nearly all of it CUDA's libraries, which PyTorch's
#              package loads on machines without a GPU too.
# lucene       Lucene's jars, which are checked as well, and our program for them. Left out, with a message, where there is no JDK or
#              no Maven: the comparison of words then has Tantivy alone.
# Tantivy comes as a Python package and needs no Rust. Kafka's broker is fetched by tests/servers/kafka.sh when it is first started.
set -euo pipefail
export LC_ALL=C

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
part=full
if [ "${1:-}" = --brief ]; then
  part=brief
  shift
fi
work=${1:-$here/../../build/rivals}
python=${PYTHON:-python3.11}
mkdir -p "$work"
work=$(cd "$work" && pwd)

say() { printf 'rivals: %s\n' "$*"; }

# The pins of some packages: a line of requirements.txt and the hash below it.
pins_of() {
  awk -v names=" $* " '{ if ($0 ~ /^[A-Za-z0-9]/) { split($0, of, "=="); kept = index(names, " " of[1] " ") > 0 } if (kept) print }' \
    "$here/requirements.txt"
}

# The file $work/venv/complete says what is installed: the sum of the requirements, of the full or of the brief set.
set_up_python() {
  local full wanted requirements=$here/requirements.txt size='3 GB, some minutes'
  full=$(cat "$here/requirements_build.txt" "$requirements" | sha256sum)
  wanted=$full
  if [ "$part" = brief ]; then
    requirements=$work/requirements_brief.txt size='80 MB'
    pins_of faiss-cpu flatbuffers ml_dtypes hnswlib numpy onnx onnxruntime packaging protobuf safetensors tokenizers typing_extensions \
      >"$requirements"
    wanted=$(cat "$here/requirements_build.txt" "$requirements" | sha256sum)
  fi
  case $(cat "$work/venv/complete" 2>/dev/null) in "$wanted" | "$full") return ;; esac
  command -v "$python" >/dev/null || {
    say "there is no $python: the packages are pinned for CPython 3.11 (PYTHON=… names another place)" >&2
    exit 3
  }
  [ "$("$python" -c 'import sys, platform; print(*sys.version_info[:2], platform.machine())')" = "3 11 x86_64" ] || {
    say "$python is no CPython 3.11 for x86-64" >&2
    exit 3
  }
  say "installing Python packages ($size)"
  "$python" -m venv "$work/venv"
  local pip=("$work/venv/bin/python" -m pip --disable-pip-version-check -q install --no-cache-dir --no-deps --require-hashes)
  "${pip[@]}" -r "$here/requirements_build.txt"
  "${pip[@]}" --no-build-isolation -r "$requirements"
  printf '%s\n' "$wanted" >"$work/venv/complete"
}

set_up_lucene() {
  if [ "$work/lucene/classes/WordsBench.class" -nt "$here/lucene/WordsBench.java" ]; then return; fi
  local missing=()
  command -v javac >/dev/null || missing+=("a JDK (openjdk-17-jdk-headless)")
  command -v mvn >/dev/null || missing+=("Maven")
  if [ "${#missing[@]}" -gt 0 ]; then
    say "Lucene is left out: there is no ${missing[*]}"
    return
  fi
  rm -rf "$work/lucene"
  mkdir -p "$work/lucene/classes"
  mvn -q -B -f "$here/lucene/pom.xml" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$work/lucene/jars" \
    >"$work/lucene/log" 2>&1 || {
    tail -n 3 "$work/lucene/log"
    say "Lucene is left out: Maven could not fetch its jars"
    return
  }
  (cd "$work/lucene/jars" && sha256sum --quiet --strict -c "$here/lucene/lucene.sha256") || {
    rm -rf "$work/lucene"
    say "a jar is not the one that lucene/lucene.sha256 names" >&2
    exit 1
  }
  javac -encoding UTF-8 -d "$work/lucene/classes" -cp "$work/lucene/jars/*" "$here/lucene/WordsBench.java"
}

set_up_python
if [ "$part" = full ]; then set_up_lucene; fi
say "ready in $work"
