#!/usr/bin/env bash
# What `npm test` runs: installs what is missing, then all checks and tests. Every part runs, also
# after one that failed; the summary of the test runner comes last.
set -uo pipefail
cd "$(dirname "$0")/.."
failed=()

check() { # check NAME COMMAND...
  local name=$1
  shift
  if "$@"; then return; fi
  echo "FAILED: $name ($*)" >&2
  failed+=("$name")
}

if [ ! -d node_modules ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
  # Not `npm ci`: npm 11 refuses a lock without the optional packages of other platforms, which the
  # registry lacked when the lock was made; `npm install` takes the same versions from it.
  npm install --no-save --no-audit --no-fund || exit 1
fi
node bin/ilora.js setup --yes || exit 1

check types npx tsc --noEmit
check style npx biome check .
check layers npx tsx scripts/check-layers.ts
check docs npx tsx scripts/check-docs.ts
check results npx tsx scripts/results.ts --check

# Each file is a process with libtorch's threads. Waiting threads must not spin: with as many
# processes as cores they would take the time of those that work.
export OMP_WAIT_POLICY="${OMP_WAIT_POLICY:-PASSIVE}"
shopt -s globstar nullglob
tests=(tests/**/*.test.ts)
[ ${#tests[@]} -gt 0 ] || { echo 'FAILED: no tests found' >&2; exit 1; }
summary=$(mktemp)
trap 'rm -f "$summary"' EXIT
node --import tsx --test --test-concurrency=2 --test-reporter=spec --test-reporter-destination=stdout \
  --test-reporter=tap --test-reporter-destination="$summary" "${tests[@]}"
tests_status=$?
[ "$tests_status" -eq 0 ] || failed+=(tests)
if [ ${#failed[@]} -gt 0 ]; then echo "FAILED: ${failed[*]}" >&2; fi
grep -E '^# (tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) ' "$summary"
[ ${#failed[@]} -eq 0 ]
