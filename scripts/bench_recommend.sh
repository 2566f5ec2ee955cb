#!/usr/bin/env bash
# usage: bench_recommend.sh DATA [serve options…] : lists without a query, over HTTP, one client, closed loop, on a copy of the data
# folder DATA (a catalogue ingested with --transactions, so that neighbours are known).
# USERS (1000000) users get EVENTS_A_USER (2) events first, imported into the log. Then for-you of users drawn at random, similar
# and complete-the-look of articles drawn at random, none asked for twice, and rising articles. Exits 1 when an answer was bad.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

[ $# -ge 1 ] || {
  sed -n 's/^# usage: /usage: /p' "${BASH_SOURCE[0]}" >&2
  exit 2
}
data=$1
shift
build=${BUILD:-build/release} users=${USERS:-1000000} events_a_user=${EVENTS_A_USER:-2}
program=$build/scalestyle load=$build/scalestyle-load
work=$(mktemp -d "${TMPDIR:-/tmp}/scalestyle-bench-recommend-XXXXXX")
server=
clean_up() {
  [ -z "$server" ] || kill -KILL "$server" 2>/dev/null || true
  rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

# Hard links: a generation's files are never changed, and events are the copy's own.
mkdir "$work/data"
cp "$data/CURRENT" "$work/data/"
cp -rl "$data/generations" "$work/data/"
catalogue=$data/generations/$(cat "$data/CURRENT")/catalog.db
python3 -B - "$catalogue" "$work" "$users" "$events_a_user" <<'PYTHON'
import json, random, sqlite3, sys, time
catalogue, work, users, events = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
rows = sqlite3.connect(f"file:{catalogue}?mode=ro&immutable=1", uri=True).execute(
    "SELECT article_id, product_type_name FROM article WHERE available ORDER BY purchase_count DESC, article_id").fetchall()
articles = [row[0] for row in rows]
rng = random.Random(20201126)
now = 1000 * (int(time.time()) - 60)
types = [("click", 1), ("click", 1), ("click", 1), ("add_to_cart", 3), ("purchase", 5)]
with open(f"{work}/events.jsonl", "w", encoding="utf-8") as out:
    for number in range(users * events):
        article, category = rows[int(len(rows) * rng.random() ** 3)]
        when = now - int(86_400_000 * 3 * rng.random())
        kind, weight = rng.choice(types)
        out.write(json.dumps({"event_id": f"bench-{number}", "event_type": kind, "event_time_ms": when, "received_time_ms": when,
                              "user_id": f"user-{number % users}", "item_id": article, "category": category,
                              "weight": weight, "source": "browse"}) + "\n")
with open(f"{work}/users", "w", encoding="utf-8") as out:
    out.writelines(f"user-{user}\n" for user in rng.sample(range(users), min(users, 20_000)))
with open(f"{work}/articles", "w", encoding="utf-8") as out:
    out.writelines(f"{article}\n" for article in rng.sample(articles, min(len(articles), 20_000)))
with open(f"{work}/more", "w", encoding="utf-8") as out:
    out.writelines(f"{article}\n" for article in rng.sample(articles, min(len(articles), 20_000)))
PYTHON
"$program" doctor | sed -n '3,4p'
printf '\n== %s users with %s events each\n' "$users" "$events_a_user"
time "$program" events import --data "$work/data" --in "$work/events.jsonl"
log=$work/log
"$program" serve --data "$work/data" --port 0 --log-format json "$@" 2>"$log" &
server=$!
until port=$(sed -n 's/.*"message":"ready".*"port":\([0-9]*\).*/\1/p' "$log") && [ -n "$port" ]; do
  kill -0 "$server" || { cat "$log" >&2; exit 1; }
  sleep 0.05
done
grep '"message":"ready"' "$log"

status=0
run() { # name, path, file, options…
  local name=$1 path=$2 file=$3
  shift 3
  printf '\n== %s\n' "$name"
  "$load" --port "$port" --path-template "/api/recommendation/$path" --queries "$file" --warmup 200 --duration 15 "$@" || status=1
}
run 'for-you' 'for-you?userId={query}&k=12' "$work/users"
run 'similar, each article once' 'similar/{query}?k=12' "$work/articles" --allow-empty
run 'similar by what was bought' 'similar/{query}?k=12&by=bought' "$work/more" --allow-empty
run 'complete the look' 'complete-the-look/{query}' "$work/articles" --allow-empty
echo 24h >"$work/window"
run 'rising' 'trending?order=rising&window={query}&k=12' "$work/window" --repeat
printf '\nresident memory after the load: %s kB\n' "$(sed -n 's/VmRSS:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$server/status")"
kill -TERM "$server"
wait "$server" || status=1
server=
exit "$status"
