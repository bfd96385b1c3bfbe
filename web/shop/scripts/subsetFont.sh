#!/usr/bin/env bash
# Makes the font that every page begins with: what English and German are written with, in the weights that are used.
# Half as large as the whole one, which comes where a page needs another letter (src/app/theme/fonts.css). Its tabular
# figures are figures alone: a point as wide as a digit tears a price apart.
#
#   pip install fonttools brotli && scripts/subsetFont.sh
set -euo pipefail
cd -- "$(dirname -- "$0")/.."

whole=node_modules/@fontsource-variable/schibsted-grotesk/files/schibsted-grotesk-latin-wght-normal.woff2
folder=src/app/theme/fonts
letters=$(sed -n '/begin:core/,/end:core/p' src/app/theme/fonts.css | grep -o 'U+[0-9A-F-]*' | paste -sd,)
weights=$(mktemp)
trap 'rm -f "$weights"' EXIT

python3 -m fontTools.varLib.instancer --quiet "$whole" wght=400:700 -o "$weights"
python3 - "$weights" <<'PYTHON'
import sys
from fontTools.ttLib import TTFont

font = TTFont(sys.argv[1])
features = font["GSUB"].table.FeatureList.FeatureRecord
lookups = font["GSUB"].table.LookupList.Lookup
for index in {index for record in features if record.FeatureTag == "tnum" for index in record.Feature.LookupListIndex}:
    for table in lookups[index].SubTable:
        for point in ["period", "comma", "colon", "semicolon"]:
            table.mapping.pop(point, None)
font.save(sys.argv[1])
PYTHON
python3 -m fontTools.subset "$weights" --unicodes="$letters" --layout-features=kern,liga,tnum,ccmp \
    --flavor=woff2 --output-file="$folder/schibsted-grotesk-core.woff2"
cp "$(dirname -- "$whole")/../LICENSE" "$folder/LICENSE"
