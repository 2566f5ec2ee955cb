#pragma once
// How the camera was held (EXIF 2.32, tag 0x0112), read from the file with our own bounds, and the picture turned by it.

#include <cstddef>
#include <cstdint>
#include <span>

#include "image/decode.hpp"

namespace scalestyle::image {

// 1-8; 1, as it is, where the file says nothing or nothing sensible: what EXIF says is no reason to refuse a picture.
// Any bytes will do. Looks at the first EXIF block and the first directory in it, in time linear to the file.
[[nodiscard]] unsigned orientation(Format format, std::span<const std::byte> bytes);

void turn_upright(Picture& picture, unsigned orientation);

}  // namespace scalestyle::image
