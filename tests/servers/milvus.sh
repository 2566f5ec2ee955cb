#!/usr/bin/env bash
# usage: milvus.sh start FOLDER [secured]      starts Milvus 2.3.5 (embedded etcd, RocksMQ, local storage); secured: with TLS, a
#                                              certificate for localhost and 127.0.0.1, and the user root (password Milvus)
#        milvus.sh kill FOLDER                 SIGKILL
#        milvus.sh restart FOLDER              starts it again on the same data, at the same port
#        milvus.sh pause FOLDER | resume FOLDER   SIGSTOP, SIGCONT
#        milvus.sh stop FOLDER
#
# start prints port (gRPC on 127.0.0.1) and pid (secured: ca_file, and other_ca_file of another authority), restart prints pid.
# Ends with 3 where Milvus cannot be had.
#
# Milvus binds its ports to every interface and has no setting against that, so it runs in a network namespace of its own,
# where only loopback exists; two relays publish its port on 127.0.0.1. The binaries come from the PyPI package `milvus`,
# checked by SHA-256, and are kept in SCALESTYLE_SERVER_CACHE (default: ~/.cache/scalestyle/servers).
set -euo pipefail

readonly verb=${1:-} folder=${2:-}
readonly cache=${SCALESTYLE_SERVER_CACHE:-$HOME/.cache/scalestyle/servers}
readonly package=$cache/milvus-2.3.5
readonly requirements=$(dirname "${BASH_SOURCE[0]}")/milvus_requirements.txt
readonly first_port=30000 port_span=2000
readonly ready_seconds=180

fail() {
  echo "milvus.sh: $*" >&2
  exit 1
}
cannot_be_had() {
  echo "milvus.sh: $*" >&2
  exit 3
}

# A zombie counts as gone: in a container nobody may reap it.
alive() {
  case $(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null) in '' | Z*) return 1 ;; esac
}

user_namespace() { [ "$(id -u)" = 0 ] || echo -r; }
inside() { nsenter -t "$1" -n $([ "$(id -u)" = 0 ] || echo -U --preserve-credentials) "${@:2}"; }

# The binaries, unpacked: installed by a rename, so that an interrupted run leaves nothing half done.
fetch() {
  [ "$(uname -s) $(uname -m)" = "Linux x86_64" ] || cannot_be_had "there is no Milvus package for $(uname -s) $(uname -m)"
  local tool
  for tool in python3 unshare nsenter ip socat curl flock openssl; do
    command -v "$tool" >/dev/null || cannot_be_had "$tool is not installed"
  done
  unshare -n $(user_namespace) true 2>/dev/null || cannot_be_had "this machine gives no network namespaces"
  [ ! -f "$package/complete" ] || return 0
  mkdir -p "$cache"
  (
    flock 9
    [ ! -f "$package/complete" ] || exit 0
    work=$(mktemp -d "$cache/milvus.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    python3 -m pip --disable-pip-version-check -q install --no-deps --require-hashes --only-binary :all: \
      --root-user-action ignore --target "$work/package" -r "$requirements" >&2 || exit 3
    PYTHONPATH=$work/package python3 -c 'import sys, milvus; milvus._initialize_data_files(sys.argv[1])' "$work" >&2
    rm -f "$work"/package/milvus/data/bin/*.lzma # unpacked
    touch "$work/complete"
    chmod 755 "$work"
    rm -rf "$package"
    mv "$work" "$package"
  ) 9>"$cache/milvus.lock" || cannot_be_had "the package could not be fetched"
}

configure() { # key=value…
  PYTHONPATH=$package/package python3 - "$folder/data" "$@" <<'PY'
import socket, sys, milvus
server = milvus.MilvusServer()
server.set_base_dir(sys.argv[1])
for setting in sys.argv[2:]:
    key, value = setting.split('=', 1)
    server.config.set(key, value)
# Inside the namespace every port is free: the usual numbers stay.
server.config.try_bind_port = lambda port: socket.socket()
server.config.resolve()
PY
}

authority() { # NAME: a key and a certificate of its own
  openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj "/CN=$1" -keyout "$folder/$1.key" -out "$folder/$1.pem" 2>/dev/null
}

certificates() {
  authority ca
  authority other
  openssl req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout "$folder/server.key" -out "$folder/server.csr" 2>/dev/null
  openssl x509 -req -in "$folder/server.csr" -CA "$folder/ca.pem" -CAkey "$folder/ca.key" -CAcreateserial -days 30 \
    -extfile <(echo 'subjectAltName=DNS:localhost,IP:127.0.0.1') -out "$folder/server.pem" 2>/dev/null
  echo "ca_file=$folder/ca.pem"
  echo "other_ca_file=$folder/other.pem"
}

# relay NAME COMMAND…: in a process group of its own, with its children.
relay() {
  setsid "${@:2}" </dev/null >/dev/null 2>&1 &
  echo $! >"$folder/$1.pid"
}

launch() {
  rm -f "$folder/grpc.sock"
  (
    cd "$folder/data"
    export DEPLOY_MODE=STANDALONE METRICS_PORT=9091 MILVUS_RUN_DIR=$folder/data/run LD_LIBRARY_PATH=$package/bin
    exec unshare -n $(user_namespace) sh -c 'ip link set lo up && exec "$0" run standalone' "$package/bin/milvus" \
      >>"$folder/milvus.log" 2>&1 </dev/null
  ) &
  local pid=$! try
  echo "$pid" >"$folder/milvus.pid"
  # inside() would be in our own namespace as long as unshare has not run.
  for try in $(seq 200); do
    [ "$(readlink "/proc/$pid/ns/net")" != "$(readlink /proc/self/ns/net)" ] && break
    sleep 0.05
  done
  for ((try = 0; ; try++)); do
    inside "$pid" sh -c 'test "$(curl -fs -m 2 http://127.0.0.1:9091/healthz)" = OK' 2>/dev/null && break
    if ! alive "$pid" || [ "$try" -ge $((ready_seconds * 10)) ]; then
      tail -n 30 "$folder/milvus.log" >&2
      fail "Milvus did not start"
    fi
    sleep 0.1
  done
  relay inner nsenter -t "$pid" -n $([ "$(id -u)" = 0 ] || echo -U --preserve-credentials) \
    socat "UNIX-LISTEN:$folder/grpc.sock,fork" TCP:127.0.0.1:19530,nodelay
  for try in $(seq 200); do
    [ -S "$folder/grpc.sock" ] && break
    sleep 0.05
  done
  [ -S "$folder/grpc.sock" ] || fail "the relay did not start"
  echo "pid=$pid"
}

publish() {
  local try port
  for try in $(seq 50); do
    port=$((first_port + RANDOM % port_span))
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && continue
    relay outer socat "TCP-LISTEN:$port,bind=127.0.0.1,fork,reuseaddr,nodelay" "UNIX-CONNECT:$folder/grpc.sock"
    sleep 0.3
    if alive "$(cat "$folder/outer.pid")"; then
      echo "port=$port"
      return
    fi
  done
  fail "no free port"
}

end_group() { # NAME: a relay and its children
  [ ! -f "$folder/$1.pid" ] || kill -9 -- "-$(cat "$folder/$1.pid")" 2>/dev/null || true
  rm -f "$folder/$1.pid"
}

end_server() { # SIGNAL
  local pid try
  pid=$(cat "$folder/milvus.pid" 2>/dev/null) || return 0
  kill "-$1" "$pid" 2>/dev/null || true
  [ "$1" != KILL ] && kill -CONT "$pid" 2>/dev/null
  for try in $(seq 30); do
    alive "$pid" || break
    sleep 0.1
  done
  # It often hangs on its way out.
  if alive "$pid"; then kill -9 "$pid" 2>/dev/null || true; fi
  rm -f "$folder/milvus.pid"
}

[ -d "$folder" ] || fail "there is no folder \"$folder\""
case $verb in
  start)
    fetch
    mkdir -p "$folder/data"
    case ${3:-} in
      '') configure ;;
      secured)
        certificates
        configure common.security.authorizationEnabled=true common.security.tlsMode=1 \
          "tls.serverPemPath=$folder/server.pem" "tls.serverKeyPath=$folder/server.key" "tls.caPemPath=$folder/ca.pem"
        ;;
      *) fail "unknown kind \"$3\"" ;;
    esac
    launch
    publish
    ;;
  kill)
    end_server KILL
    end_group inner
    ;;
  restart) launch ;;
  pause) kill -STOP "$(cat "$folder/milvus.pid")" ;;
  resume) kill -CONT "$(cat "$folder/milvus.pid")" ;;
  stop)
    end_server TERM
    end_group inner
    end_group outer
    ;;
  *) fail "the first argument is start, kill, restart, pause, resume or stop" ;;
esac
