#!/bin/sh
# Checks slugify.sh. Run with: sh test.sh
status=0
check() {
    got=$(sh slugify.sh "$1")
    if [ "$got" = "$2" ]; then
        echo "ok    '$1'"
    else
        echo "FAIL  '$1': expected '$2', got '$got'"
        status=1
    fi
}
check "Hello World" "hello-world"
check "  spaces   everywhere " "spaces-everywhere"
check "Rust: fast & safe!" "rust-fast-safe"
exit $status
