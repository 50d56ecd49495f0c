#!/usr/bin/env bash
# Kills a real daemon with SIGKILL at random points of a busy script of changes, starts it again, and compares what it has
# with what was acknowledged.
#
#   kill_points.sh PROGRAM LIBRARY_DIR [ROUNDS]      SEED=N repeats the same points
set -uo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/start_daemon"
troupe=$1
libraries=$2
rounds=${3:-10}
RANDOM=${SEED:-$$}
work=$(mktemp -d)
export TROUPE_DATA_DIR=$work/data
daemon=
changes=
trap 'kill -9 $daemon $changes 2>/dev/null; rm -rf "$work"' EXIT

fail() {
  echo "kill_points: FAILED in round $round: $1"
  tail -n 20 "$work/log"
  exit 1
}

start() {
  start_daemon "$troupe" "$work" --http-address 127.0.0.1:0 --code-dir "$libraries" --log-level error || fail "the daemon did not start"
}

config() { # edition, replicas
  cat <<YAML
applications:
  - name: spell
    import_path: libspellcheck.so:app
    args: {dictionary: /usr/share/hunspell/en_US}
    deployments: [{name: speller, num_replicas: $2, user_config: {edition: $1, words: []}}]
YAML
}

# Changes without end; each line of the journal is begun before, and acknowledged after, its command.
change() {
  local n=$1
  while :; do
    n=$((n + 1))
    echo "begun $n" >>"$work/journal"
    config "$n" $((n % 4 + 1)) >"$work/config.yaml"
    if ((n % 3 == 0)); then
      "$troupe" deploy "$work/config.yaml" >/dev/null 2>&1 || return
    else
      "$troupe" deploy "$work/config.yaml" >/dev/null 2>&1 && "$troupe" scale spell/speller $((n % 4 + 1)) >/dev/null 2>&1 || return
    fi
    echo "acknowledged $n" >>"$work/journal"
  done
}

round=0
start
config 0 1 >"$work/config.yaml"
"$troupe" deploy "$work/config.yaml" >/dev/null || fail "the first deploy was refused"
last=0
echo "acknowledged 0" >"$work/journal"
for ((round = 1; round <= rounds; ++round)); do
  change "$last" &
  changes=$!
  pause "0.$(printf '%03d' $((RANDOM % 300)))"
  kill -9 "$daemon"
  wait "$daemon" 2>/dev/null
  wait "$changes" 2>/dev/null
  acknowledged=$(awk '$1 == "acknowledged" { n = $2 } END { print n }' "$work/journal")
  begun=$(awk '{ n = $2 } END { print n }' "$work/journal")
  start
  shown=$("$troupe" config spell --output json 2>>"$work/log") || fail "no config is shown"
  edition=$(sed -nE 's/.*"edition": ?([0-9]+).*/\1/p' <<<"$shown" | head -n 1)
  [[ -n $edition ]] || fail "the application is gone: $shown"
  ((edition >= acknowledged && edition <= begun)) ||
    fail "edition $edition is shown, $acknowledged was acknowledged and $begun begun"
  last=$begun
done
echo "kill_points: $rounds kills, nothing acknowledged was lost; $last changes"
