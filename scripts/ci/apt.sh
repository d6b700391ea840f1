# Debian's packages for the steps; sourced after facts.sh, never run.
# shellcheck shell=bash disable=SC2154 # facts.sh sets what is used here

# install_packages PACKAGE...: what is missing, from the machine's own Debian release; starts no service.
install_packages() {
  local package wanted=() log=/var/log/opsctl-testbed-apt.log policy=/usr/sbin/policy-rc.d
  local apt=(apt-get -qq -o DPkg::Lock::Timeout=120 -o Acquire::Retries=3 -o Dpkg::Use-Pty=0)
  for package in "$@"; do
    dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || wanted+=("$package")
  done
  [ "${#wanted[@]}" -gt 0 ] || return 0
  need_root "installing ${wanted[*]}"
  say "installing ${wanted[*]}"
  # Each test starts its own servers; Debian's would only hold ports and memory.
  # The trap is the step's only one at this time.
  if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
  fi
  "${apt[@]}" update
  "${apt[@]}" install --yes --no-remove --no-install-recommends "${wanted[@]}" </dev/null >"$log" 2>&1 ||
    { tail -n 20 "$log" >&2 && fail "apt-get install failed; see $log"; }
}

# fetch_newer FOLDER PACKAGE...: unpack packages of the next Debian release, without installing them.
# An apt of its own: the machine's sources and lists stay as they are.
fetch_newer() {
  local folder=$1 package
  shift
  mkdir -p "$folder/apt/lists/partial" "$folder/apt/cache/archives/partial"
  printf 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s %s main\n' \
    "$(debian_mirror)" "$image_release" >"$folder/apt/sources.list"
  local apt=(apt-get -qq -o Acquire::Retries=3 -o APT::Sandbox::User=root
    -o Dir::Etc::sourcelist="$folder/apt/sources.list" -o Dir::Etc::sourceparts=/dev/null
    -o Dir::State::Lists="$folder/apt/lists" -o Dir::Cache="$folder/apt/cache")
  "${apt[@]}" update
  (cd "$folder/apt" && "${apt[@]}" download "$@")
  for package in "$folder"/apt/*.deb; do
    dpkg -x "$package" "$folder"
  done
}
