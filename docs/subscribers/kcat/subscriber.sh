#!/usr/bin/env bash
# Writes the pictures of a topic as files, DIR/<camera>/<epoch>-<sequence>.jpg; ../README.md says what for.
#
#   ./subscriber.sh --bootstrap localhost:9092 --topic frames.processed --to DIR [--group NAME] [--count N]
#
# Needs kcat, bash 4.4 and GNU's head. kcat commits what it has printed, not what is written: nothing is lost by Ctrl-C,
# but kill -9 may lose what is between the two.
set -euo pipefail

bootstrap=localhost:9092 topic=frames.processed to=frames group=subscriber-kcat count=()
while (($#)); do
  case $1 in
    --bootstrap) bootstrap=${2:?} ;;
    --topic) topic=${2:?} ;;
    --to) to=${2:?} ;;
    --group) group=${2:?} ;;
    --count) count=(-c "${2:?}") ;;
    *) echo "unknown: $1" >&2 && exit 2 ;;
  esac
  shift 2
done

# Keys and headers may hold anything, line ends too; nobody can guess the line that ends a record.
end=$(head -c 16 /dev/urandom | od -An -tx1 | tr -d ' \n')
name='^([A-Za-z0-9][A-Za-z0-9._-]{0,127})/([A-Za-z0-9@._-]{1,200})/([0-9]{1,19})$'
declare -A seen=()
declare -a order=()
number=0 stopped=0
mkdir -p "$to"

# Each record: place and size, the picture, the key, the headers, the end. -u: at once.
exec 3< <(exec kcat -q -u -b "$bootstrap" "${count[@]}" -X auto.offset.reset=earliest -X session.timeout.ms=10000 \
  -f "%p %o %S\n%s%k\n%h\n$end\n" -G "$group" "$topic")
kcat=$!
trap stopped=1 INT # the terminal tells kcat too: it ends, and what it has printed is still written
trap 'stopped=1; kill "$kcat"' TERM
trap 'kill "$kcat" 2>/dev/null || true' EXIT

while read -r -u 3 partition offset size; do
  if ((size > 0)); then (trap '' INT && exec head -c "$size" <&3 >"$to/.part"); fi
  IFS= read -r -u 3 key
  headers=,
  while IFS= read -r -u 3 line && [[ $line != "$end" ]]; do headers+=$line,; done
  id=$key/@$topic-$partition/$offset # without headers it is named by where it lies
  if [[ $headers =~ ,ce_id=([^,]*), ]]; then id=${BASH_REMATCH[1]}; fi
  source=/cameras/$key
  if [[ $headers =~ ,ce_source=([^,]*), ]]; then source=${BASH_REMATCH[1]}; fi
  if [[ ! $source =~ ^[A-Za-z0-9/._-]+$ || ! $id =~ $name || ${BASH_REMATCH[1]} != "$key" ]] || ((size <= 0)); then
    echo "no frame: $topic/$partition/$offset" >&2
  elif [[ -n ${seen["$source $id"]-} ]]; then
    echo "repeated: $source $id" >&2
  else
    file=$to/$key/${BASH_REMATCH[2]}-${BASH_REMATCH[3]}
    case $headers in *,content-type=image/png,*) file+=.png ;; *,content-type=image/webp,*) file+=.webp ;; *) file+=.jpg ;; esac
    mkdir -p "$to/$key"
    mv "$to/.part" "$file" # whole or not at all
    unset "seen[${order[number % 10000]-none}]"
    order[number++ % 10000]="$source $id" seen["$source $id"]=1
    echo "$key $id"
  fi
done
wait "$kcat"
exit $((stopped ? 130 : 0))
