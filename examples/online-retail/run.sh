#!/bin/sh
# Makes a project of the order lines and runs it: run.sh SELVEDGE DATA PROJECT [MODEL]
set -eu
selvedge=$1 data=$2 project=$3 model=${4:-}
if [ ! -f "$data/OnlineRetail.csv" ]; then
  echo "online-retail: $data/OnlineRetail.csv is not there; examples/online-retail/README.md says where it is from"
  exit 0
fi
rm -rf "$project"
"$selvedge" new "$project" --from "$data/OnlineRetail.csv" --consent not_asked --timezone Europe/London --currency GBP --days month-first ${model:+--model "$model"}
"$selvedge" run --root "$project"
