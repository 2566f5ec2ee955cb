#pragma once
// The vision model of the settings, where `vision_enabled` wants one.

#include <memory>
#include <string>
#include <vector>

#include "adapters/embedded/local_image_encoder.hpp"
#include "core/result.hpp"
#include "core/settings.hpp"
#include "runtime.hpp"

namespace scalestyle::app {

// `names` and the settings of vision.
[[nodiscard]] std::vector<std::string> with_vision_settings(std::vector<std::string> names);

// Null where vision is off. Errors: kNotFound and kDataLoss naming the fetch command, kResourceExhausted (memory), all with
// the setting as field; those of LocalImageEncoder::create.
[[nodiscard]] core::Result<std::unique_ptr<adapters::embedded::LocalImageEncoder>> load_image_encoder(
    const core::Settings& settings, Compute& compute);

}  // namespace scalestyle::app
