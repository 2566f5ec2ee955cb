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

mapfile -t questions < <(sed -nE 's/^ +((curl|id=).*)/\1/p' "$log")
[ "${#questions[@]}" = 9 ] || fail "expected nine lines to try, found ${#questions[@]}"
# One shell for all, as a person's: the lines follow from each other. A NUL ends each answer.
{
  echo 'set -e; curl() { command curl --fail --max-time 10 "$@"; }'
  for question in "${questions[@]}"; do printf '%s\nprintf "\\0"\n' "$question"; done
} >"$work_dir/questions"
bash "$work_dir/questions" >"$work_dir/answers" || fail "a line failed: $(tr '\0' '\n' <"$work_dir/answers" | tail -2)"
python3 - "$work_dir/answers" <<'EOF' || fail "an answer is not what it must be"
import json, sys
jacket, beach, metrics, chosen, click, again, trending, export, forgotten, end = open(sys.argv[1]).read().split("\0")
assert chosen == "" and end == "" and "scalestyle_" in metrics
for text in (jacket, beach, again, trending):
    answer = json.loads(text)
    assert answer["status"] == "success" and answer["data"] and not answer["degraded"], answer
    assert all(article["article_id"] and article["product_name"] for article in answer["data"])
click, again, trending, export, forgotten = map(json.loads, (click, again, trending, export, forgotten))
assert click["status"] == "success" and click["token"] and click["event_id"], click
boosted = [article for article in again["data"] if article.get("boosted_by") == "recent_click"]
assert len(boosted) == 1 and boosted[0]["behaviorScore"] > 0, again
assert trending["data"][0]["article_id"] == boosted[0]["article_id"], trending
assert export["data"]["user_id"] == "ann" and len(export["data"]["events"]) == 1, export
assert forgotten["status"] == "success", forgotten
EOF

kill -INT -- "-$demo"
deadline=$((SECONDS + stop_wait_seconds))
while kill -0 "$demo" 2>/dev/null; do
  [ "$SECONDS" -lt "$deadline" ] || fail "make demo still ran $stop_wait_seconds s after the interrupt"
  sleep 0.1
done
demo=
if curl -s -o /dev/null --max-time 2 "http://127.0.0.1:$port/live"; then fail "the server outlived make demo"; fi
# An interrupted make 4.3 can lose the race for its own child's end, and says so; that is no error of the demo.
if grep '\*\*\* ' "$log" | grep -qv -e 'wait: No child processes' -e 'Waiting for unfinished jobs'; then
  fail "make reported an error"
fi
echo "demo test: 1 demo run, its ${#questions[@]} questions answered, stopped cleanly"
