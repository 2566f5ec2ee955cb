#!/usr/bin/env bash
# Runs `make demo` as a person would: waits for the curl lines it prints, asks each, checks the answers, then
# interrupts it and expects it to end within 10 s. DEMO_PRODUCTS, DEMO_PORT and DEMO_FOLDER change the defaults.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

readonly start_wait_seconds=1800 stop_wait_seconds=10
port=${DEMO_PORT:-18080} products=${DEMO_PRODUCTS:-300}
work_dir=$(mktemp -d)
log=$work_dir/log
data=${DEMO_FOLDER:-$work_dir/data}
demo=

fail() {
  printf 'demo test: %s\n' "$*" >&2
  sed 's/^/  | /' "$log" >&2
  exit 1
}

clean_up() {
  [ -z "$demo" ] || kill -KILL -- "-$demo" 2>/dev/null || true
  rm -rf "$work_dir"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

# A process group of its own, so that an interrupt reaches make and all below it, as it does from a terminal.
unset MAKEFLAGS MAKELEVEL
set -m
make demo PORT="$port" DEMO_DATA="$data" PRODUCTS="$products" >"$log" 2>&1 </dev/null &
demo=$!
set +m

deadline=$((SECONDS + start_wait_seconds))
until grep -qs '\^C here stops' "$log"; do
  kill -0 "$demo" 2>/dev/null || { demo=; fail "make demo ended before it served"; }
  [ "$SECONDS" -lt "$deadline" ] || fail "make demo did not serve within $start_wait_seconds s"
  sleep 0.2
done
sleep 0.5
echo "demo test: serving after $SECONDS s"

mapfile -t questions < <(sed -nE 's/^ +(curl .*)/\1/p' "$log")
[ "${#questions[@]}" = 3 ] || fail "expected three curl lines, found ${#questions[@]}"
for question in "${questions[@]}"; do
  answer=$(bash -c "$question --fail --max-time 10") || fail "failed: $question"
  case $question in
    */search*)
      python3 -c '
import json, sys
answer = json.loads(sys.argv[1])
assert answer["status"] != "error", answer
assert answer["data"], "no article found"
assert all(article["article_id"] and article["product_name"] for article in answer["data"])
' "$answer" || fail "not a good answer: $question: $answer"
      ;;
    *) [ -n "$answer" ] || fail "empty answer: $question" ;;
  esac
done

kill -INT -- "-$demo"
deadline=$((SECONDS + stop_wait_seconds))
while kill -0 "$demo" 2>/dev/null; do
  [ "$SECONDS" -lt "$deadline" ] || fail "make demo still ran $stop_wait_seconds s after the interrupt"
  sleep 0.1
done
demo=
if curl -s -o /dev/null --max-time 2 "http://127.0.0.1:$port/live"; then fail "the server outlived make demo"; fi
if grep -q '\*\*\* ' "$log"; then fail "make reported an error"; fi
echo "demo test: 1 demo run, its ${#questions[@]} questions answered, stopped cleanly"
