#!/usr/bin/env bash
# Apache Kafka brokers for tests, on free ports of the loopback address.
#
#   kafka.sh start FOLDER 1|3      brokers without security; three of them replicate to all, two of three must be in sync
#   kafka.sh start FOLDER sasl     one broker that demands SASL over TLS: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512
#   kafka.sh stop FOLDER
#   kafka.sh kill|restart|pause|continue FOLDER NODE     one of the brokers, from 1: SIGKILL, again, SIGSTOP, SIGCONT
#
# start prints bootstrap=…, of sasl also ca_file, other_ca_file (a stranger's), username and password. Needs Java 17 and, the
# first time, Maven: the jars are kept in SCALESTYLE_SERVER_CACHE (default: the user's cache folder) and are checked against
# kafka/kafka.sha256 whenever they are fetched. Ends with 3 where the broker cannot be had.
set -euo pipefail
export LC_ALL=C

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/kafka
jars=${SCALESTYLE_SERVER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/scalestyle/servers}/kafka-4.3.1
verb=${1:?usage: kafka.sh VERB FOLDER …} folder=${2:?usage: kafka.sh VERB FOLDER …}
readonly start_seconds=180

cannot() {
  printf 'kafka.sh: %s\n' "$*" >&2
  exit 3
}

fetch_jars() {
  command -v java >/dev/null || cannot "no Java is installed (openjdk-17-jre-headless)"
  if [ -f "$jars/complete" ]; then return; fi
  command -v mvn >/dev/null || cannot "the broker's jars are not in $jars, and there is no Maven to fetch them"
  mkdir -p "$(dirname "$jars")"
  exec 9>"$jars.lock"
  flock 9
  if [ -f "$jars/complete" ]; then return; fi
  local fetched
  fetched=$(mktemp -d "$jars.XXXXXX")
  mvn -q -B -f "$here/pom.xml" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$fetched" >"$fetched.log" 2>&1 || {
    tail -n 5 "$fetched.log" >&2
    rm -rf "$fetched" "$fetched.log"
    cannot "Maven could not fetch the broker's jars"
  }
  (cd "$fetched" && sha256sum --quiet --strict -c "$here/kafka.sha256") >&2 || {
    rm -rf "$fetched" "$fetched.log"
    echo "kafka.sh: a jar is not the one that kafka/kafka.sha256 names" >&2
    exit 1
  }
  touch "$fetched/complete"
  rm -rf "$jars" "$fetched.log"
  mv "$fetched" "$jars"
  exec 9>&-
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

jvm() {
  java -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:-UsePerfData -Xshare:auto -Djava.awt.headless=true \
    -Dlog4j2.configurationFile="$here/log4j2.properties" -cp "$jars/*" "$@"
}

launch() { # node
  local dir=$folder/node-$1
  java -Xms64m -Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:-UsePerfData -Xshare:auto -Djava.awt.headless=true \
    -Dlog4j2.configurationFile="$here/log4j2.properties" -cp "$jars/*" kafka.Kafka "$dir/server.properties" \
    >"$dir/log" 2>&1 </dev/null &
  echo $! >"$dir/pid"
  disown
}

# A pid may have gone to another process: only one that runs our configuration is ours.
is_ours() { # node
  local pid
  pid=$(cat "$folder/node-$1/pid" 2>/dev/null) && grep -qzF "$folder/node-$1/server.properties" "/proc/$pid/cmdline" 2>/dev/null
}

signal() { # signal, node
  if is_ours "$2"; then kill "-$1" "$(cat "$folder/node-$2/pid")"; fi
}

await() { # node
  local dir=$folder/node-$1 until=$((SECONDS + start_seconds))
  until grep -q 'Kafka Server started' "$dir/log" 2>/dev/null; do
    # Not is_ours: for a moment the new process has the command line of this script.
    if ! kill -0 "$(cat "$dir/pid")" 2>/dev/null || [ "$SECONDS" -ge "$until" ]; then
      tail -n 30 "$dir/log" >&2
      echo "kafka.sh: broker $1 did not start" >&2
      exit 1
    fi
    sleep 0.1
  done
}

write_common() { # node, voters, replicas, in sync
  cat <<PROPERTIES
process.roles=broker,controller
node.id=$1
controller.quorum.voters=$2
controller.listener.names=CONTROLLER
log.dirs=$folder/node-$1/data
num.partitions=1
auto.create.topics.enable=false
default.replication.factor=$3
min.insync.replicas=$4
offsets.topic.replication.factor=$3
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=$3
transaction.state.log.min.isr=$4
transaction.state.log.num.partitions=4
group.initial.rebalance.delay.ms=0
num.network.threads=2
num.io.threads=4
log.cleaner.dedupe.buffer.size=16777216
broker.session.timeout.ms=6000
broker.heartbeat.interval.ms=1000
PROPERTIES
}

new_id() { head -c 16 /dev/urandom | base64 | tr '+/' 'AA' | tr -d '=\n'; }

start_plain() { # brokers
  local nodes=$1 ports node voters="" bootstrap="" id formats=() in_sync=1
  read -ra ports <<<"$(free_ports $((nodes * 2)))"
  [ "$nodes" -lt 3 ] || in_sync=2
  for ((node = 1; node <= nodes; node++)); do
    voters+="${voters:+,}$node@127.0.0.1:${ports[nodes + node - 1]}"
    bootstrap+="${bootstrap:+,}127.0.0.1:${ports[node - 1]}"
  done
  id=$(new_id)
  for ((node = 1; node <= nodes; node++)); do
    mkdir -p "$folder/node-$node"
    {
      write_common "$node" "$voters" "$nodes" "$in_sync"
      echo "listeners=PLAINTEXT://127.0.0.1:${ports[node - 1]},CONTROLLER://127.0.0.1:${ports[nodes + node - 1]}"
      echo "advertised.listeners=PLAINTEXT://127.0.0.1:${ports[node - 1]}"
      echo "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT"
      echo "inter.broker.listener.name=PLAINTEXT"
    } >"$folder/node-$node/server.properties"
    jvm kafka.tools.StorageTool format -t "$id" -c "$folder/node-$node/server.properties" >"$folder/node-$node/format.log" 2>&1 &
    formats+=($!)
  done
  for node in "${formats[@]}"; do wait "$node" || { cat "$folder"/node-*/format.log >&2; exit 1; }; done
  for ((node = 1; node <= nodes; node++)); do launch "$node"; done
  for ((node = 1; node <= nodes; node++)); do await "$node"; done
  echo "bootstrap=$bootstrap"
}

make_certificates() { # folder
  local ca
  for ca in ca other; do
    openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj "/CN=test $ca" -keyout "$1/$ca.key" -out "$1/$ca.crt" 2>/dev/null
  done
  openssl req -newkey rsa:2048 -nodes -subj '/CN=localhost' -keyout "$1/broker.key" -out "$1/broker.csr" 2>/dev/null
  printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\n' >"$1/names"
  openssl x509 -req -in "$1/broker.csr" -CA "$1/ca.crt" -CAkey "$1/ca.key" -CAcreateserial -days 30 -extfile "$1/names" \
    -out "$1/broker.crt" 2>/dev/null
  { openssl pkcs8 -topk8 -nocrypt -in "$1/broker.key"; cat "$1/broker.crt" "$1/ca.crt"; } >"$1/broker.pem"
}

start_sasl() {
  command -v openssl >/dev/null || cannot "there is no openssl to make certificates with"
  local ports password dir=$folder/node-1 tls=$folder/tls mechanism
  read -ra ports <<<"$(free_ports 3)"
  password=$(new_id)
  mkdir -p "$dir" "$tls"
  make_certificates "$tls"
  {
    write_common 1 "1@127.0.0.1:${ports[2]}" 1 1
    echo "listeners=CLIENT://127.0.0.1:${ports[0]},INTERNAL://127.0.0.1:${ports[1]},CONTROLLER://127.0.0.1:${ports[2]}"
    echo "advertised.listeners=CLIENT://127.0.0.1:${ports[0]},INTERNAL://127.0.0.1:${ports[1]}"
    echo "listener.security.protocol.map=CLIENT:SASL_SSL,INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT"
    echo "inter.broker.listener.name=INTERNAL"
    echo "sasl.enabled.mechanisms=SCRAM-SHA-512,SCRAM-SHA-256,PLAIN"
    echo "listener.name.client.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_shop=\"$password\";"
    for mechanism in 256 512; do
      echo "listener.name.client.scram-sha-$mechanism.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;"
    done
    echo "listener.name.client.ssl.keystore.type=PEM"
    echo "listener.name.client.ssl.keystore.location=$tls/broker.pem"
    echo "listener.name.client.ssl.truststore.type=PEM"
    echo "listener.name.client.ssl.truststore.location=$tls/ca.crt"
  } >"$dir/server.properties"
  jvm kafka.tools.StorageTool format -t "$(new_id)" -c "$dir/server.properties" \
    --add-scram "SCRAM-SHA-512=[name=shop,password=$password]" --add-scram "SCRAM-SHA-256=[name=shop,password=$password]" \
    >"$dir/format.log" 2>&1 || { cat "$dir/format.log" >&2; exit 1; }
  launch 1
  await 1
  printf '%s\n' "bootstrap=127.0.0.1:${ports[0]}" "ca_file=$tls/ca.crt" "other_ca_file=$tls/other.crt" "username=shop" "password=$password"
}

case $verb in
  start)
    fetch_jars
    mkdir -p "$folder"
    case ${3:-1} in
      1 | 3) start_plain "${3:-1}" ;;
      sasl) start_sasl ;;
      *) echo "kafka.sh: start takes 1, 3 or sasl" >&2; exit 2 ;;
    esac
    ;;
  stop)
    for dir in "$folder"/node-*; do
      [ -d "$dir" ] || continue
      signal KILL "${dir##*-}"
      rm -f "$dir/pid"
    done
    ;;
  kill) # returns when it is gone, its connections with it
    while is_ours "${3:?which broker?}"; do signal KILL "$3"; sleep 0.05; done
    ;;
  pause) signal STOP "${3:?which broker?}" ;;
  continue) signal CONT "${3:?which broker?}" ;;
  restart)
    "$0" kill "$folder" "${3:?which broker?}"
    launch "$3"
    await "$3"
    ;;
  *) echo "kafka.sh: no such verb: $verb" >&2; exit 2 ;;
esac
