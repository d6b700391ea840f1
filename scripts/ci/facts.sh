# What every step must agree on; sourced, never run.
# shellcheck shell=bash disable=SC2034 # read by the files that source this one

set -euo pipefail

# apt in a cron-like shell lacks sbin, where dockerd, debootstrap and iptables live.
export PATH="$PATH:/usr/sbin:/sbin"
export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1

docker_host=${DOCKER_HOST:-unix:///var/run/docker.sock}
# Written when these scripts started the engine: what they may also stop.
engine_pid_file=/run/opsctl-testbed-dockerd.pid
timescale_image=timescale/timescaledb:2.19.3-pg17
redis_image=redis:8.0.2
python_image=python:3.13-slim
busybox_image=busybox:1.37
# The Debian release that has Compose v2, PostgreSQL 17, TimescaleDB, Redis 8 and Python 3.13.
image_release=trixie

say() {
  printf 'testbed: %s\n' "$*" >&2
}

fail() {
  say "$*"
  exit 1
}

need_root() {
  [ "$(id -u)" -eq 0 ] || fail "$1 needs root; run: sudo $0"
}

# The address this machine's own apt takes its Debian release from: "URI COMPONENT".
debian_mirror() {
  local codename
  codename=$(. /etc/os-release && printf '%s' "$VERSION_CODENAME")
  # shellcheck disable=SC2016 # apt fills these in
  apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
    awk -v release="$codename" '$2 == release && $3 == "main" { sub("/$", "", $1); print $1; exit }'
}

newest_postgres_bin() {
  find /usr/lib/postgresql -mindepth 2 -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -n 1
}

# is_running PID PROGRAM: a zombie is not running, and a pid may have gone to someone else.
is_running() {
  [ "$(basename "$(readlink "/proc/$1/exe" 2>/dev/null)")" = "$2" ]
}
