// In place of milvus_stack.cpp and milvus_options.cpp in a program that is built without Milvus.

#include "doctor_parts.hpp"
#include "milvus_stack.hpp"

#include <cstdlib>

namespace scalestyle::app {

struct MilvusStack::Impl {};

MilvusStack::MilvusStack(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
MilvusStack::~MilvusStack() = default;

core::Result<std::unique_ptr<MilvusStack>> MilvusStack::open(const core::Settings& /*settings*/, Services /*services*/) {
  return core::fail(core::ErrorCode::kUnsupported, "this program was built without Milvus", "vector_store");
}

// Never called: there is no such object.
core::Result<ports::VectorIndex*> MilvusStack::index(ports::VectorsOf /*what*/, const ports::EncoderInfo& /*query*/) { std::abort(); }
std::string MilvusStack::trouble() const { return {}; }
void MilvusStack::stop() {}

struct MilvusFilling::Impl {};

MilvusFilling::MilvusFilling(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
MilvusFilling::~MilvusFilling() = default;

core::Result<std::unique_ptr<MilvusFilling>> MilvusFilling::open(const core::Settings& /*settings*/, MilvusStack::Services /*services*/) {
  return core::fail(core::ErrorCode::kUnsupported, "this program was built without Milvus", "to");
}

ports::CatalogTarget& MilvusFilling::target() { std::abort(); }

// Naming the engine for a store is what fails: choose_stores().
Checks check_milvus(const core::Settings& /*settings*/, const core::Clock& /*clock*/) { return {}; }

}  // namespace scalestyle::app
