# What every step must agree on; sourced, never run.
# shellcheck shell=bash disable=SC2034 # read by the files that source this one

set -euo pipefail

# apt in a cron-like shell lacks sbin, where dockerd, debootstrap and iptables live.
[[ :$PATH: == *:/usr/sbin:* ]] || PATH=$PATH:/usr/sbin:/sbin
export PATH
export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1

# What was built here stays between runs.
testbed_cache=${OPSCTL_TESTBED_CACHE:-/var/cache/opsctl-testbed}
# Every program of the main engine is in its bin/; a change of the recipe is another folder.
docker_home=$testbed_cache/docker-$(sha256sum "$(dirname "${BASH_SOURCE[0]}")/steps/docker-programs" | cut -c 1-12)
engine_run=/run/opsctl-testbed
engine_data=/var/lib/opsctl-testbed
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

# choose_engine NAME: what follows uses the programs of this engine, and talks to it.
choose_engine() {
  engine=$1
  without_our_programs
  case $engine in
    docker)
      PATH=$docker_home/bin:$PATH
      export DOCKER_CONFIG=$docker_home/config
      engine_address=198.18.29.2
      engine_link=opsctl-new
      engine_version=29
      ;;
    docker-old)
      unset DOCKER_CONFIG
      engine_address=198.18.20.2
      engine_link=opsctl-old
      engine_version=20.10
      ;;
    *) fail "there is no engine $engine: choose docker or docker-old" ;;
  esac
  engine_namespace=opsctl-$engine
  engine_pid_file=$engine_run/$engine.pid
  export DOCKER_HOST=unix://$engine_run/$engine.sock
}

without_our_programs() {
  local folder kept=
  while IFS= read -r -d : folder; do
    [[ $folder == "$testbed_cache"/docker-*/bin ]] || kept+=:$folder
  done <<<"$PATH:"
  PATH=${kept#:}
}

engine_answers() {
  timeout 10 docker info >/dev/null 2>&1
}
