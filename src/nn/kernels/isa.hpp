#pragma once
// Which instruction set the kernels use. Chosen once by CPUID, visible to `doctor`, and can be forced.
// Every kernel gives the same bits on every instruction set, bf16 products excepted (see gemm.hpp).
//
// Thread safety: everything may be called from any thread. force_isa takes effect for calls that start afterwards.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace scalestyle::nn::kernels {

// Ordered: a later one is preferred where the processor has it.
enum class Isa : std::uint8_t {
  kScalar,      // portable C++, the reference for all others
  kAvx2,        // AVX2 and FMA
  kAvxVnni,     // the same with 256-bit VNNI
  kAvx512,      // F, BW, VL, DQ
  kAvx512Vnni,  // the same with 512-bit VNNI (and AVX512-BF16 where present)
  kAmxInt8,     // the same with AMX int8 tiles (and AMX-BF16 where present)
};

[[nodiscard]] std::string_view to_string(Isa isa);  // "scalar", "avx2", "avx_vnni", "avx512", "avx512_vnni", "amx_int8"

// What the processor has and the operating system lets us use.
struct CpuFeatures {
  bool avx2_fma = false;
  bool avx_vnni = false;
  bool avx512 = false;
  bool avx512_vnni = false;
  bool avx512_bf16 = false;
  bool amx_int8 = false;
  bool amx_bf16 = false;
  std::string brand;  // as the processor names itself; "unknown" where it does not
};

[[nodiscard]] const CpuFeatures& cpu_features();
[[nodiscard]] bool supports(Isa isa);
[[nodiscard]] std::vector<Isa> supported_isas();  // ascending, never empty
[[nodiscard]] Isa best_isa();
[[nodiscard]] Isa active_isa();

// `name` is one of to_string's, or "auto" for the best one.
// Errors: invalid_argument for an unknown name, unsupported when this processor lacks it.
[[nodiscard]] core::Status force_isa(std::string_view name);

// One line for people: "amx_int8 (bf16: amx) on Intel(R) Xeon(R) ...".
[[nodiscard]] std::string describe_active_isa();

}  // namespace scalestyle::nn::kernels
