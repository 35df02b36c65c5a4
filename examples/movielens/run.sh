#!/bin/sh
# Makes a project of MovieLens 100K and runs it: run.sh SELVEDGE DATA PROJECT [MODEL]
set -eu
selvedge=$1 data=$2 project=$3 model=${4:-}
if [ ! -f "$data/u.data" ]; then
  echo "movielens: $data/u.data is not there; examples/movielens/README.md says where it is from"
  exit 0
fi
csv=$(mktemp -d)
trap 'rm -rf "$csv"' EXIT
# Tabs and bars become commas, and a header line says what is what.
{ echo 'userId,movieId,rating,timestamp'; LC_ALL=C tr '\t' ',' < "$data/u.data"; } > "$csv/ratings.csv"
{ echo 'movieId,title,genre,genres'
  LC_ALL=C awk -F'|' 'FNR == NR { if ($1 != "") name[$2] = $1; next }
    { all = ""; first = ""
      for (n = 0; n < 19; n++) if ($(n + 6) == 1) { all = all (all == "" ? "" : "; ") name[n]; if (first == "") first = name[n] }
      gsub(/"/, "\"\"", $2); printf "%s,\"%s\",%s,%s\n", $1, $2, first, all }' "$data/u.genre" "$data/u.item"; } > "$csv/movies.csv"
{ echo 'userId,age_band,gender,occupation'
  LC_ALL=C awk -F'|' '{ print $1 "," int($2 / 10) * 10 " to " int($2 / 10) * 10 + 9 "," $3 "," $4 }' "$data/u.user"; } > "$csv/users.csv"
rm -rf "$project"
"$selvedge" new "$project" --from "$csv/ratings.csv" "$csv/movies.csv" "$csv/users.csv" --consent not_asked --column rating=rating ${model:+--model "$model"}
"$selvedge" run --root "$project"
