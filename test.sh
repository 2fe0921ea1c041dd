#!/bin/bash
# Builds everything, runs every test, checks the formatting, and ends with "N passed, N failed, N skipped". The CUDA tests run on the
# software CUDA device of native/softcuda; what it and the kernels are compiled with is installed from Debian where it is missing.
# Arguments go to `dotnet test`, and leave out the tests of native/ and kernels/: ./test.sh --filter Name~Planner
set -u

here=$(CDPATH='' cd -- "$(dirname -- "$(readlink -f -- "$0")")" && pwd) || exit 1
cd "$here" || exit 1
export DOTNET_SYSTEM_GLOBALIZATION_INVARIANT="${DOTNET_SYSTEM_GLOBALIZATION_INVARIANT:-1}"
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1
[ -n "${HOME:-}" ] || export HOME=/tmp
if ! command -v dotnet >/dev/null 2>&1 && [ -x "$HOME/.dotnet/dotnet" ]; then
    PATH="$HOME/.dotnet:$PATH"
fi

passed=0 failed=0 skipped=0

finish() {
    echo "$passed passed, $failed failed, $skipped skipped"
    [ "$failed" -eq 0 ]
    exit
}

# Steps that are no test of their own count as one each.
check() {
    local name=$1
    shift
    echo "== $name"
    if "$@"; then
        passed=$((passed + 1))
    else
        echo "FAILED: $name"
        failed=$((failed + 1))
        return 1
    fi
}

# A number of a .trx file's <Counters .../>.
counter() {
    sed -n "s/.*<Counters [^>]*$2=\"\([0-9]*\)\".*/\1/p" "$1" | head -n 1
}

build_native() {
    local log
    log=$(mktemp) || return
    if cmake -S . -B build -DCMAKE_BUILD_TYPE=Release ${FASTNN_PTXAS:+"-DFASTNN_PTXAS=$FASTNN_PTXAS"} >"$log" 2>&1 \
        && cmake --build build --parallel "$(nproc)" >>"$log" 2>&1; then
        rm -f "$log"
    else
        grep -iE 'error|fatal|FAILED' "$log" | head -n 20
        echo "all of it: $log"
        return 1
    fi
}

# The tests of kernels/ and native/, counted from CTest's report.
run_native_tests() {
    local report total bad skips
    report=$(mktemp)
    echo "== tests of kernels/ and native/"
    ctest --test-dir build --parallel "$(nproc)" --output-on-failure --output-junit "$report" | grep -vE '^ +Start |^$'
    total=$(sed -n 's/.*tests="\([0-9]*\)".*/\1/p' "$report" | head -n 1)
    bad=$(sed -n 's/.*failures="\([0-9]*\)".*/\1/p' "$report" | head -n 1)
    skips=$(sed -n 's/.*skipped="\([0-9]*\)".*/\1/p' "$report" | head -n 1)
    rm -f "$report"
    if [ "${total:-0}" -eq 0 ]; then
        echo "FAILED: CTest ran nothing"
        failed=$((failed + 1))
        return
    fi
    passed=$((passed + total - bad - skips)) failed=$((failed + bad)) skipped=$((skipped + skips))
}

run_tests() {
    local results trx code total good bad
    results=$(mktemp -d) || return
    echo "== tests"
    dotnet test FastNN.sln -c Release --no-build --nologo --logger "console;verbosity=minimal" --logger trx --results-directory "$results" "$@"
    code=$?
    bad=0
    for trx in "$results"/*.trx; do
        [ -f "$trx" ] || continue
        total=$(counter "$trx" total) good=$(counter "$trx" passed)
        bad=$(($(counter "$trx" failed) + $(counter "$trx" error) + $(counter "$trx" timeout) + $(counter "$trx" aborted)))
        passed=$((passed + good)) failed=$((failed + bad)) skipped=$((skipped + total - good - bad))
    done
    # A test host that died leaves no file, or one that ends in the middle.
    if [ "$code" -ne 0 ] && [ "$failed" -eq 0 ]; then
        echo "FAILED: the tests ended with code $code before their end"
        failed=$((failed + 1))
    fi
    rm -rf "$results"
}

check "tools for the CUDA kernels and their tests" native/install-tools || finish
check "build of kernels/ and native/" build_native || finish
[ $# -gt 0 ] || run_native_tests
export FASTNN_CUDA_PATH="$here/build/softcuda"

check "build" dotnet build FastNN.sln -c Release -v quiet --nologo -clp:NoSummary || finish
# Whitespace only: usings and code style are errors of the build.
check "formatting" dotnet format whitespace . --folder --verify-no-changes --exclude '**/bin/' '**/obj/'

if ! mnist=$(./fastnn data mnist 2>&1); then
    echo "MNIST is not to be had here, tests that need it are skipped: $(echo "$mnist" | tail -n 1)"
fi

run_tests "$@"
finish
