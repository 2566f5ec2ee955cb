#!/usr/bin/env bash
# usage: bench_events.sh [serve options…] : events over HTTP, from click to changed answer, on a sample catalogue or on
# DATA=FOLDER (its events are left behind). Prints each bound with pass or FAIL; exits 1 when one failed.
# Environment: CLICK_SECONDS (60), SOAK_MINUTES (10; 0: none), FILL_USERS (1000000; 0: none), FILL_ROUNDS (4),
# FEATURE_MEMORY_MB (128: below what FILL_USERS need, so that the bound binds), PRODUCTS (2000), BUILD (build/release).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

build=${BUILD:-build/release}
program=$build/scalestyle clicks=$build/scalestyle-click-load searches=$build/scalestyle-load
click_seconds=${CLICK_SECONDS:-60} soak_minutes=${SOAK_MINUTES:-10}
fill_users=${FILL_USERS:-1000000} fill_rounds=${FILL_ROUNDS:-4} feature_memory_mb=${FEATURE_MEMORY_MB:-128}
work=$(mktemp -d "${TMPDIR:-/tmp}/scalestyle-bench-events-XXXXXX")
server='' status=0

clean_up() {
  [ -z "$server" ] || kill -KILL "$server" 2>/dev/null || true
  rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

head_line() { printf '\n== %s\n' "$*"; }
verdict() { # description, condition in awk
  if awk "BEGIN { exit !($2) }"; then echo "pass: $1"; else
    echo "FAIL: $1"
    status=1
  fi
}
resident_kb() { sed -n 's/VmRSS:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$server/status"; }
processor_seconds() { awk -v hz="$(getconf CLK_TCK)" '{ print ($14 + $15) / hz }' "/proc/$server/stat"; }

start() { # data folder, serve options…
  local folder=$1 log=$work/log
  shift
  : >"$log" # the last server's line must not be taken for this one's
  "$program" serve --data "$folder" --port 0 --log-format json "$@" 2>>"$log" &
  server=$!
  until port=$(sed -n 's/.*"message":"ready".*"port":\([0-9]*\).*"seconds".*/\1/p' "$log") && [ -n "$port" ]; do
    kill -0 "$server" 2>/dev/null || { cat "$log" >&2; exit 1; }
    sleep 0.02
  done
  ready_seconds=$(sed -n 's/.*"message":"ready".*"seconds":\([0-9.]*\).*/\1/p' "$log")
}
stop() {
  kill "-$1" "$server"
  wait "$server" 2>/dev/null || true
  server=''
}
run() { # name, command…
  local before after
  head_line "$1"
  shift
  before=$(processor_seconds)
  "$@" || status=1
  after=$(processor_seconds)
  awk -v a="$after" -v b="$before" 'BEGIN { printf "server processor seconds: %.2f\n", a - b }'
}

data=${DATA:-}
if [ -z "$data" ]; then
  data=$work/data
  "$program" sample --out "$work/sample" --products "${PRODUCTS:-2000}" --seed 1 >/dev/null
  "$program" ingest --data "$data" --articles "$work/sample/articles.csv" --transactions "$work/sample/transactions.csv" >/dev/null 2>&1
fi
"$program" doctor | sed -n '3,4p'
start "$data" "$@"
echo "ready after $ready_seconds s"

search=("$searches" --port "$port" --clients 16)
run 'searches alone, open loop, 40/s' "${search[@]}" --seed 1 --rate 40 --duration 15
run "clicks, open loop, 2,000/s for $click_seconds s" \
  "$clicks" --port "$port" --seed 1 --rate 2000 --duration "$click_seconds" --probe-folder "$data"
head_line 'searches at 40/s while 1,000 clicks/s come'
"$clicks" --port "$port" --seed 2 --rate 1000 --duration 18 >"$work/clicks.out" &
background=$!
sleep 1
"${search[@]}" --seed 2 --rate 40 --duration 15 || status=1
wait "$background" || status=1
cat "$work/clicks.out"

for path in '/api/recommendation/browse?k=20' '/api/recommendation/search?query=warm+winter+jacket&k=20'; do
  run "freshness with after" "$clicks" --port "$port" --seed 3 --mode freshness --path "$path" --rounds 300
  run "freshness without after" "$clicks" --port "$port" --seed 4 --mode freshness --path "$path" --rounds 300 --no-after
done

head_line 'kill -9, start again'
stop KILL
start "$data" "$@"
verdict "ready after $ready_seconds s ≤ 3 s" "$ready_seconds <= 3"
stop TERM

if [ "$fill_users" -gt 0 ]; then
  head_line "a million users: $fill_users × $fill_rounds events against $feature_memory_mb MB of features"
  filled=$work/filled
  cp -r "$data" "$filled"
  rm -f "$filled"/events.* "$filled"/features.* "$filled"/impressions.*
  start "$filled" --feature-memory-mb "$feature_memory_mb" "$@"
  before_kb=$(resident_kb)
  "$clicks" --port "$port" --mode fill --users "$fill_users" --rounds "$fill_rounds" --clients 8 || status=1
  after_kb=$(resident_kb)
  curl -s "http://127.0.0.1:$port/metrics" | grep -E '^scalestyle_(feature|event)[a-z_]*(bytes|subjects|items|evicted)[a-z_]* ' || true
  echo "resident memory: $before_kb kB before, $after_kb kB after"
  # Features within their bound, and the log's own caches and queues (at most 160 MB) beside them.
  verdict "grew by at most the bound and 160 MB" "$after_kb - $before_kb <= ($feature_memory_mb + 160) * 1024"
  stop KILL
  start "$filled" --feature-memory-mb "$feature_memory_mb" "$@"
  verdict "after kill -9 with them behind it, ready after $ready_seconds s ≤ 3 s" "$ready_seconds <= 3"
  stop TERM
  rm -rf "$filled"
fi

if [ "$soak_minutes" -gt 0 ]; then
  head_line "resident memory over $soak_minutes minutes of 500 clicks/s and 20 searches/s"
  start "$data" "$@"
  "$clicks" --port "$port" --seed 5 --rate 500 --duration $((soak_minutes * 60)) >"$work/clicks.out" &
  first=$!
  "$searches" --port "$port" --seed 5 --rate 20 --clients 16 --duration $((soak_minutes * 60)) >"$work/searches.out" &
  second=$!
  minutes=()
  for ((i = 0; i < soak_minutes * 6; i++)); do
    sleep 10
    minutes+=("$(resident_kb)")
  done
  wait "$first" || status=1
  wait "$second" || status=1
  cat "$work/clicks.out" "$work/searches.out"
  echo "resident kB, every 10 s: ${minutes[*]}"
  # The second half against its own beginning: caches are full by then.
  half=$((${#minutes[@]} / 2))
  verdict "second half: ${minutes[half]} → ${minutes[-1]} kB grows by less than 3 %" "${minutes[-1]} <= ${minutes[half]} * 1.03"
  stop TERM
fi
exit "$status"
