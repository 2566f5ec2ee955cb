#!/usr/bin/env bash
# usage: milvus_lite.sh start FOLDER   starts milvus-lite 3.2.2 (Python and FAISS; gRPC) on a port of 127.0.0.1 that is free
#        milvus_lite.sh kill FOLDER    SIGKILL
#        milvus_lite.sh restart FOLDER     starts it again on the same data, at the same port
#        milvus_lite.sh pause FOLDER | resume FOLDER   SIGSTOP, SIGCONT
#        milvus_lite.sh stop FOLDER
#
# start prints port and pid, restart prints pid. Ends with 3 where it cannot be had. The packages (PyPI, checked by SHA-256)
# are kept in SCALESTYLE_SERVER_CACHE (default: ~/.cache/scalestyle/servers).
set -euo pipefail

readonly verb=${1:-} folder=${2:-}
readonly cache=${SCALESTYLE_SERVER_CACHE:-$HOME/.cache/scalestyle/servers}
readonly package=$cache/milvus-lite-3.2.2
readonly requirements=$(dirname "${BASH_SOURCE[0]}")/milvus_lite_requirements.txt
readonly first_port=32000 port_span=700
readonly ready_seconds=120

fail() {
  echo "milvus_lite.sh: $*" >&2
  exit 1
}
cannot_be_had() {
  echo "milvus_lite.sh: $*" >&2
  exit 3
}

# A zombie counts as gone: in a container nobody may reap it.
alive() {
  case $(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null) in '' | Z*) return 1 ;; esac
}
answers() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

fetch() {
  command -v flock >/dev/null || cannot_be_had "flock is not installed"
  python3 -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null \
    || cannot_be_had "its packages are pinned for Python 3.11, which this machine does not have"
  [ "$(uname -s) $(uname -m)" = "Linux x86_64" ] || cannot_be_had "its packages are pinned for Linux on x86-64"
  [ ! -f "$package/complete" ] || return 0
  mkdir -p "$cache"
  (
    flock 9
    [ ! -f "$package/complete" ] || exit 0
    work=$(mktemp -d "$cache/milvus_lite.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    python3 -m pip --disable-pip-version-check -q install --no-deps --require-hashes --only-binary :all: \
      --root-user-action ignore --target "$work/package" -r "$requirements" >&2 || exit 3
    touch "$work/complete"
    chmod 755 "$work"
    rm -rf "$package"
    mv "$work" "$package"
  ) 9>"$cache/milvus_lite.lock" || cannot_be_had "the packages could not be fetched"
}

# launch PORT: until it answers there.
launch() {
  local pid try
  PYTHONPATH=$package/package python3 -c 'import sys; from milvus_lite.cmdline import main; sys.exit(main())' \
    server --data-dir "$folder/data" --host 127.0.0.1 --port "$1" >>"$folder/log" 2>&1 </dev/null &
  pid=$!
  echo "$pid" >"$folder/pid"
  for ((try = 0; ; try++)); do
    answers "$1" && break
    if ! alive "$pid" || [ "$try" -ge $((ready_seconds * 10)) ]; then
      tail -n 20 "$folder/log" >&2
      fail "milvus-lite did not start"
    fi
    sleep 0.1
  done
  echo "pid=$pid"
}

end_server() { # SIGNAL
  local pid try
  pid=$(cat "$folder/pid" 2>/dev/null) || return 0
  kill "-$1" "$pid" 2>/dev/null || true
  [ "$1" != KILL ] && kill -CONT "$pid" 2>/dev/null
  for try in $(seq 50); do
    alive "$pid" || break
    sleep 0.1
  done
  if alive "$pid"; then kill -9 "$pid" 2>/dev/null || true; fi
  rm -f "$folder/pid"
}

[ -d "$folder" ] || fail "there is no folder \"$folder\""
case $verb in
  start)
    fetch
    for try in $(seq 50); do
      port=$((first_port + RANDOM % port_span))
      answers "$port" || break
    done
    echo "$port" >"$folder/port"
    launch "$port"
    echo "port=$port"
    ;;
  kill) end_server KILL ;;
  restart) launch "$(cat "$folder/port")" ;;
  pause) kill -STOP "$(cat "$folder/pid")" ;;
  resume) kill -CONT "$(cat "$folder/pid")" ;;
  stop) end_server TERM ;;
  *) fail "the first argument is start, kill, restart, pause, resume or stop" ;;
esac
