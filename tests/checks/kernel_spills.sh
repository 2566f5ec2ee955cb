#!/bin/sh
# usage: kernel_spills.sh <libscalestyle_nn.a>
# Fails when a vector micro-kernel keeps a vector register on the stack: GCC 12 does so when an accumulator loop is not
# unrolled, and the kernel then runs at a fraction of its speed. The scalar reference is exempt.
set -eu
archive=${1:?usage: kernel_spills.sh <libscalestyle_nn.a>}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
objdump -d -C --no-show-raw-insn "$archive" > "$work/listing"
awk '
  /file format/ { scalar = index($0, "table_scalar") > 0; next }
  /^[0-9a-f]+ <.*>:$/ {
    kernel = !scalar && /multiply_(f32|stored|dot512|vnni|widened|square|strip)</
    if (kernel) { seen++; name = $0 }
    next
  }
  kernel && /\(%r[sb]p[,)]/ && /%[xyz]mm/ && !/v?movq/ { print "spill in " name; print $0; bad = 1; kernel = 0 }
  END {
    if (seen == 0) { print "no micro-kernel found: was the archive built for this processor?"; exit 1 }
    print seen " micro-kernels looked at"
    exit bad
  }' "$work/listing"
