#!/usr/bin/env bash
# Builds Tenon, runs the benchmarks beside ONNX Runtime and writes benchmarks/results/<day>-<commit>.json and .md.
#   benchmarks/run.sh [--quick] [PATTERN]
# PATTERN is a regular expression for names such as "ModelBenchmark.tenon {model=bert, threads=2}" or "Startup {model=bert}".
# The models are read from $TENON_MODELS (default: benchmarks/models); benchmarks/README.md says how to make them.
set -euo pipefail
cd "$(dirname "$0")/.."

models=${TENON_MODELS:-benchmarks/models}
profile=()
[[ -z ${TENON_EMBEDDING:-} ]] || profile=(-Pembedding)
./mvnw -q -B -DskipTests -Dformat.skip "${profile[@]}" -pl benchmarks -am package

java=${JAVA_HOME:+$JAVA_HOME/bin/}java
if [[ $("$java" -version 2>&1 | head -1) != *'"25'* ]]; then
    for home in /usr/lib/jvm/*25*; do
        [[ ! -x $home/bin/java ]] || java=$home/bin/java
    done
fi
exec "$java" --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow -Dtenon.models="$models" \
    -cp 'benchmarks/target/benchmarks/*' dev.tenon.benchmarks.Report "$@"
