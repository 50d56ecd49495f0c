#!/usr/bin/env bash
# A controller and two nodes on machines of their own, as far as the network can tell: three network namespaces joined by veth
# pairs, certificates, and a link that goes down, a process that is frozen and one that is killed, under load. Then load by way of a
# node's own ingress while the controller is killed and started again, and while the two nodes do not reach each other. The second
# node's monotonic clock is two hours ahead where the kernel allows it.
#
#   network.sh PROGRAM LIBRARY_DIR
#
# Exit code 77 where this machine allows no namespaces: skipped.
set -uo pipefail
if [[ ${TROUPE_IN_NAMESPACE:-} == "" ]]; then
  alone=(unshare --net --mount)
  "${alone[@]}" true 2>/dev/null || alone=(unshare --user --map-root-user --net --mount)
  try='mount -t tmpfs t /run && ip netns add a && ip link add a0 type veth peer name a1 && ip link add b0 type bridge'
  if ! "${alone[@]}" sh -c "$try" >/dev/null 2>&1; then
    echo "network: skipped: this machine allows no network namespaces"
    exit 77
  fi
  TROUPE_IN_NAMESPACE=1 exec "${alone[@]}" "$0" "$@"
fi

source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/start_daemon"
source "$(dirname "${BASH_SOURCE[0]}")/spell.sh"
troupe=$1
libraries=$2
replicas=6
work=$(mktemp -d)
export TROUPE_DATA_DIR=$work/data
daemon=
load=
declare -A node=()
trap 'kill -9 $load $daemon "${node[@]}" 2>/dev/null; wait 2>/dev/null; rm -rf "$work"' EXIT

fail() {
  echo "network: FAILED: $1"
  tail -n 20 "$work"/log*
  exit 1
}

# This namespace is the controller's. Each node's is joined to it by a pair of its own.
mount -t tmpfs t /run || fail "no tmpfs"
ip link set lo up
ip link add switch type bridge && ip address add 10.77.0.1/24 dev switch && ip link set switch up || fail "no bridge"
for n in 1 2; do
  ip netns add "n$n" && ip link add "to-n$n" type veth peer name eth0 netns "n$n" && ip link set "to-n$n" master switch up &&
    ip -n "n$n" link set lo up && ip -n "n$n" address add "10.77.0.$((n + 1))/24" dev eth0 && ip -n "n$n" link set eth0 up ||
    fail "no link to n$n"
done

ahead=()
if unshare --time --monotonic 7200 --boottime 7200 --fork true 2>/dev/null; then
  ahead=(unshare --time --monotonic 7200 --boottime 7200 --fork)
else
  echo "network: this kernel has no time namespaces: all clocks are the same"
fi

# start_node <1 or 2>
start_node() {
  local name=n$1 i shift=()
  [[ $1 == 2 ]] && shift=("${ahead[@]}")
  : >"$work/lines-$name"
  rm -f "$work/pid-$name"
  ip netns exec "$name" "${shift[@]}" sh -c 'echo $$ >"$0" && exec "$@"' "$work/pid-$name" \
    "$troupe" node --join "10.77.0.1:$door" --name "$name" --cluster-dir "$work/cert-$name" --data-dir "$work/node-$name" \
    --http-address 127.0.0.1:0 >"$work/lines-$name" 2>>"$work/log-$name" &
  disown
  for ((i = 0; i < 6000; ++i)); do
    if grep -q 'has joined' "$work/lines-$name"; then
      node[$name]=$(cat "$work/pid-$name")
      return
    fi
    pause 0.01
  done
  fail "node $name did not join"
}

number() { "$troupe" status --output json | grep -oE "\"$1\": ?[0-9]+" | head -n 1 | grep -oE '[0-9]+$'; }
state() { "$troupe" node list | awk -v n="$1" '$1 == n { print $2 }'; }
now_ms() { date +%s%3N; }

# until_true <ms> <what> <command>: says how long it took.
until_true() {
  local begin what=$2 most=$1
  begin=$(now_ms)
  shift 2
  until "$@"; do
    (($(now_ms) - begin < most)) || fail "not in $most ms: $what"
    pause 0.02
  done
  echo "network: $what, after $(($(now_ms) - begin)) ms"
}
is() { [[ $("$1" "$2") == "$3" ]]; }
whole() { [[ $(number available) == "$replicas" && $(state "$1") == "$2" ]]; }

"$troupe" cluster init --dir "$work/ca" >"$work/nothing" || fail "no certificates"
for n in n1 n2; do
  "$troupe" cluster certificate --dir "$work/ca" --role node --name $n --out "$work/cert-$n" >"$work/nothing" || fail "no certificate"
done
start_controller() {
  start_daemon "$troupe" "$work" --http-address "127.0.0.1:${http:-0}" --code-dir "$libraries" --log-level warning \
    --cluster-address "10.77.0.1:${door:-0}" --cluster-dir "$work/ca/controller" || fail "the controller did not start"
}
start_controller
door=$(sed -nE 's/^troupe: nodes join at .*:([0-9]+),.*/\1/p' "$work/lines")
start_node 1
start_node 2
deploy_spell "$troupe" "$work" $replicas "isolation: none" || fail "the deploy was refused"

cat >"$work/load.lua" <<'LUA'
local threads = {}
setup = function(thread) threads[#threads + 1] = thread end
init = function() died, other = 0, 0 end
wrk.method = "POST"
wrk.body = "The quick brown fox jumps over the lazy dog, and teh licence of troupe allows it."
response = function(status) if status == 500 then died = died + 1 elseif status ~= 200 then other = other + 1 end end
done = function(summary)
  local e, died, other = summary.errors, 0, 0
  for _, t in ipairs(threads) do died, other = died + t:get("died"), other + t:get("other") end
  io.write(string.format("requests=%d died=%d other=%d\n", summary.requests, died,
    other + e.connect + e.read + e.write + e.timeout))
end
LUA
# begin_load <url> [command to run wrk with]; end_load sets `died` and `other`
begin_load() {
  "${@:2}" wrk -t1 -c32 -d3600s --timeout 60s -s "$work/load.lua" "$1/" >"$work/wrk" 2>>"$work/log" &
  load=$!
}
end_load() {
  kill -INT "$load"
  wait "$load"
  load=
  grep '^requests=' "$work/wrk"
  died=$(sed -nE 's/.*died=([0-9]+).*/\1/p' "$work/wrk")
  other=$(sed -nE 's/.*other=([0-9]+).*/\1/p' "$work/wrk")
}

begin_load "http://127.0.0.1:$http"

# What was sent there fails when the silence is noticed (5 s), what was not goes elsewhere.
ip link set to-n1 down
until_true 30000 "the link to n1 is down: it is LOST and $replicas replicas are available" whole n1 LOST
ip link set to-n1 up
until_true 60000 "the link is up: n1 has joined again" is state n1 READY
kill -STOP "${node[n2]}"
until_true 30000 "n2 is frozen: it is LOST and $replicas replicas are available" whole n2 LOST
kill -CONT "${node[n2]}"
until_true 60000 "n2 goes on: it has joined again" is state n2 READY
kill -9 "${node[n1]}"
until_true 30000 "n1 is killed: it is LOST and $replicas replicas are available" whole n1 LOST
unset 'node[n1]'
start_node 1
until_true 30000 "a new process on n1 has joined" is state n1 READY
"$troupe" rollout restart spell/speller >/dev/null && "$troupe" rollout status spell/speller >/dev/null || fail "the restart did not end"

end_load
# Three times a node was lost, with at most 32 requests on it.
((${died:-97} <= 96)) || fail "more requests failed than nodes can have had"
((${other:-1} == 0)) || fail "$other requests failed that no lost node had"

# By way of n1: more than its own replicas take at a time, so that others go to n2.
front=$(sed -nE 's/.*takes HTTP on (http:.*)/\1/p' "$work/lines-n1")
in_n1=(ip netns exec n1)
answers() { [[ $("${in_n1[@]}" timeout 2 curl -s -o "$work/nothing" -w '%{http_code}' -d word "$front/") == 200 ]]; }
until_true 30000 "n1 answers itself" answers
begin_load "$front" "${in_n1[@]}"
pause 0.5
kill -9 "$daemon"
wait "$daemon" 2>/dev/null
for ((i = 0; i < 50; ++i)); do answers || fail "without a controller n1 does not answer"; done
start_controller
until_true 60000 "the controller is back: $replicas replicas are available" whole n1 READY
end_load
((${died:-1} + ${other:-1} == 0)) || fail "requests failed while the controller was away"

begin_load "$front" "${in_n1[@]}"
pause 0.5
for n in 1 2; do ip link set "to-n$n" type bridge_slave isolated on || fail "the bridge isolates no ports"; done
begin=$(now_ms)
while (($(now_ms) - begin < 8000)); do answers || true; done # longer than silence is borne
whole n1 READY || fail "the controller has lost a node that reaches it"
for n in 1 2; do ip link set "to-n$n" type bridge_slave isolated off; done
for ((i = 0; i < 50; ++i)); do answers || fail "n1 does not answer"; done
end_load
((${died:-33} <= 32)) || fail "more requests failed than can have been on their way to n2"
((${other:-1} == 0)) || fail "$other requests failed that were not on their way to n2"
"$troupe" shutdown >/dev/null
wait "$daemon" || fail "the controller's exit code is not 0"
daemon=
echo "network: passed"
