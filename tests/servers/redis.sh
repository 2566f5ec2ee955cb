#!/usr/bin/env bash
# usage: redis.sh start FOLDER plain|tls|cluster   starts servers on ports of 127.0.0.1 that are free
#        redis.sh stop FOLDER                      stops them
#        redis.sh kill FOLDER PORT | kill FOLDER master-of-slot N | kill FOLDER all     SIGKILL; prints killed=PORT
#        redis.sh restart FOLDER                   starts those again that do not run
#        redis.sh move-slot FOLDER N begin|finish  of a cluster: opens a slot's move to another master; moves its keys, ends it
#
# start prints one name=value a line: port, pid, ports (all, with commas).
#   plain    one server, no password
#   tls      one server that speaks TLS only, also on 127.0.0.2, with a certificate for localhost and 127.0.0.1; the default
#            user is off, `app` may touch the keys hm:* and use no dangerous command but INFO, `admin` may do everything.
#            Prints also ca_file, other_ca_file (of another authority), app_password, admin_password
#   cluster  3 masters and 3 replicas, node time-out 2 s
# Ends with 3 where Redis is not installed.
set -euo pipefail

readonly verb=${1:-} folder=${2:-}
readonly first_port=21000 port_span=9000  # below the ports that the system gives to clients

fail() {
  echo "redis.sh: $*" >&2
  exit 1
}

is_free() { ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# free_ports COUNT: the first of so many in a row that nobody listens on.
free_ports() {
  local try first i
  for try in $(seq 50); do
    first=$((first_port + (RANDOM * 32768 + RANDOM) % (port_span - $1)))
    for ((i = 0; i < $1; i++)); do is_free $((first + i)) || continue 2; done
    echo "$first"
    return
  done
  fail "no $1 free ports after $try attempts"
}

cli() {
  local port=$1
  shift
  if [ -f "$folder/cli-arguments" ]; then
    REDISCLI_AUTH=$(cat "$folder/admin-password") redis-cli -h 127.0.0.1 -p "$port" $(cat "$folder/cli-arguments") "$@"
  else
    redis-cli -h 127.0.0.1 -p "$port" "$@"
  fi
}

# A process that ended and was not yet asked for its status by its parent does not run.
runs() { grep -qs '^State:[[:space:]]*[^ZX]' "/proc/$1/status"; }
running() { [ -f "$folder/$1/redis.pid" ] && runs "$(cat "$folder/$1/redis.pid")"; }

# launch PORT: the server of FOLDER/PORT/redis.conf, until it answers.
launch() {
  local port=$1 try
  redis-server "$folder/$port/redis.conf" >/dev/null || return 1
  for try in $(seq 200); do
    [ "$(cli "$port" ping 2>/dev/null)" = PONG ] && return 0
    sleep 0.05
  done
  tail -n 20 "$folder/$port/redis.log" >&2
  return 1
}

# configure PORT: what all servers have in common; more comes from standard input.
configure() {
  mkdir -p "$folder/$1"
  {
    cat <<END
bind 127.0.0.1
dir $folder/$1
pidfile $folder/$1/redis.pid
logfile $folder/$1/redis.log
daemonize yes
save ""
appendonly no
maxmemory-policy noeviction
shutdown-timeout 0
END
    cat
  } >"$folder/$1/redis.conf"
}

make_authority() {
  openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj "/CN=$2" -keyout "$1.key" -out "$1.crt" 2>/dev/null
}

make_certificates() {
  local tls=$folder/tls
  mkdir -p "$tls"
  make_authority "$tls/ca" "authority of this test"
  make_authority "$tls/other" "another authority"
  openssl req -newkey rsa:2048 -nodes -subj /CN=redis -keyout "$tls/server.key" -out "$tls/server.csr" 2>/dev/null
  openssl x509 -req -in "$tls/server.csr" -CA "$tls/ca.crt" -CAkey "$tls/ca.key" -CAcreateserial -days 30 \
    -extfile <(echo "subjectAltName=DNS:localhost,IP:127.0.0.1") -out "$tls/server.crt" 2>/dev/null
}

digest() { printf %s "$1" | sha256sum | cut -d' ' -f1; }

start_plain() {
  local port
  port=$(free_ports 1)
  configure "$port" <<<"port $port"
  launch "$port"
  echo "port=$port"
}

start_tls() {
  local port app admin
  port=$(free_ports 1)
  app=$(openssl rand -hex 12) admin=$(openssl rand -hex 12)
  make_certificates
  configure "$port" <<END
port 0
tls-port $port
bind 127.0.0.1 127.0.0.2
tls-cert-file $folder/tls/server.crt
tls-key-file $folder/tls/server.key
tls-ca-cert-file $folder/tls/ca.crt
tls-auth-clients no
aclfile $folder/$port/users.acl
END
  cat >"$folder/$port/users.acl" <<END
user default off
user app on #$(digest "$app") ~hm:* &hm:* +@all -@dangerous -@admin +info
user admin on #$(digest "$admin") ~* &* +@all
END
  echo "--user admin --no-auth-warning --tls --cacert $folder/tls/ca.crt" >"$folder/cli-arguments"
  echo "$admin" >"$folder/admin-password"
  launch "$port"
  printf '%s\n' "port=$port" "ca_file=$folder/tls/ca.crt" "other_ca_file=$folder/tls/other.crt" \
    "app_password=$app" "admin_password=$admin"
}

start_cluster() {
  local first i port nodes=()
  first=$(free_ports 12)
  for i in 0 1 2 3 4 5; do
    port=$((first + i))
    configure "$port" <<END
port $port
cluster-enabled yes
cluster-config-file nodes.conf
cluster-port $((port + 6))
cluster-node-timeout 2000
cluster-announce-ip 127.0.0.1
cluster-replica-validity-factor 0
repl-diskless-sync-delay 0
END
    launch "$port"
    nodes+=("127.0.0.1:$port")
  done
  redis-cli --cluster create "${nodes[@]}" --cluster-replicas 1 --cluster-yes >"$folder/create.log" 2>&1 ||
    fail "$(cat "$folder/create.log")"
  for i in 0 1 2 3 4 5; do wait_for_cluster $((first + i)); done
  echo "port=$first"
}

wait_for_cluster() {
  local try
  for try in $(seq 600); do
    if cli "$1" cluster info 2>/dev/null | grep -q cluster_state:ok; then
      # All know each other, and every replica follows its master.
      [ "$(cli "$1" cluster nodes | grep -c slave)" = 3 ] &&
        cli "$1" info replication | grep -Eq 'state=online|master_link_status:up' && return
    fi
    sleep 0.05
  done
  fail "the cluster is not ready at $1 after $try looks"
}

ports_of() { (cd "$folder" && ls -d [0-9]* 2>/dev/null || true); }

print_servers() {
  local ports
  ports=$(ports_of)
  echo "ports=$(echo "$ports" | paste -sd,)"
  echo "pid=$(cat "$folder/$(echo "$ports" | head -n 1)/redis.pid")"
}

# end_all SIGNAL: with SIGKILL for those that do not heed it.
end_all() {
  local port pid pids=() try
  for port in $(ports_of); do
    running "$port" && pids+=("$(cat "$folder/$port/redis.pid")")
  done
  [ "${#pids[@]}" -eq 0 ] || kill -s "$1" "${pids[@]}"
  for pid in "${pids[@]}"; do
    for try in $(seq 200); do
      runs "$pid" || break
      [ "$try" != 100 ] || kill -9 "$pid"
      sleep 0.05
    done
  done
}

master_of_slot() {
  local port
  for port in $(ports_of); do
    running "$port" || continue
    cli "$port" cluster nodes | awk -v slot="$1" '$3 ~ /master/ && $3 !~ /fail/ {
      for (i = 9; i <= NF; i++) {
        n = split($i, range, "-")
        if (range[1] + 0 <= slot + 0 && slot + 0 <= range[n] + 0) { split($2, address, /[:@]/); print address[2]; exit }
      }
    }'
    return
  done
}

# must_be_ok PORT COMMAND…: until it is done; redis-cli ends with 0 whatever the server says.
must_be_ok() {
  local reply try
  for try in $(seq 10); do
    reply=$(cli "$@")
    case $reply in OK | NOKEY) return ;; esac
    sleep 0.2
  done
  fail "${*:2}: $reply (after $try attempts)"
}

# move_slot N begin|finish
move_slot() {
  local source target source_id target_id keys
  source=$(master_of_slot "$1")
  if [ "$2" = begin ]; then
    target=$(cli "$source" cluster nodes | awk '$3 == "master" { split($2, address, /[:@]/); print address[2]; exit }')
    echo "$target" >"$folder/move-target"
  fi
  target=$(cat "$folder/move-target")
  source_id=$(cli "$source" cluster myid) target_id=$(cli "$target" cluster myid)
  if [ "$2" = begin ]; then
    must_be_ok "$target" cluster setslot "$1" importing "$source_id"
    must_be_ok "$source" cluster setslot "$1" migrating "$target_id"
    return
  fi
  mapfile -t keys < <(cli "$source" cluster getkeysinslot "$1" 1000)
  if [ "${#keys[@]}" -gt 0 ]; then must_be_ok "$source" migrate 127.0.0.1 "$target" "" 0 5000 keys "${keys[@]}"; fi
  must_be_ok "$target" cluster setslot "$1" node "$target_id"
  must_be_ok "$source" cluster setslot "$1" node "$target_id"
}

kill_one() {
  local port=$1
  if [ "$port" = all ]; then
    end_all KILL
    return
  fi
  [ "$port" = master-of-slot ] && port=$(master_of_slot "$2")
  running "${port:-none}" || fail "no server runs at ${port:-that slot}"
  kill -9 "$(cat "$folder/$port/redis.pid")"
  while running "$port"; do sleep 0.01; done
  echo "killed=$port"
}

[ -n "$folder" ] && [ -d "$folder" ] || fail "'$folder' is no folder"
case $verb in
start)
  for tool in redis-server redis-cli openssl; do
    command -v "$tool" >/dev/null || {
      echo "redis.sh: $tool is not installed (packages redis-server, redis-tools, openssl)" >&2
      exit 3
    }
  done
  case ${3:-} in
  plain | tls | cluster) "start_$3" ;;
  *) fail "what to start is plain, tls or cluster" ;;
  esac
  print_servers
  ;;
stop) end_all TERM ;;
kill) kill_one "${3:-}" "${4:-}" ;;
move-slot) move_slot "${3:-}" "${4:-}" ;;
restart) for port in $(ports_of); do running "$port" || launch "$port"; done ;;
*) fail "what to do is start, stop, kill, restart or move-slot" ;;
esac
