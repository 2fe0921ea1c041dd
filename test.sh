#!/bin/bash
# Builds everything, runs every test, checks the formatting, and ends with "N passed, N failed, N skipped". The CUDA tests run on the
# software CUDA device of native/softcuda; what it and the kernels are compiled with is installed from Debian where it is missing.
# --quick takes a sample: fewer random programs, a fifth of the operators' cases, one narrower SIMD rung, no stress. --full takes on CUDA and on
# the narrower rungs every case of the operators, and not every fourth or fifth one, which is some minutes more.
# Other arguments go to `dotnet test`, and leave out the tests of native/ and kernels/: ./test.sh --filter Name~Planner
set -u

quick='' full=''
case ${1:-} in
    --quick) quick=1 ;;
    --full) full=1 ;;
esac
[ -z "$quick$full" ] || shift

here=$(CDPATH='' cd -- "$(dirname -- "$(readlink -f -- "$0")")" && pwd) || exit 1
cd "$here" || exit 1
export DOTNET_SYSTEM_GLOBALIZATION_INVARIANT="${DOTNET_SYSTEM_GLOBALIZATION_INVARIANT:-1}"
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1
# What is built and fetched holds programs: without a home it goes into the checkout, not into a folder that is open to everybody.
if [ -z "${HOME:-}" ]; then
    mkdir -p build && { [ -d build/home ] || mkdir -m 700 build/home; } || exit 1
    export HOME="$here/build/home"
fi
if ! command -v dotnet >/dev/null 2>&1 && [ -x "$HOME/.dotnet/dotnet" ]; then
    PATH="$HOME/.dotnet:$PATH"
fi

passed=0 failed=0 skipped=0

finish() {
    echo "$passed passed, $failed failed, $skipped skipped"
    [ "$failed" -eq 0 ]
    exit
}

# Steps other than test projects count as one each.
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

# Starts a step beside others; collect waits for all of them, and shows what each said.
beside_names=() beside_pids=() beside_logs=()
beside() {
    beside_names+=("$1")
    shift
    beside_logs+=("$(mktemp)")
    (
        trap - INT QUIT
        [ "$(type -t "$1")" = function ] || exec "$@"
        "$@"
    ) >"${beside_logs[-1]}" 2>&1 &
    beside_pids+=($!)
}

collect() {
    local i
    # shellcheck disable=SC2064
    trap "kill ${beside_pids[*]} 2>/dev/null; exit 130" INT TERM
    for i in "${!beside_pids[@]}"; do
        echo "== ${beside_names[$i]}"
        if wait "${beside_pids[$i]}"; then
            passed=$((passed + 1))
            cat "${beside_logs[$i]}"
        else
            failed=$((failed + 1))
            cat "${beside_logs[$i]}"
            echo "FAILED: ${beside_names[$i]}"
        fi
        rm -f "${beside_logs[$i]}"
    done
    beside_names=() beside_pids=() beside_logs=()
    trap - INT TERM
}

# A number of a .trx file's <Counters .../>.
counter() {
    sed -n "s/.*<Counters [^>]*$2=\"\([0-9]*\)\".*/\1/p" "$1" | head -n 1
}

build_native() {
    local log
    log=$(mktemp) || return
    # The managed build, which is the longer one, goes before.
    if cmake -S . -B build -DCMAKE_BUILD_TYPE=Release ${FASTNN_PTXAS:+"-DFASTNN_PTXAS=$FASTNN_PTXAS"} >"$log" 2>&1 \
        && nice -n 10 cmake --build build --parallel "$(nproc)" >>"$log" 2>&1; then
        rm -f "$log"
    else
        grep -iE 'error|fatal|FAILED' "$log" | head -n 20
        echo "all of it: $log"
        return 1
    fi
}

# One compiler for all projects compiles its own analyzers once, in place of once for each project; what measuring itself would gain, a build does not
# live to see. Both together halve the time. It is stopped behind the build, as it would stay for minutes.
build_managed() {
    local code
    DOTNET_TieredPGO=0 dotnet build FastNN.sln -c Release -v quiet --nologo -clp:NoSummary -p:UseSharedCompilation=true
    code=$?
    dotnet build-server shutdown --vbcscompiler >/dev/null 2>&1
    return "$code"
}

# Adds what CTest reported of the tests of kernels/ and native/.
count_native_tests() {
    local total bad skips
    total=$(sed -n 's/.*tests="\([0-9]*\)".*/\1/p' "$1" | head -n 1)
    bad=$(sed -n 's/.*failures="\([0-9]*\)".*/\1/p' "$1" | head -n 1)
    skips=$(sed -n 's/.*skipped="\([0-9]*\)".*/\1/p' "$1" | head -n 1)
    if [ "${total:-0}" -eq 0 ]; then
        echo "FAILED: CTest ran nothing"
        failed=$((failed + 1))
        return
    fi
    passed=$((passed + total - bad - skips)) failed=$((failed + bad)) skipped=$((skipped + skips))
    echo "  kernels/ and native/: $((total - bad - skips)) passed, $bad failed, $skips skipped"
    sed -n 's/.*SKIPPED: \([^<]*\).*/\1/p' "$1" | sort | uniq -c | sed 's/^ *\([0-9]*\) \(.*\)/  skipped \1 times: \2/'
}

# Adds what a test project reported, and says what failed in it.
count_tests() {
    local name=$1 code=$2 trx="$results/$1.trx" total=0 good=0 bad=0
    if [ "$code" -ne 0 ]; then
        grep -vE '^ +Passed |^ +Skipped |^$' "$results/$name.log" | sed "s/^/  /"
    fi
    if [ -f "$trx" ]; then
        total=$(counter "$trx" total) good=$(counter "$trx" passed)
        bad=$(($(counter "$trx" failed) + $(counter "$trx" error) + $(counter "$trx" timeout) + $(counter "$trx" aborted)))
        passed=$((passed + good)) failed=$((failed + bad)) skipped=$((skipped + total - good - bad))
        echo "  $name: $good passed, $bad failed, $((total - good - bad)) skipped in$(sed -n 's/^ *Total time://p' "$results/$name.log" | tail -n 1)"
    fi
    # A test host that died leaves no file, or one that ends in the middle.
    if [ "$code" -ne 0 ] && [ "$bad" -eq 0 ]; then
        echo "FAILED: $name ended with code $code before its end"
        failed=$((failed + 1))
    fi
}

# What a test project is doing: how many tests are behind it, and which was the last.
progress() {
    local log="$results/$1.log" tests='^ +(Passed|Failed|Skipped) '
    if grep -q 'Total time:' "$log"; then
        echo "$1: done"
    else
        echo "$1: $(grep -cE "$tests" "$log") tests, the last $(grep -E "$tests" "$log" | tail -n 1 | cut -c 1-90 | sed 's/^ *//')"
    fi
}

# Tests of category Apart have processes of their own. A filter of two names that are not to match would let both through.
# One process for the CPU, one for CUDA, one that sees no internals, one for the operator of the docs, one for ONNX, one each for the recipes and the
# narrower SIMD rungs of FastNN.Tests, so that they do not come behind everything else, and CTest, all beside each other.
run_tests() {
    local projects="FastNN.Tests FastNN.Cuda.Tests FastNN.Users.Tests FastNN.Example.Tests FastNN.Onnx.Tests FastNN.Hosting.Tests" project folder filter pid pids="" native="" running=0 cases priority profile waited=0
    results=$(mktemp -d) || return
    if [ $# -eq 0 ]; then
        projects="$projects recipes rungs"
        ctest --test-dir build --parallel "$(nproc)" --output-on-failure --output-junit "$results/native.xml" >"$results/native.log" 2>&1 &
        native=$!
    fi
    echo "== tests of the CPU, of CUDA, of users' code, of ONNX${native:+, of recipes, of SIMD rungs, of kernels/ and native/}, beside each other"
    for project in $projects; do
        cases='' folder=$project filter=''
        case $#$project in
            0FastNN.Tests) filter='TestCategory!=Apart' ;;
            0rungs) folder=FastNN.Tests filter='FullyQualifiedName~RungTests' ;;
            0recipes) folder=FastNN.Tests filter='FullyQualifiedName~QuickRecipeTests' ;;
        esac
        case ${quick:+quick}${full:+full}:$project in
            quick:FastNN.Cuda.Tests | quick:FastNN.Tests) cases=5 ;;
            :FastNN.Cuda.Tests) cases=4 ;;
            :rungs) cases=5 ;;
        esac
        # The two longest go before the others, so that none is left alone at the end.
        case $project in
            FastNN.Tests | FastNN.Cuda.Tests) priority=0 ;;
            *) priority=5 ;;
        esac
        # A test runs too briefly to gain what the runtime's own measuring costs, a sixth of the time. The CPU and services run as in users' programs.
        case $project in
            FastNN.Tests | FastNN.Hosting.Tests) profile=1 ;;
            *) profile=0 ;;
        esac
        # What is started in the background ignores interruptions, and so would what the tests start and interrupt.
        (
            trap - INT QUIT
            DOTNET_TieredPGO=$profile FASTNN_QUICK=$quick FASTNN_EVERY_NTH_CASE=$cases exec nice -n "$priority" dotnet test "tests/$folder" -c Release --no-build --nologo ${filter:+--filter "$filter"} \
                --logger "console;verbosity=normal" --logger "trx;LogFileName=$project.trx" --results-directory "$results" "$@"
        ) >"$results/$project.log" 2>&1 &
        pids="$pids $!"
    done
    # shellcheck disable=SC2064
    trap "kill $pids $native ${beside_pids[*]} 2>/dev/null; exit 130" INT TERM

    while :; do
        running=0
        for pid in $pids $native; do
            ! kill -0 "$pid" 2>/dev/null || running=1
        done
        [ "$running" -eq 1 ] || break
        sleep 1
        waited=$((waited + 1))
        if [ $((waited % 15)) -eq 0 ]; then
            echo "  $waited s"
            for project in $projects; do
                echo "    $(progress "$project")"
            done
        fi
    done

    if [ -n "$native" ]; then
        wait "$native" || grep -vE '^ +Start |^$|Passed' "$results/native.log"
        count_native_tests "$results/native.xml"
    fi
    for project in $projects; do
        # shellcheck disable=SC2086
        set -- $pids
        wait "$1"
        count_tests "$project" $?
        shift
        pids=$*
    done
    trap - INT TERM
    awk -f tests/report.awk "$results"/*.trx
    rm -rf "$results"
}

check "tools for the CUDA kernels and their tests" native/install-tools || finish
# Projects wait for one another, so the managed build leaves a processor idle half of the time.
beside "build of kernels/ and native/" build_native
check "build" build_managed
collect
[ "$failed" -eq 0 ] || finish
export FASTNN_CUDA_PATH="$here/build/softcuda"

# Whitespace only: usings and code style are errors of the build.
check "formatting" dotnet format whitespace . --folder --verify-no-changes --exclude '**/bin/' '**/obj/'

if ! mnist=$(./fastnn data mnist 2>&1); then
    echo "MNIST is not available here; tests that need it are skipped: $(echo "$mnist" | tail -n 1)"
fi

if [ $# -eq 0 ] && [ -z "$quick" ]; then
    # It takes what the tests leave of the processors. The branches that only a real GPU takes, and the checks of global memory, are on there.
    beside "the GPU bundle, without a network, on the software device in disguise" nice -n 10 tools/gpu-bundle --check
fi
run_tests "$@"
if [ $# -eq 0 ] && [ -z "$quick" ]; then
    beside "the documentation site, without a warning" docs/site/build
    beside "packages and samples" samples/run --no-build
    beside "20 seconds of random interleavings (tests/FastNN.Stress)" dotnet run -c Release --no-build --project tests/FastNN.Stress -- --seconds 20
    collect
fi
finish
