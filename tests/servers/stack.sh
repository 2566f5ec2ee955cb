#!/usr/bin/env bash
# The whole service on one machine: Kafka, Redis, perhaps Milvus, and the roles of the program that use them, on free ports of
# the loopback address.
#
#   stack.sh start FOLDER [--brokers 1|3] [--redis standalone|cluster] [--milvus no|yes|lite] [--gateways 1|2] [--consumers 1|2]
#                         [--inference no|yes] [--catalog embedded|redis]
#   stack.sh stop FOLDER
#   stack.sh status FOLDER                                       what runs, and what each role says of its readiness
#   stack.sh kill|pause|continue|restart|end FOLDER ROLE         one role: SIGKILL, SIGSTOP, SIGCONT, again (ready when it returns),
#                                                                SIGTERM
#   stack.sh run FOLDER COMMAND…                                 the program, with the settings of this stack
#
# FOLDER must exist. start ends when everything is ready and prints name=value lines: program, config (the settings, for --config
# of any command), kafka, redis, milvus, and of each role NAME.port and NAME.pid; NAME is gateway-1, consumer-1, retry, inference …
# SCALESTYLE_PROGRAM names the program (default: build/release/scalestyle). The catalogue is a sample of PRODUCTS (default 40)
# products; ARTICLES, TRANSACTIONS and IMAGES name files of a real one, DATA a data folder that has it already and is copied. Other
# SCALESTYLE_ variables reach every role.
# Ends with 3 where a server cannot be had.
set -euo pipefail
export LC_ALL=C

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
verb=${1:?usage: stack.sh VERB FOLDER …} folder=${2:?usage: stack.sh VERB FOLDER …}
readonly ready_seconds=120 end_seconds=30

fail() {
  echo "stack.sh: $*" >&2
  exit 1
}
[ -d "$folder" ] || fail "'$folder' is no folder"
folder=$(cd "$folder" && pwd)
readonly config=$folder/scalestyle.conf roles=$folder/roles
program=${SCALESTYLE_PROGRAM:-$(cat "$folder/program" 2>/dev/null || echo "$here/../../build/release/scalestyle")}

# Its variables that are no settings would be refused by the program.
scalestyle() { env -u SCALESTYLE_PROGRAM -u SCALESTYLE_SERVER_CACHE "$program" "$@"; }

# A zombie counts as gone: in a container nobody may reap it. A pid may have gone to another process.
alive() { # role
  local pid
  pid=$(cat "$roles/$1/pid" 2>/dev/null) || return 1
  case $(sed 's/.*) //' "/proc/$pid/stat" 2>/dev/null) in '' | Z*) return 1 ;; esac
  grep -qzFx -- "$config" "/proc/$pid/cmdline" 2>/dev/null
}
signal() { # signal, role
  if alive "$2"; then kill "-$1" "$(cat "$roles/$2/pid")"; fi
}

free_ports() { # count
  python3 - "$1" <<'PYTHON'
import socket, sys
held = [socket.socket() for _ in range(int(sys.argv[1]))]
for one in held:
    one.bind(("127.0.0.1", 0))
print(*(one.getsockname()[1] for one in held))
PYTHON
}

# What a server's script prints, as name_… variables of this shell.
declare -A printed=()
begin_server() { # name, script, argument…
  local name=$1 line status=0
  mkdir -p "$folder/$name"
  echo "$2" >"$folder/$name/script"
  "$here/$2" start "$folder/$name" "${@:3}" >"$folder/$name/printed" || status=$?
  [ "$status" = 0 ] || exit "$status"
  while IFS= read -r line; do printed[$name.${line%%=*}]=${line#*=}; done <"$folder/$name/printed"
}

launch() { # role
  local dir=$roles/$1 arguments=()
  mapfile -d '' -t arguments <"$dir/arguments"
  env -u SCALESTYLE_PROGRAM -u SCALESTYLE_SERVER_CACHE "$program" "${arguments[@]}" >>"$dir/log" 2>&1 </dev/null &
  echo $! >"$dir/pid"
  disown
}
await() { # role
  local dir=$roles/$1 until=$((SECONDS + ready_seconds))
  until curl -fs -m 2 -o "$dir/ready" "http://127.0.0.1:$(cat "$dir/port")/ready"; do
    # The program's own name appears when the shell's child has become it.
    if { [ "$SECONDS" -ge $((until - ready_seconds + 2)) ] && ! alive "$1"; } || [ "$SECONDS" -ge "$until" ]; then
      tail -n 20 "$dir/log" >&2
      fail "$1 did not get ready"
    fi
    sleep 0.1
  done
}
define() { # role, port, command and flags…
  mkdir -p "$roles/$1"
  echo "$2" >"$roles/$1/port"
  printf '%s\0' "${@:3}" --config "$config" --port "$2" --log-format json >"$roles/$1/arguments"
}
role_names() { (cd "$roles" 2>/dev/null && ls) || true; }

end_role() { # role
  local until=$((SECONDS + end_seconds))
  signal CONT "$1"
  signal TERM "$1"
  while alive "$1"; do
    [ "$SECONDS" -lt "$until" ] || signal KILL "$1"
    sleep 0.05
  done
}

stop_all() {
  local role name
  for role in $(role_names); do signal KILL "$role"; done
  for name in milvus redis kafka; do
    [ ! -f "$folder/$name/script" ] || "$here/$(cat "$folder/$name/script")" stop "$folder/$name" || true
  done
}

write_config() {
  {
    echo "event_log = kafka"
    echo "feature_store = redis"
    echo "kafka_brokers = ${printed[kafka.bootstrap]}"
    echo "redis_nodes = $(sed 's/[0-9]*/127.0.0.1:&/; s/,/,127.0.0.1:/g' <<<"${printed[redis.ports]}")"
    echo "data = $folder/data"
    [ "$catalog" = embedded ] || echo "catalog_store = redis"
    [ "$milvus" = no ] || printf '%s\n' "vector_store = milvus" "milvus_address = 127.0.0.1:${printed[milvus.port]}"
  } >"$config"
}

ingest() {
  local to=() arguments=() articles=${ARTICLES:-$folder/sample/articles.csv}
  if [ -z "${ARTICLES:-}" ]; then
    scalestyle sample --out "$folder/sample" --products "${PRODUCTS:-40}" --seed 7 >"$folder/sample.log"
    arguments=(--transactions "$folder/sample/transactions.csv" --images "$folder/sample/images" --currency EUR)
  fi
  [ -z "${TRANSACTIONS:-}" ] || arguments+=(--transactions "$TRANSACTIONS")
  [ -z "${IMAGES:-}" ] || arguments+=(--images "$IMAGES")
  [ "$catalog" = embedded ] || to+=(redis)
  [ "$milvus" = no ] || to+=(milvus)
  if [ -n "${DATA:-}" ]; then
    cp -r "$DATA" "$folder/data"
    [ ${#to[@]} -gt 0 ] || return 0
    arguments+=(--update)
  fi
  if [ ${#to[@]} -gt 0 ]; then arguments+=(--to "$(IFS=, && echo "${to[*]}")"); fi
  scalestyle ingest --config "$config" --articles "$articles" "${arguments[@]}" >"$folder/ingest.log" 2>&1 || {
    tail -n 20 "$folder/ingest.log" >&2
    fail "the catalogue could not be made"
  }
}

start() {
  local brokers=1 redis=standalone gateways=1 consumers=1 inference=no i role ports
  milvus=no catalog=embedded
  while [ $# -gt 0 ]; do
    case $1=${2:-} in
      --brokers=[13]) brokers=$2 ;;
      --redis=standalone | --redis=cluster) redis=$2 ;;
      --milvus=no | --milvus=yes | --milvus=lite) milvus=$2 ;;
      --gateways=[12]) gateways=$2 ;;
      --consumers=[12]) consumers=$2 ;;
      --inference=no | --inference=yes) inference=$2 ;;
      --catalog=embedded | --catalog=redis) catalog=$2 ;;
      *) echo "stack.sh: start does not take $1 ${2:-}" >&2; exit 2 ;;
    esac
    shift 2
  done
  [ -x "$program" ] || fail "there is no program '$program' (SCALESTYLE_PROGRAM)"
  [ ! -e "$config" ] || fail "'$folder' has a stack already"
  realpath "$program" >"$folder/program"
  # A stack that does not come up leaves nothing running.
  trap 'stop_all' EXIT
  case $milvus in
    yes) begin_server milvus milvus.sh ;;
    lite) begin_server milvus milvus_lite.sh ;;
  esac
  begin_server redis redis.sh "$([ "$redis" = cluster ] && echo cluster || echo plain)"
  begin_server kafka kafka.sh "$brokers"
  write_config
  ingest
  read -ra ports <<<"$(free_ports 8)"
  if [ "$inference" = yes ]; then
    define inference "${ports[0]}" inference
    echo "inference_url = http://127.0.0.1:${ports[0]}" >>"$config"
    launch inference
    await inference
  fi
  for ((i = 1; i <= consumers; i++)); do define "consumer-$i" "${ports[i]}" consumer --mode primary; done
  define retry "${ports[3]}" consumer --mode retry
  # A gateway holds the folder of an embedded catalogue for itself.
  for ((i = 1; i <= gateways; i++)); do
    if [ "$i" -gt 1 ] && [ "$catalog" = embedded ]; then
      cp -r "$folder/data" "$folder/data-$i"
      define "gateway-$i" "${ports[3 + i]}" gateway --data "$folder/data-$i"
    else
      define "gateway-$i" "${ports[3 + i]}" gateway
    fi
  done
  for role in $(role_names); do [ "$role" = inference ] || launch "$role"; done
  for role in $(role_names); do await "$role"; done
  trap - EXIT
  printf '%s\n' "program=$(cat "$folder/program")" "config=$config" "kafka=${printed[kafka.bootstrap]}" "redis=${printed[redis.ports]}"
  [ "$milvus" = no ] || echo "milvus=${printed[milvus.port]}"
  for role in $(role_names); do printf '%s\n' "$role.port=$(cat "$roles/$role/port")" "$role.pid=$(cat "$roles/$role/pid")"; done
}

status() {
  local role state
  for role in $(role_names); do
    state=away
    if alive "$role"; then
      state=$(curl -s -m 2 "http://127.0.0.1:$(cat "$roles/$role/port")/ready") || state="no answer"
    fi
    echo "$role: $state"
  done
}

role=${3:-}
case $verb in
  start) start "${@:3}" ;;
  stop) stop_all ;;
  status) status ;;
  run) exec env -u SCALESTYLE_PROGRAM -u SCALESTYLE_SERVER_CACHE SCALESTYLE_CONFIG="$config" "$program" "${@:3}" ;;
  kill | pause | continue | restart | end)
    [ -f "$roles/${role:-none}/arguments" ] || fail "there is no role '$role'"
    case $verb in
      kill) signal KILL "$role" ;;
      pause) signal STOP "$role" ;;
      continue) signal CONT "$role" ;;
      end) end_role "$role" ;;
      restart)
        while alive "$role"; do
          signal KILL "$role"
          sleep 0.02
        done
        launch "$role"
        await "$role"
        echo "pid=$(cat "$roles/$role/pid")"
        ;;
    esac
    ;;
  *) echo "stack.sh: no such verb: $verb" >&2; exit 2 ;;
esac
