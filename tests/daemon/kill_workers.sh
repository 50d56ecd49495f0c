#!/usr/bin/env bash
# Kills or freezes worker processes of a real daemon at random moments under load. Every request must have exactly one outcome,
# and at rest there must be exactly as many replicas, and workers, as were asked for.
#
#   kill_workers.sh PROGRAM LIBRARY_DIR [KILLS]      SEED=N repeats the same choices
set -uo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/start_daemon"
source "$(dirname "${BASH_SOURCE[0]}")/spell.sh"
troupe=$1
libraries=$2
kills=${3:-20}
replicas=6
RANDOM=${SEED:-$$}
work=$(mktemp -d)
export TROUPE_DATA_DIR=$work/data
daemon=
load=
trap 'kill -9 $load $daemon 2>/dev/null; rm -rf "$work"' EXIT

fail() {
  echo "kill_workers: FAILED: $1"
  tail -n 20 "$work/log"
  exit 1
}
workers() { cat "/proc/$daemon/task"/*/children 2>/dev/null | tr -s ' ' '\n' | grep .; }

start_daemon "$troupe" "$work" --http-address 127.0.0.1:0 --code-dir "$libraries" --log-level warning || fail "the daemon did not start"
deploy_spell "$troupe" "$work" $replicas "isolation: process, idempotent: false" || fail "the deploy was refused"

# What came back, by status; every answer is a whole word list.
cat >"$work/load.lua" <<'LUA'
local threads = {}
setup = function(thread) threads[#threads + 1] = thread end
init = function() answered, died, unavailable, other = 0, 0, 0, 0 end
wrk.method = "POST"
wrk.body = "The quick brown fox jumps over the lazy dog, and teh licence of troupe allows it."
response = function(status, headers, body)
  if status == 200 and body:find('"words":16', 1, true) then answered = answered + 1
  elseif status == 500 then died = died + 1
  elseif status == 503 then unavailable = unavailable + 1
  else
    other = other + 1
    if other < 5 then io.stderr:write(status, " ", body, "\n") end
  end
end
done = function(summary)
  local e, all = summary.errors, { answered = 0, died = 0, unavailable = 0, other = 0 }
  for _, t in ipairs(threads) do
    for name in pairs(all) do all[name] = all[name] + t:get(name) end
  end
  io.write(string.format("requests=%d answered=%d died=%d unavailable=%d other=%d connections=%d\n", summary.requests,
    all.answered, all.died, all.unavailable, all.other, e.connect + e.read + e.write + e.timeout))
end
LUA
# Where workers die faster than they start, requests wait: late is not lost.
wrk -t1 -c32 -d3600s --timeout 600s -s "$work/load.lua" "http://127.0.0.1:$http/" >"$work/wrk" 2>>"$work/log" &
load=$!

frozen=0
stopped=()
for ((n = 0; n < kills; ++n)); do
  pause "0.$(printf '%03d' $((RANDOM % 200)))"
  mapfile -t there < <(workers)
  if ((${#there[@]} == 0)); then
    n=$((n - 1))
    continue
  fi
  victim=${there[RANDOM % ${#there[@]}]}
  if ((RANDOM % 10 == 0)); then
    kill -STOP "$victim" 2>/dev/null && frozen=$((frozen + 1)) && stopped+=("$victim")
  else
    kill -9 "$victim" 2>/dev/null
  fi
  kill -0 "$daemon" 2>/dev/null || fail "the daemon ended"
done
# Silence is noticed within some seconds.
for pid in "${stopped[@]}"; do
  for ((i = 0; i < 3000; ++i)); do
    workers | grep -qx "$pid" || break
    pause 0.01
  done
  workers | grep -qx "$pid" && fail "the frozen worker $pid is still there"
done
"$troupe" rollout status spell/speller --wait-timeout 120 >/dev/null || fail "it does not become whole again"
kill -INT "$load"
wait "$load"
load=
line=$(grep '^requests=' "$work/wrk") || fail "wrk gave no result: $(cat "$work/wrk")"
echo "$line"
value() { sed -nE "s/.*\\b$1=([0-9]+).*/\\1/p" <<<"$line"; }
(($(value connections) == 0)) || fail "requests without an answer"
(($(value other) == 0)) || fail "answers that are neither words nor 500 nor 503"
(($(value answered) + $(value died) + $(value unavailable) == $(value requests))) || fail "outcomes are not as many as requests"
# Each 500 is one whose worker was gone.
logged=$(grep -c 'that had begun the request is gone' "$work/log")
((logged == $(value died))) || fail "$(value died) answers were 500, but $logged requests lost their replica"

# At rest: exactly N, in the status and as processes.
for ((i = 0; i < 3000; ++i)); do
  shown=$("$troupe" status --output json)
  count=$(workers | wc -l)
  ((count == replicas)) && grep -qE "\"available\": ?$replicas\\b" <<<"$shown" && grep -qE '"stopping": ?0' <<<"$shown" && break
  pause 0.01
done
((count == replicas)) || fail "$count workers at rest, not $replicas"
grep -qE "\"available\": ?$replicas\\b" <<<"$shown" || fail "not $replicas available at rest: $shown"
"$troupe" shutdown >/dev/null
wait "$daemon" || fail "the daemon ended with $?"
daemon=
echo "kill_workers: $((kills - frozen)) kills, $frozen freezes; $(value requests) requests, one outcome each; $replicas replicas at rest"
