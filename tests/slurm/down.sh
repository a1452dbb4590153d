#!/usr/bin/env bash
# Stops the Slurm that up.sh started in DIR.        usage: down.sh DIR
# With a node's name, kills that node as a power cut would: its daemon, its steps and its jobs' processes.   down.sh DIR n2
# slurmctld notices after a while; `slurmd -N n2` (with SLURM_CONF set) brings the node back.
set -uo pipefail
dir=$(cd "${1:?usage: down.sh DIR [NODE]}" && pwd)
kill_node() {
    local node=$1 victims proc pid
    victims=$(cat "$dir/slurmd-$node.pid" 2>/dev/null)
    for proc in /proc/[0-9]*; do
        pid=${proc#/proc/}
        if { tr '\0' '\n' <"$proc/environ" | grep -qx "SLURMD_NODENAME=$node"; } 2>/dev/null; then victims+=" $pid"
        elif [ "$(cat "$proc/comm" 2>/dev/null)" = slurmstepd ] && ls -l "$proc/fd" 2>/dev/null | grep -q "$dir/slurmd-$node.log"; then victims+=" $pid"; fi
    done
    [ -z "$victims" ] || kill -9 $victims 2>/dev/null
}
if [ $# -gt 1 ]; then
    kill_node "$2"
    exit 0
fi
export SLURM_CONF=$dir/slurm.conf
timeout 20 scancel --user="$(id -un)" 2>/dev/null && sleep 2
daemons=$(cat "$dir"/{slurmd-n1,slurmd-n2,slurmctld}.pid 2>/dev/null)
kill $daemons 2>/dev/null
for _ in $(seq 100); do kill -0 $daemons 2>/dev/null || break; sleep 0.1; done
kill -9 $daemons 2>/dev/null
kill_node n1
kill_node n2
if [ -f "$dir/munged" ]; then
    kill $(pgrep -x munged) 2>/dev/null
    for _ in $(seq 50); do munge -n >/dev/null 2>&1 || break; sleep 0.1; done
    rm -f "$dir/munged"
fi
exit 0
