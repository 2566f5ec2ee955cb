#include "nn/kernels/isa.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>

#include "nn/kernels/kernel_table.hpp"

#if defined(__x86_64__)
#include <cpuid.h>
#if defined(__linux__)
#include <asm/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif
#endif

namespace scalestyle::nn::kernels {
namespace {

constexpr std::array kAll = {Isa::kScalar, Isa::kAvx2,       Isa::kAvxVnni,
                             Isa::kAvx512, Isa::kAvx512Vnni, Isa::kAmxInt8};

#if defined(__x86_64__)

struct Registers {
  unsigned eax = 0;
  unsigned ebx = 0;
  unsigned ecx = 0;
  unsigned edx = 0;
};

Registers cpuid(unsigned leaf, unsigned subleaf = 0) {
  Registers r;
  if (__get_cpuid_count(leaf, subleaf, &r.eax, &r.ebx, &r.ecx, &r.edx) == 0) return {};
  return r;
}

bool bit(unsigned value, unsigned index) { return ((value >> index) & 1U) != 0; }

// Which register states the operating system saves for us.
unsigned long long enabled_states() {
  if (!bit(cpuid(1).ecx, 27)) return 0;
  unsigned low = 0;
  unsigned high = 0;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (static_cast<unsigned long long>(high) << 32U) | low;
}

// Linux hands out the 8 KiB of tile state on request only, once for the whole process.
bool request_tile_state() {
#if defined(__linux__) && defined(SYS_arch_prctl)
  constexpr int kRequestPermission = 0x1023;  // ARCH_REQ_XCOMP_PERM
  constexpr int kTileData = 18;               // XFEATURE_XTILEDATA
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
#else
  return false;
#endif
}

std::string brand_string() {
  if (cpuid(0x80000000U).eax < 0x80000004U) return "unknown";
  std::array<char, 49> text{};
  for (unsigned i = 0; i < 3; ++i) {
    const Registers r = cpuid(0x80000002U + i);
    std::memcpy(text.data() + i * 16, &r, 16);
  }
  const std::string_view brand(text.data());
  const auto begin = brand.find_first_not_of(' ');
  if (begin == std::string_view::npos) return "unknown";
  return std::string(brand.substr(begin, brand.find_last_not_of(' ') + 1 - begin));
}

CpuFeatures detect() {
  CpuFeatures features;
  features.brand = brand_string();
  const unsigned long long states = enabled_states();
  const bool ymm = (states & 0x6U) == 0x6U;
  const bool zmm = (states & 0xe6U) == 0xe6U;
  const bool tiles = (states & 0x60000U) == 0x60000U;
  const Registers one = cpuid(1);
  const Registers seven = cpuid(7, 0);
  const Registers seven_one = seven.eax >= 1 ? cpuid(7, 1) : Registers{};
  features.avx2_fma = ymm && bit(one.ecx, 12) && bit(one.ecx, 29) && bit(seven.ebx, 5);
  features.avx_vnni = features.avx2_fma && bit(seven_one.eax, 4);
  features.avx512 = features.avx2_fma && zmm && bit(seven.ebx, 16) && bit(seven.ebx, 17) && bit(seven.ebx, 30) &&
                    bit(seven.ebx, 31);
  features.avx512_vnni = features.avx512 && bit(seven.ecx, 11);
  features.avx512_bf16 = features.avx512 && bit(seven_one.eax, 5);
  const bool tile_state = features.avx512_vnni && tiles && bit(seven.edx, 24) && request_tile_state();
  features.amx_int8 = tile_state && bit(seven.edx, 25);
  features.amx_bf16 = tile_state && bit(seven.edx, 22);
  return features;
}

KernelTable make_table(Isa isa) {
  if (isa == Isa::kScalar) return scalar_kernels();
  const CpuFeatures& features = cpu_features();
  KernelTable table = isa < Isa::kAvx512 ? avx2_kernels() : avx512_kernels();
  table.isa = isa;
  if (isa == Isa::kAvxVnni) {
    table.gemm_int8 = gemm_int8_avx_vnni;
    table.dot_int8 = dot_int8_avx_vnni;
  }
  if (isa < Isa::kAvx512Vnni) return table;
  table.gemm_int8 = gemm_int8_avx512_vnni;
  table.dot_int8 = dot_int8_avx512_vnni;
  if (features.avx512_bf16) {
    table.gemm_bf16 = gemm_bf16_avx512;
    table.bf16_name = "avx512_bf16";
  }
  if (isa < Isa::kAmxInt8) return table;
  table.gemm_int8 = gemm_int8_amx;
  table.dot_int8 = dot_int8_amx;
  if (features.amx_bf16) {
    table.gemm_bf16 = gemm_bf16_amx;
    table.bf16_name = "amx_bf16";
  }
  return table;
}

#else

CpuFeatures detect() {
  CpuFeatures features;
  features.brand = "unknown";
  return features;
}

KernelTable make_table(Isa) { return scalar_kernels(); }

#endif

const KernelTable& table_of(Isa isa) {
  // Only what the processor has is ever built: a table's maker may itself use the instructions.
  static const std::array<KernelTable, kAll.size()> tables = [] {
    std::array<KernelTable, kAll.size()> made{};
    for (const Isa each : kAll) {
      if (supports(each)) made[static_cast<std::size_t>(each)] = make_table(each);
    }
    return made;
  }();
  return tables[static_cast<std::size_t>(isa)];
}

std::atomic<const KernelTable*>& active_table() {
  static std::atomic<const KernelTable*> active{&table_of(best_isa())};
  return active;
}

}  // namespace

std::string_view to_string(Isa isa) {
  switch (isa) {
    case Isa::kScalar: return "scalar";
    case Isa::kAvx2: return "avx2";
    case Isa::kAvxVnni: return "avx_vnni";
    case Isa::kAvx512: return "avx512";
    case Isa::kAvx512Vnni: return "avx512_vnni";
    case Isa::kAmxInt8: return "amx_int8";
  }
  return "scalar";
}

const CpuFeatures& cpu_features() {
  static const CpuFeatures features = detect();
  return features;
}

bool supports(Isa isa) {
  const CpuFeatures& features = cpu_features();
  switch (isa) {
    case Isa::kScalar: return true;
    case Isa::kAvx2: return features.avx2_fma;
    case Isa::kAvxVnni: return features.avx_vnni;
    case Isa::kAvx512: return features.avx512;
    case Isa::kAvx512Vnni: return features.avx512_vnni;
    case Isa::kAmxInt8: return features.amx_int8;
  }
  return false;
}

std::vector<Isa> supported_isas() {
  std::vector<Isa> result;
  std::copy_if(kAll.begin(), kAll.end(), std::back_inserter(result), supports);
  return result;
}

Isa best_isa() { return supported_isas().back(); }

Isa active_isa() { return active_kernels().isa; }

const KernelTable& active_kernels() { return *active_table().load(std::memory_order_acquire); }

core::Status force_isa(std::string_view name) {
  if (name == "auto") {
    active_table().store(&table_of(best_isa()), std::memory_order_release);
    return {};
  }
  const auto* found = std::find_if(kAll.begin(), kAll.end(), [&](Isa isa) { return to_string(isa) == name; });
  if (found == kAll.end()) {
    return core::fail(core::ErrorCode::kInvalidArgument,
                      fmt::format("unknown instruction set '{}'; one of auto, scalar, avx2, avx_vnni, avx512, "
                                  "avx512_vnni, amx_int8", name));
  }
  if (!supports(*found)) {
    return core::fail(core::ErrorCode::kUnsupported,
                      fmt::format("this processor ({}) lacks the instruction set '{}'; the best it has is '{}'",
                                  cpu_features().brand, name, to_string(best_isa())));
  }
  active_table().store(&table_of(*found), std::memory_order_release);
  return {};
}

std::string describe_active_isa() {
  const KernelTable& table = active_kernels();
  return fmt::format("{} (bf16: {}) on {}", to_string(table.isa), table.bf16_name, cpu_features().brand);
}

}  // namespace scalestyle::nn::kernels
