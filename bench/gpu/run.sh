#!/usr/bin/env bash
# Training on a GPU, in one command without network and in at most 9 minutes:
#
#   bash bench/gpu/run.sh [--python PYTHON] [--device cpu --shapes tiny] [--rounds N] [--windows N]
#
# It needs Node 20 with this repository's node_modules, a C++ compiler, and a PyTorch with CUDA (that of PYTHON, or
# LIBTORCH); the addon is built against that. The peers need the packages of bench/peers/requirements.txt in PYTHON; without
# them ilora is timed alone. The last line of stdout is one JSON object: ../../bench/gpu/gpu.ts says what is in it.
set -u
cd "$(dirname "$0")/../.."
python=${ILORA_BENCH_PYTHON:-python3}
device=cuda
rest=()
while [ $# -gt 0 ]; do
  case $1 in
    --python) python=${2:?--python: expected a program}; shift ;;
    --device) device=${2:?--device: expected cuda or cpu}; shift ;;
    *) rest+=("$1") ;;
  esac
  shift
done

missing=()
if ! command -v node > /dev/null; then missing+=('node: expected Node.js 20.19 or newer on PATH, got none')
elif ! node -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 20 || (a == 20 && b >= 19) ? 0 : 1)'; then
  missing+=("node: expected 20.19 or newer, got $(node --version)")
fi
[ -d node_modules/tsx ] || missing+=('node_modules: expected the packages of package-lock.json (npm install, or a copy from a machine with network)')
command -v "${CXX:-c++}" > /dev/null || missing+=("${CXX:-c++}: expected a C++ compiler, got none")
peers=()
if command -v "$python" > /dev/null && "$python" -c 'import torch' 2> /dev/null; then
  [ "$device" = cpu ] || "$python" -c 'import sys, torch; sys.exit(not torch.cuda.is_available())' ||
    missing+=("GPU: expected one that $python's torch can use, got none")
  if "$python" -c 'import transformers, peft, safetensors' 2> /dev/null; then peers=(--python "$python")
  else echo "$python has no transformers, peft and safetensors: ilora is timed alone" >&2; fi
  export PYTHON=$python
  # The first place the engine looks at: not what `ilora setup` may have installed, which is for the CPU.
  export LIBTORCH=${LIBTORCH:-$("$python" -c 'import os, torch; print(os.path.dirname(torch.__file__))')}
elif [ -z "${LIBTORCH:-}" ]; then
  missing+=("$python: expected a Python with torch, or LIBTORCH naming libtorch, got neither")
fi
if [ ${#missing[@]} -gt 0 ]; then
  printf 'bench/gpu: %s\n' "${missing[@]}" >&2
  exit 2
fi
exec timeout --signal=TERM 560 node --import tsx bench/gpu/gpu.ts --device "$device" ${peers[@]+"${peers[@]}"} ${rest[@]+"${rest[@]}"}
