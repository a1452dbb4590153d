#!/usr/bin/env bash
# Starts a real Slurm with two one-core nodes, n1 and n2, on this machine, for tests of the engine slurm.
# Needs root and Debian's packages slurm-wlm and munge.
# usage: eval "$(up.sh DIR)"   DIR keeps its state and logs; prints the export of SLURM_CONF to use
#
# A requeued job waits for cred_expire seconds, 120 by default; a lost node is noticed after about SlurmdTimeout.
set -euo pipefail
dir=$(mkdir -p "${1:?usage: up.sh DIR}" && cd "$1" && pwd)
host=$(hostname -s)
mkdir -p "$dir"/{state,spool-n1,spool-n2} /run/munge
chown munge /run/munge
timeout 10 munge -n >/dev/null 2>&1 || { runuser -u munge -- munged --force >&2; echo started >"$dir/munged"; }
cat >"$dir/slurm.conf" <<CONF
ClusterName=mtbench
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
AuthType=auth/munge
AuthInfo=cred_expire=5
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool-%n
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd-%n.pid
SlurmctldLogFile=$dir/slurmctld.log
SlurmdLogFile=$dir/slurmd-%n.log
SchedulerParameters=sched_interval=5,bf_interval=5
MpiDefault=none
SwitchType=switch/none
ReturnToService=2
SlurmctldTimeout=30
SlurmdTimeout=6
KillWait=5
JobRequeue=1
NodeName=n[1-2] NodeHostname=$host NodeAddr=127.0.0.1 Port=[17001-17002] CPUs=1 RealMemory=1000 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
CONF
export SLURM_CONF=$dir/slurm.conf
slurmctld -c >&2
slurmd -N n1 >&2
slurmd -N n2 >&2
for _ in $(seq 60); do
    [ "$(sinfo -h -N -t idle -o %N 2>/dev/null | sort -u | wc -l)" = 2 ] && break
    sleep 0.5
done
sinfo -N >&2
echo "export SLURM_CONF=$SLURM_CONF"
