#pragma once
// The product of two rows of int8 codes (retrieval/quantized_vectors.hpp): what a graph compares nodes by. Exact, so the
// same on every processor.

#include <cstddef>
#include <cstdint>

namespace scalestyle::adapters::graph {

// Sum of a[i] · b[i]. `count` is a multiple of 64, at most 8,192; codes are −127 … 127.
using CodeProduct = std::int32_t (*)(const std::int8_t* a, const std::int8_t* b, std::size_t count);

[[nodiscard]] std::int32_t code_product_scalar(const std::int8_t* a, const std::int8_t* b, std::size_t count);
#if defined(__x86_64__)
// Needs AVX2.
[[nodiscard]] std::int32_t code_product_avx2(const std::int8_t* a, const std::int8_t* b, std::size_t count);
#endif

// The fastest that the active instruction set (nn/kernels/isa.hpp) allows.
[[nodiscard]] CodeProduct code_product();

}  // namespace scalestyle::adapters::graph
