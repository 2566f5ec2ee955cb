#!/usr/bin/env bash
# usage: bench_http.sh DATA [serve options…] : end to end over HTTP on the catalogue in DATA, unique queries.
# One client closed loop, 16 clients closed loop, then open loop at 100/s and 300/s; then the same 100 queries again and
# again, which are answered from the ranked lists that the server keeps. Exits 1 when an answer was bad.
# Prints the machine, start to ready, resident memory and the server's own processor time beside the generator's.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

[ $# -ge 1 ] || {
  sed -n 's/^# usage: /usage: /p' "${BASH_SOURCE[0]}" >&2
  exit 2
}
data=$1
shift
program=build/release/scalestyle load=build/release/scalestyle-load
log=$(mktemp) asked=$(mktemp)
server=
stop() {
  [ -z "$server" ] || kill -TERM "$server" 2>/dev/null || true
  rm -f "$log" "$asked"
}
trap stop EXIT

"$program" doctor | sed -n '3,4p'
"$program" serve --data "$data" --port 0 --log-format json "$@" 2>"$log" &
server=$!
until port=$(sed -n 's/.*"message":"ready".*"port":\([0-9]*\).*/\1/p' "$log") && [ -n "$port" ]; do
  kill -0 "$server" || { cat "$log" >&2; exit 1; }
  sleep 0.05
done
grep '"message":"ready"' "$log"

processor_seconds() { awk -v hz="$(getconf CLK_TCK)" '{ print ($14 + $15) / hz }' "/proc/$server/stat"; }
status=0
seed=1
run() { # name, options…
  local name=$1 before after
  shift
  before=$(processor_seconds)
  printf '\n== %s\n' "$name"
  "$load" --port "$port" --seed "$seed" "$@" || status=1
  seed=$((seed + 1)) # nothing repeats
  after=$(processor_seconds)
  awk -v a="$after" -v b="$before" 'BEGIN { printf "server processor seconds: %.2f\n", a - b }'
}
run 'one client' --clients 1 --warmup 200 --duration 20
run '16 clients' --clients 16 --warmup 200 --duration 20
run 'open loop, 100/s' --rate 100 --clients 64 --duration 15
run 'open loop, 300/s' --rate 300 --clients 64 --duration 15
for colour in red blue black white green; do
  for thing in dress shirt jacket trousers skirt sweater shorts hat bag socks; do
    printf '%s %s\n%s %s for women\n' "$colour" "$thing" "$colour" "$thing"
  done
done >"$asked"
run 'kept lists, one client' --queries "$asked" --repeat --clients 1 --warmup 200 --duration 10
run 'kept lists, 16 clients' --queries "$asked" --repeat --clients 16 --warmup 200 --duration 10
printf '\nresident memory after the load: %s kB\n' "$(sed -n 's/VmRSS:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$server/status")"
grep -E '^(Rss|Pss_Anon|Pss_File):' "/proc/$server/smaps_rollup"
exit "$status"
