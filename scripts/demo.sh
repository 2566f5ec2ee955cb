#!/usr/bin/env bash
# Serves a catalogue until interrupted: the sample one, or ARTICLES=FILE [IMAGES=FOLDER] [TRANSACTIONS=FILE].
# Settings come from the environment (the Makefile exports them): DEMO_DATA, PORT, PRODUCTS, SEED.
# The second run finds the sample and the ingested catalogue as the first left them.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly program=$PWD/build/release/scalestyle ready_wait_seconds=120
data=${DEMO_DATA:-build/demo} port=${PORT:-8080} products=${PRODUCTS:-1000} seed=${SEED:-1}
articles=${ARTICLES:-} images=${IMAGES:-} transactions=${TRANSACTIONS:-}
url=http://127.0.0.1:$port
server=

fail() {
  printf 'demo: %s\n' "$*" >&2
  exit 1
}

stop_server() {
  trap '' INT TERM
  [ -n "$server" ] || return 0
  kill -TERM "$server" 2>/dev/null || true
  wait "$server" || true
  server=
}

# What the ingested catalogue was made from: when it changes, it is ingested again.
fingerprint() {
  local path
  for path in "$@"; do
    [ -z "$path" ] || printf '%s %s\n' "$(realpath "$path")" "$(stat -c '%s %Y' "$path")"
  done
}

make_sample() {
  local folder=$data/sample wanted="products $products seed $seed"
  if [ "$(cat "$folder.made" 2>/dev/null)" != "$wanted" ]; then
    echo "Making a sample catalogue of $products products …"
    rm -rf "$folder" "$folder.made"
    "$program" sample --out "$folder" --products "$products" --seed "$seed"
    printf '%s\n' "$wanted" >"$folder.made"
  fi
  articles=$folder/articles.csv images=$folder/images transactions=$folder/transactions.csv
}

ingest() {
  local made_from="$data/ingested_from" wanted
  wanted=$(fingerprint "$articles" "$images" "$transactions")
  if [ -e "$data/CURRENT" ] && [ "$(cat "$made_from" 2>/dev/null)" = "$wanted" ]; then return 0; fi
  local -a arguments=(--data "$data" --articles "$articles")
  [ -z "$images" ] || arguments+=(--images "$images")
  [ -z "$transactions" ] || arguments+=(--transactions "$transactions")
  rm -f "$made_from"
  "$program" ingest "${arguments[@]}"
  printf '%s\n' "$wanted" >"$made_from"
}

wait_until_ready() {
  local deadline=$((SECONDS + ready_wait_seconds))
  until curl -fs -o /dev/null --max-time 5 "$url/ready"; do
    kill -0 "$server" 2>/dev/null || fail "the server stopped; its message is above"
    [ "$SECONDS" -lt "$deadline" ] || fail "the server was not ready after $ready_wait_seconds s"
    sleep 0.1
  done
}

for path in "$articles" "$images" "$transactions"; do
  [ -z "$path" ] || [ -e "$path" ] || fail "there is no $path"
done
[ -n "$articles" ] || [ -z "$images$transactions" ] || fail "IMAGES and TRANSACTIONS go with ARTICLES=FILE"
if curl -s -o /dev/null --max-time 2 "$url/live"; then fail "port $port is taken; choose another: make demo PORT=…"; fi

trap 'exit 0' INT TERM
trap stop_server EXIT
mkdir -p "$data"
[ -n "$articles" ] || make_sample
ingest

# In its own session, so that ^C reaches it once, through this script; it is told to end when this script is killed.
setsid setpriv --pdeathsig TERM "$program" serve --data "$data" --port "$port" &
server=$!
wait_until_ready
cat <<EOF

Try these in another terminal (^C here stops the server):

  curl -s '$url/api/recommendation/search?query=warm+winter+jacket&k=5'
  curl -s '$url/api/recommendation/search?query=something+light+for+the+beach&colour=White&k=5'
  curl -s '$url/metrics'

Ann looks for shoes and clicks the last one; then she asks again:

  id=\$(curl -s '$url/api/recommendation/search?query=shoes&k=5' | grep -oE '"article_id":"[^"]*"' | tail -1 | cut -d'"' -f4)
  curl -s --json "{\\"user_id\\":\\"ann\\",\\"item_id\\":\\"\$id\\",\\"source\\":\\"search\\"}" '$url/api/events/click'
  curl -s '$url/api/recommendation/search?query=shoes&k=5&userId=ann'
  curl -s '$url/api/recommendation/trending?window=1h&k=5'
  curl -s '$url/api/users/ann'
  curl -s -X DELETE '$url/api/users/ann'

EOF
wait "$server" && status=0 || status=$?
server=
exit "$status"
