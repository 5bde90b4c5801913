# shellcheck shell=sh
# SPDX-License-Identifier: Apache-2.0
# What the scripts of this folder share. The sourcing script has set -eu and $me, its name in messages.

die() {
    # shellcheck disable=SC2154 # Set by the script.
    printf '%s: %s\n' "$me" "$1" >&2
    exit 2
}

say() {
    printf '%s: %s\n' "$me" "$1" >&2
}

# number NAME VALUE [LEAST]: a whole number, not below LEAST (default 1).
number() {
    case $2 in
        '' | *[!0-9]* | ??????????*) die "$1 is \"$2\", wanted: a whole number" ;;
    esac
    [ "$2" -ge "${3:-1}" ] || die "$1 is $2, allowed: ${3:-1} or more"
}

# need TOOL WHY
need() {
    command -v "$1" >/dev/null 2>&1 || die "$1 is needed $2"
}

# What the model's config.json says: LAYERS KV_HEADS HEAD_SIZE QUERY_HEADS PARAMETERS; nothing if it is not known.
known_model() {
    case $1 in
        meta-llama/Llama-3.1-8B-Instruct) echo '32 8 128 32 8030261248' ;;
        meta-llama/Llama-3.3-70B-Instruct) echo '80 8 128 64 70553706496' ;;
    esac
}

# compose DIR ARGUMENT…: docker compose on a project that up has written.
compose() {
    project=$1
    shift
    need docker 'with its compose plugin'
    docker compose --project-directory "$project" -f "$project/compose.yaml" "$@"
}

# Reads the addresses that up has written beside the project: PROXY PREFILL DECODE MODEL …
load_addresses() {
    [ -f "$1/addresses" ] || die "$1 is no deployment: deploy/up writes one"
    while IFS='=' read -r name value; do
        case $name in
            PROXY) PROXY=${PROXY:-$value} ;;
            PREFILL) PREFILL=${PREFILL:-$value} ;;
            DECODE) DECODE=${DECODE:-$value} ;;
            MODEL) MODEL=${MODEL:-$value} ;;
        esac
    done <"$1/addresses"
}

# The value of a variable in an env file, which no trace (set -x) and no process list shows.
env_value() {
    [ ! -f "$1" ] || sed -n "s/^$2=//p" "$1" | tail -n 1
}

# call URL [CURL ARGUMENT…]: curl with the deployment's API key, if it has one. The key is no argument, which everybody
# on the host could see, and standard input is the caller's.
call() {
    url=$1
    shift
    key=$(env_value "${DIR:-.}/vllm.env" VLLM_API_KEY)
    config=''
    [ -z "$key" ] || config="header = \"Authorization: Bearer $key\""
    curl --silent --show-error --fail --max-time 600 --config /dev/fd/3 "$@" "$url" 3<<END
$config
END
}

# sample NAME URL…: the sum of a metric over the instances, and over the labels unless NAME has them.
sample() {
    metric=$1
    shift
    for instance in "$@"; do
        call "$instance/metrics"
    done | awk -v name="$metric" '
        { found = $1; if (name !~ /[{]/) sub(/[{].*/, "", found) }
        found == name { sum += $NF }
        END { printf "%.9f\n", sum }'
}

# draw: a text that no cache has seen before.
draw() {
    od -An -N12 -tx1 /dev/urandom | tr -d ' \n'
}
