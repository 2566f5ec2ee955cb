#pragma once
// Register-only peaks of this processor: what the matrix kernels are measured against. Each runs for about 10 ms on the
// calling thread and returns giga-operations a second (a multiplication and an addition are two), or 0 where the
// processor lacks the instruction.

#include "nn/kernels/isa.hpp"

namespace scalestyle::bench {

struct Peaks {
  double f32_fma = 0.0;       // 512-bit where there is, else 256-bit
  double bf16_dot = 0.0;      // vdpbf16ps
  double int8_vnni = 0.0;     // vpdpbusd, 512-bit where there is, else 256-bit
  double int8_madd = 0.0;     // vpmaddwd and vpaddd of 256 bits, on bytes widened before
  double amx_int8 = 0.0;      // tdpbusd
  double amx_bf16 = 0.0;      // tdpbf16ps
};

[[nodiscard]] Peaks measure_peaks();

// The peak of exact int8 products with the instructions of `isa`.
[[nodiscard]] double int8_peak(const Peaks& peaks, nn::kernels::Isa isa);

}  // namespace scalestyle::bench
