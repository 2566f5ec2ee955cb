#!/usr/bin/env bash
# usage: profile_search.sh DATA [--reranker FOLDER] [options, see profile_search.py] : where the time of a search goes.
# Serves DATA with the release program and asks it with one client: kept lists, unique queries, and unique queries reranked. Gives the
# microseconds of each step, their sum beside the whole that the client saw, and flame graphs. Exits 1 when an answer was bad or
# the sum explains less than 90 % or more than 110 % of the whole.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
[ $# -ge 1 ] || {
  sed -n 's/^# usage: /usage: /p' "${BASH_SOURCE[0]}" >&2
  exit 2
}
exec python3 -B scripts/profile_search.py "$@"
