#!/usr/bin/env bash
# The contents of the container image, without a container engine: fills a
# folder as the Dockerfile does, makes it the read-only root of a process that
# is nobody, and serves real rows from there. Then the budgets of budgets.env.
#
#   image_root_test.sh BUILD      BUILD has the target relud_image; needs root
set -euo pipefail
cd "$(dirname "$0")/../.."
build=${1:?BUILD}
if ((EUID != 0)); then
  echo "skipped: chroot needs root"
  exit 77
fi
. tests/deploy/budgets.env

work=$(mktemp -d)
server=
cleanup() {
  [[ -z $server ]] || kill -KILL "$server" 2>/dev/null || true
  rm -rf "$work"
}
trap cleanup EXIT
fail() {
  echo "$0: $*" >&2
  cat "$work/log" >&2 2>/dev/null || true
  exit 1
}

# within NAME VALUE BUDGET
within() {
  printf '%-28s %10d of %10d\n' "$1" "$2" "$3"
  (($2 <= $3)) || fail "$1: $2 is more than $3"
}

root=$work/root
deploy/image/make_root.sh "$build" "$root"
within "image, bytes" "$(du -sb "$root" | cut -f 1)" "$IMAGE_BYTES"
[[ ! -e $root/bin/sh && ! -e $root/usr/bin/sh ]] || fail "the image has a shell"
# shellcheck disable=SC2016  # JavaScript.
node -e '
  const bom = JSON.parse(require("fs").readFileSync(process.argv[1]));
  const names = bom.components.map((component) => component.name);
  for (const name of ["libc6", "libgrpc-dev", "libssl-dev", "libprotobuf-dev"]) {
    if (!names.includes(name)) throw new Error(`${name} is not in the bill of materials`);
  }
  for (const {purl, version} of bom.components) {
    if (!purl.startsWith("pkg:deb/debian/") || !version) throw new Error(purl);
  }
' "$root/usr/share/doc/relud/sbom.cdx.json"

mkdir -p "$root/models/mnist_256x128/1" "$root/proc"
model=deploy/models/mnist_256x128
cp "$model/1/model.onnx" "$root/models/mnist_256x128/1/"
cp "$model/rows.csv" "$root/models/rows.csv"

# Becomes a program of the image, as the image's user, in a mount namespace where
# the image is read-only.
inside() {
  # shellcheck disable=SC2016
  exec unshare --mount bash -euc '
    root=$1
    shift
    mount --bind "$root" "$root"
    mount -o remount,bind,ro "$root"
    mount -t proc proc "$root/proc"
    exec setpriv --no-new-privs env -i RELUD_HTTP_PORT=0 "$(command -v chroot)" \
      --userspec=65532:65532 "$root" "$@"' bash "$root" "$@"
}

milliseconds() { date +%s%3N; }
begin=$(milliseconds)
inside /usr/bin/relud --model-repository=/models --grpc-address=127.0.0.1 \
  --grpc-port=0 --http-port=0 --metrics-port=0 --lame-duck=0 2>"$work/log" &
server=$!
until address=$(sed -nE 's/.*gRPC on ([0-9.:]+),.*/\1/p' "$work/log") && [[ -n $address ]] &&
  (inside /usr/bin/reluctl --server="$address" health) >/dev/null 2>&1; do
  kill -0 "$server" || fail "relud ended"
  (($(milliseconds) - begin < START_WALL_MILLISECONDS)) || fail "relud does not serve"
  sleep 0.005
done
took=$(($(milliseconds) - begin))
# User and system time, in ticks of 10 ms, of all that this process was.
read -r -a stat <"/proc/$server/stat"
within "start, wall ms" "$took" "$START_WALL_MILLISECONDS"
within "start, CPU ms" $(((stat[13] + stat[14]) * 1000 / $(getconf CLK_TCK))) \
  "$START_CPU_MILLISECONDS"

(inside /usr/bin/reluctl --server="$address" infer mnist_256x128 --label=last \
  --input=/models/rows.csv --show=1) >"$work/answers" || fail "it does not answer"
grep -qF '(60 of 64)' "$work/answers" || fail "the answers are wrong"

status() { sed -n "s/^$1:\s*//p" "/proc/$server/status"; }
resident=$(($(status VmRSS | cut -d ' ' -f 1) * 1024))
within "resident, bytes" "$resident" \
  $((RESIDENT_BYTES + $(stat -c %s "$model/1/model.onnx")))
[[ $(status Uid) == 65532$'\t'* ]] || fail "it runs as $(status Uid)"
[[ $(status CapEff) == 0000000000000000 ]] || fail "it has the capabilities $(status CapEff)"
grep -qE ' / / ro[, ]| / ro[, ]' "/proc/$server/mountinfo" || fail "its root can be written"

kill -TERM "$server"
code=0
wait "$server" || code=$?
server=
((code == 0)) || fail "it ended with $code"
