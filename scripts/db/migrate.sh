#!/usr/bin/env bash
# Applies migrations/*.sql with nothing but bash and psql: each file in one transaction with its
# row in the table that `opsctl migrate` keeps, so that the two can take turns on one database.
set -euo pipefail
# Sorting, patterns and psql's words must not depend on who calls.
export LC_ALL=C PGCLIENTENCODING=UTF8 PGAPPNAME=migrate.sh
export PGCONNECT_TIMEOUT=${PGCONNECT_TIMEOUT:-5}
# shellcheck source=scripts/db/check_files.sh
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/check_files.sh"

usage() {
  cat <<'TEXT'
Usage: migrate.sh [apply | status] [-n] [--to V] [--dir DIR]

  apply            apply every pending file (the default)
  status           show the state of every file
  -n, --dry-run    list the files that would run
  --to V           stop after version V
  --dir DIR        where the files are (default: migrations)

The database is DATABASE_URL, or else psql's own PGHOST, PGDATABASE, PGPASSFILE ...
LOCK_TIMEOUT_MS (5000) and STATEMENT_TIMEOUT_MS (1800000) limit each statement.

Exit: 0 done, 1 failed, 2 usage, 5 refused and nothing changed, 6 setting, 7 unreachable,
8 a file ended its own transaction and is partly applied, 75 locked.
For files without a transaction, out of order or interrupted: opsctl migrate.
TEXT
}

readonly table=opsctl.opsctl_migrations
readonly attempts=10
# serialization_failure, deadlock_detected, lock_not_available: the same file may succeed next time.
readonly retryable='^(40001|40P01|55P03)$'
lock_ms=${LOCK_TIMEOUT_MS:-5000}
statement_ms=${STATEMENT_TIMEOUT_MS:-1800000}
directory=migrations
versions=()
declare -A file name sum row_name row_sum row_finished

fail() {
  local code=$1
  printf 'error: %s\n' "$2" >&2
  [ $# -lt 3 ] || printf '  why: %s\n' "$3" >&2
  [ $# -lt 4 ] || printf '  fix: %s\n' "$4" >&2
  exit "$code"
}

# --- The address: into libpq's own variables, for arguments are for all to see -----------------

decoded() {
  local text=${1//\\/\\\\}
  printf '%b' "${text//%/\\x}"
}

use_url() {
  local login='(([^:@/]*)(:([^@/]*))?@)?' host='(\[[^]]+\]|[^:/?]*)'
  local shape="^postgres(ql)?://${login}${host}(:([0-9]+))?(/([^?]*))?([?](.*))?\$"
  [[ $DATABASE_URL =~ $shape ]] ||
    fail 6 'cannot parse DATABASE_URL' 'it is not postgresql://user:password@host:port/database' \
      'Write special characters as %40.'
  local host_part=${BASH_REMATCH[6]}
  set_unless_empty PGUSER "${BASH_REMATCH[3]}"
  set_unless_empty PGPASSWORD "${BASH_REMATCH[5]}"
  set_unless_empty PGPORT "${BASH_REMATCH[8]}"
  set_unless_empty PGDATABASE "${BASH_REMATCH[10]}"
  local query=${BASH_REMATCH[12]}
  host_part=${host_part#[}
  set_unless_empty PGHOST "${host_part%]}"
  use_parameters "$query"
  unset DATABASE_URL
}

set_unless_empty() {
  [ -z "$2" ] || export "$1=$(decoded "$2")"
}

use_parameters() {
  local pair pairs
  IFS='&' read -ra pairs <<<"$1"
  for pair in "${pairs[@]}"; do
    case ${pair%%=*} in
      host | hostaddr | port | user | password | sslmode | sslrootcert | sslcert | sslkey | options)
        set_unless_empty "PG$(tr '[:lower:]' '[:upper:]' <<<"${pair%%=*}")" "${pair#*=}"
        ;;
      dbname) set_unless_empty PGDATABASE "${pair#*=}" ;;
      connect_timeout) set_unless_empty PGCONNECT_TIMEOUT "${pair#*=}" ;;
      channel_binding) set_unless_empty PGCHANNELBINDING "${pair#*=}" ;;
      target_session_attrs) set_unless_empty PGTARGETSESSIONATTRS "${pair#*=}" ;;
      application_name) ;;
      *) fail 6 "cannot use DATABASE_URL" "unknown parameter ${pair%%=*}" ;;
    esac
  done
}

# --- The files --------------------------------------------------------------------------------

read_files() {
  [ -d "$directory" ] || fail 6 "cannot find the directory $directory"
  local path base number
  for path in "$directory"/[0-9]*.sql; do
    base=${path##*/}
    [[ $base =~ ^0*([0-9]+)_(.+)\.sql$ && $base != *.down.sql ]] || continue
    number=${BASH_REMATCH[1]}
    # Not every number of 19 digits fits, and nobody needs one.
    [ "${#number}" -le 18 ] || fail 5 "$base has too large a number"
    [ -z "${file[$number]:-}" ] ||
      fail 5 "${file[$number]##*/} and $base have the same number" 'nothing was changed' \
        'Give the later one the next free number.'
    file[$number]=$path
    name[$number]=${BASH_REMATCH[2]%.up}
  done
  [ "${#file[@]}" -eq 0 ] || mapfile -t versions < <(printf '%s\n' "${!file[@]}" | sort -n)
  read_sums
}

# The checksum is that of the text without a byte order mark, with \n as line ending.
text_of() {
  sed -z '1s/^\xef\xbb\xbf//; s/\r\n/\n/g' "$1"
}

read_sums() {
  [ "${#versions[@]}" -gt 0 ] || return 0
  local version line
  local -A by_path=()
  for version in "${versions[@]}"; do by_path[${file[$version]}]=$version; done
  exec 3< <(for version in "${versions[@]}"; do printf '%s\0' "${file[$version]}"; done | xargs -0 sha256sum --)
  for version in "${versions[@]}"; do
    read -r -u 3 line
    line=${line#\\}
    sum[$version]=${line:0:64}
  done
  exec 3<&-
  while IFS= read -r -d '' line; do
    version=${by_path[$line]}
    line=$(text_of "$line" | sha256sum)
    sum[$version]=${line:0:64}
  done < <(printf '%s\0' "${!by_path[@]}" | xargs -0 grep -lZ -e $'\r' -e $'^\xef\xbb\xbf' -- || true)
}

# --- The database -----------------------------------------------------------------------------

sql() {
  local code=0
  psql -X -q -A -t -F '|' -v ON_ERROR_STOP=1 -f - || code=$?
  [ "$code" -ne 2 ] || fail 7 'cannot connect to PostgreSQL' 'see above'
  return "$code"
}

create_table() {
  local try
  for ((try = 1; try <= attempts; try++)); do
    # Two runners on a fresh database: the slower one gets "already exists" or a unique violation.
    if sql >/dev/null 2>"$scratch/created" <<SQL; then return; fi
\\set VERBOSITY verbose
BEGIN;
CREATE SCHEMA IF NOT EXISTS opsctl;
CREATE TABLE IF NOT EXISTS $table (
    version bigint PRIMARY KEY,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now(),
    applied_by text NOT NULL DEFAULT current_user,
    duration_ms bigint,
    opsctl_version text,
    git_sha text,
    finished boolean NOT NULL DEFAULT true
);
COMMIT;
SQL
    grep -qE '23505|42P0[67]|42710' "$scratch/created" || break
  done
  cat "$scratch/created" >&2
  fail 1 "cannot create $table"
}

read_rows() {
  local version finished checksum rest
  sql >"$scratch/rows" <<SQL || fail 1 "cannot read $table"
SELECT to_regclass('$table') IS NOT NULL AS tracked \\gset
\\if :tracked
SELECT version, finished, checksum, name FROM $table ORDER BY version;
\\endif
SELECT 'tracked', :'tracked', '', '';
SQL
  row_name=() row_sum=() row_finished=()
  while IFS='|' read -r version finished checksum rest; do
    if [ "$version" = tracked ]; then
      tracked=$finished
      continue
    fi
    row_name[$version]=$rest row_sum[$version]=$checksum row_finished[$version]=$finished
  done <"$scratch/rows"
}

# --- The state of each file ---------------------------------------------------------------------

state_of() {
  local version=$1
  if [ -z "${row_sum[$version]:-}" ]; then
    if [ "$version" -lt "$latest" ]; then state='out of order'; else state=pending; fi
  elif [ "${row_finished[$version]}" != t ]; then
    state=interrupted
  elif [ -z "${file[$version]:-}" ]; then
    state=missing
  elif [ "${row_sum[$version]}" != "${sum[$version]}" ]; then
    state=edited
  else
    state=applied
  fi
}

all_versions() {
  printf '%s\n' "${versions[@]}" "${!row_sum[@]}" | grep . | sort -nu || true
}

find_latest() {
  latest=-1
  local version
  for version in "${!row_sum[@]}"; do
    [ "$version" -le "$latest" ] || latest=$version
  done
}

show_status() {
  local version state
  for version in $(all_versions); do
    state_of "$version"
    printf '%6s  %-12s  %s\n' "$version" "$state" "${name[$version]:-${row_name[$version]:-}}"
  done
}

plan() {
  local version state last=-1
  [ "${#versions[@]}" -eq 0 ] || last=${versions[-1]}
  pending=()
  for version in $(all_versions); do
    state_of "$version"
    case $state in
      pending) [ -n "$to" ] && [ "$version" -gt "$to" ] || pending+=("$version") ;;
      applied) ;;
      missing)
        [ "$version" -ge "$last" ] || refuse "$version" "$state"
        printf 'note: the database is ahead of these files: %s\n' "$version" >&2
        ;;
      *) refuse "$version" "$state" ;;
    esac
  done
}

refuse() {
  fail 5 "cannot migrate: $1_${name[$1]:-${row_name[$1]}} is $2" 'nothing was changed' 'See opsctl migrate verify.'
}

# --- One file ---------------------------------------------------------------------------------

quoted() {
  printf "'%s'" "${1//\'/\'\'}"
}

# 0 means no limit, as in PostgreSQL; a directive in the file overrides our default.
limit_of() {
  local found
  found=$(head -n 20 "$1" | sed -nE "s/^[[:space:]]*--[[:space:]]*opsctl:[[:space:]]*$2[[:space:]]*=[[:space:]]*([0-9]+)[[:space:]]*(ms|s|min|h)?[[:space:]]*\r?\$/\1\2/Ip" | tail -n 1)
  printf '%s' "${found:-$3}"
}

before() {
  local version=$1 path=${file[$1]}
  cat <<SQL
SET LOCAL lock_timeout = $(quoted "$(limit_of "$path" lock_timeout "$lock_ms")");
SET LOCAL statement_timeout = $(quoted "$(limit_of "$path" statement_timeout "$statement_ms")");
INSERT INTO $table (version, name, checksum, opsctl_version, git_sha)
VALUES ($version, $(quoted "${name[$version]}"), '${sum[$version]}', 'migrate.sh', nullif('$git_sha', ''))
ON CONFLICT (version) DO NOTHING;
SELECT count(*) = 0 AS taken, min(xmin::text) AS ours FROM $table
WHERE version = $version AND xmin::text = (txid_current() % 4294967296)::text \\gset opsctl_
\\if :opsctl_taken
DO \$\$BEGIN RAISE EXCEPTION 'another runner applied it' USING ERRCODE = 'OPS01'; END\$\$;
\\endif
\\echo :opsctl_ours
\\unset opsctl_taken
\\unset opsctl_ours
SQL
}

# The row must still belong to this transaction; otherwise the file has ended it.
after() {
  cat <<SQL
RESET ROLE; RESET SESSION AUTHORIZATION;
DO \$\$BEGIN
  UPDATE $table SET duration_ms = extract(epoch FROM clock_timestamp() - now()) * 1000
  WHERE version = $1 AND xmin::text = (txid_current() % 4294967296)::text;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'the file ended the transaction that it ran in' USING ERRCODE = 'OPS02';
  END IF;
END\$\$;
SQL
}

run_file() {
  psql -X -q --single-transaction -v ON_ERROR_STOP=1 -v VERBOSITY=verbose -o /dev/null \
    -f <(before "$1") -f "${file[$1]}" -f <(after "$1") \
    >"$scratch/ours" 2>"$scratch/said" </dev/null
}

said() {
  sed -e '/^LOCATION: /d' -e 's/NOTICE:  00000: /NOTICE:  /' "$scratch/said"
}

apply() {
  local version=$1 try sqlstate
  for ((try = 1; try <= attempts; try++)); do
    if run_file "$version"; then
      said >&2
      printf 'applied %s\n' "${file[$version]##*/}"
      return
    fi
    sqlstate=$(grep -oE '(ERROR|FATAL):  [0-9A-Z]{5}:' "$scratch/said" | head -n 1 | cut -c9-13 || true)
    sqlstate=${sqlstate// /}
    if [ "$sqlstate" = OPS01 ]; then
      printf 'another runner applied %s\n' "${file[$version]##*/}"
      return
    fi
    [[ $sqlstate =~ $retryable ]] || break
    printf 'SQLSTATE %s, retrying: %s (%s of %s)\n' "$sqlstate" "${file[$version]##*/}" "$try" "$attempts" >&2
    sleep "0.$((RANDOM % 900 + 100))"
  done
  said >&2
  give_up "$version" "$sqlstate"
}

give_up() {
  local version=$1 base=${file[$1]##*/} torn
  torn=$(sql <<<"UPDATE $table SET finished = false WHERE version = $version AND xmin::text = '$(cat "$scratch/ours")' RETURNING 1;") || true
  [ -z "$torn" ] ||
    fail 8 "$base is partly applied" 'it ended the transaction that it ran in' \
      'Revert its changes by hand, then: opsctl migrate adopt --forget'
  [[ ! $2 =~ $retryable ]] || fail 75 "cannot apply $base: it failed $attempts times with SQLSTATE $2" "$(said | head -n 1)"
  grep -qE '(ERROR|FATAL): ' "$scratch/said" || fail 7 "lost PostgreSQL while $base ran"
  fail 1 "cannot apply $base" "it was rolled back; files applied before it are kept"
}

apply_all() {
  local version base
  plan
  if [ "${#pending[@]}" -eq 0 ]; then
    echo 'nothing to do: all files are applied'
    return
  fi
  for version in "${pending[@]}"; do check_file "${file[$version]}"; done
  if [ -n "$dry_run" ]; then
    for version in "${pending[@]}"; do printf 'would apply %s\n' "${file[$version]##*/}"; done
    return
  fi
  [ "$tracked" = t ] || create_table
  git_sha=$(git -C "$directory" rev-parse HEAD 2>/dev/null || true)
  for version in "${pending[@]}"; do apply "$version"; done
}

command=apply to='' dry_run='' tracked='' latest=-1 git_sha=''
while [ $# -gt 0 ]; do
  case $1 in
    apply | status) command=$1 ;;
    -n | --dry-run) dry_run=yes ;;
    --to | --dir)
      [ $# -ge 2 ] || fail 2 "$1 needs a value"
      if [ "$1" = --to ]; then to=$2; else directory=$2; fi
      shift
      ;;
    --to=*) to=${1#*=} ;;
    --dir=*) directory=${1#*=} ;;
    -h | --help)
      usage
      exit 0
      ;;
    *) fail 2 "unknown: $1" "see $0 --help" ;;
  esac
  shift
done
[[ $to =~ ^[0-9]*$ ]] || fail 2 "--to needs a number, not $to"
to=${to:+$((10#$to))}
command -v psql >/dev/null || fail 6 'cannot find psql' '' "Install PostgreSQL's client."
[ -n "${DATABASE_URL:-}${PGDATABASE:-}${PGSERVICE:-}${PGHOST:-}" ] ||
  fail 6 'cannot choose a database' 'DATABASE_URL is empty' 'Set it: postgresql://user@host:5432/name'
[ -z "${DATABASE_URL:-}" ] || use_url
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

read_files
[ -z "$to" ] || [ -n "${file[$to]:-}" ] || fail 2 "cannot find migration $to"
read_rows
find_latest
case $command in
  status) show_status ;;
  apply) apply_all ;;
esac
