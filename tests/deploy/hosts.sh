# shellcheck shell=bash
# Hosts of our own on this machine, to be sourced: network namespaces on a bridge
# that leads nowhere else, with a DNS server. Needs root.
#
#   make_hosts client h1 h2 h3   10.77.0.2, .3, ... ; 10.77.0.1 is for DNS
#   on HOST COMMAND...           runs it there
#   launch HOST COMMAND...       the same in the background
#   publish NAME HOST...         a DNS server gives NAME their addresses (TTL 1 s)
#   start_relud HOST FLAG...     starts $RELUD there and waits until it serves
#   unplug HOST, plug HOST       as if its cable were pulled: no packet, no reset
#
# $work is a folder that ends with the script, as do all processes and hosts.

hosts_id=relud$$
hosts_all=()
declare -A address_of pid_of
work=$(mktemp -d)
chmod 755 "$work"

cleanup() {
  local pid host
  for pid in "${pid_of[@]}"; do
    kill -KILL "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
  for host in "${hosts_all[@]}" switch; do
    ip netns del "$hosts_id-$host" 2>/dev/null || true
    rm -rf "/etc/netns/$hosts_id-$host"
  done
  rmdir /etc/netns 2>/dev/null || true
  rm -rf "$work"
}
trap cleanup EXIT

fail() {
  echo "$0: $*" >&2
  tail -n 5 "$work"/*.log >&2 || true
  exit 1
}

on() {
  local host=$1
  shift
  ip netns exec "$hosts_id-$host" "$@"
}

# The same in the background, its output to the log of HOST; the process is
# ${pid_of[HOST]}. (`on ... &` would give the pid of a shell.)
launch() {
  local host=$1
  shift
  ip netns exec "$hosts_id-$host" "$@" >>"$work/$host.log" 2>&1 &
  pid_of[$host]=$!
}

make_host() {
  local host=$1 address=$2 space=$hosts_id-$1
  hosts_all+=("$host")
  address_of[$host]=$address
  ip netns add "$space"
  ip -n "$space" link set lo up
  # Both ends are made inside: the machine's own network sees nothing.
  ip link add name eth0 netns "$space" type veth \
    peer name "to-$host" netns "$hosts_id-switch"
  ip -n "$hosts_id-switch" link set "to-$host" master bridge0 up
  ip -n "$space" address add "$address/24" dev eth0
  ip -n "$space" link set eth0 up
  mkdir -p "/etc/netns/$space"
  printf 'nameserver 10.77.0.1\noptions timeout:1 attempts:2\n' \
    >"/etc/netns/$space/resolv.conf"
}

make_hosts() {
  local host number=2
  ip netns add "$hosts_id-switch"
  ip -n "$hosts_id-switch" link add bridge0 type bridge
  ip -n "$hosts_id-switch" link set bridge0 up
  make_host dns 10.77.0.1
  for host in "$@"; do
    make_host "$host" "10.77.0.$number"
    number=$((number + 1))
  done
}

publish() {
  local name=$1 host
  shift
  for host in "$@"; do
    echo "${address_of[$host]} $name"
  done >"$work/names"
  launch dns dnsmasq --keep-in-foreground --no-resolv --no-hosts --user=root \
    --pid-file= --addn-hosts="$work/names" --local-ttl=1 --local=/test/ \
    --listen-address=10.77.0.1 --bind-interfaces
  wait_until 10 on dns getent hosts "$name" || fail "the DNS server is silent"
}

# wait_until SECONDS COMMAND...
wait_until() {
  local end=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < end)) || return 1
    sleep 0.05
  done
}

start_relud() {
  local host=$1
  shift
  launch "$host" "$RELUD" --grpc-address=0.0.0.0 "$@"
  wait_until 60 on "$host" "$RELUCTL" -s 127.0.0.1:8001 health ||
    fail "relud on $host does not serve"
}

unplug() { ip -n "$hosts_id-switch" link set "to-$1" down; }
plug() { ip -n "$hosts_id-switch" link set "to-$1" up; }
