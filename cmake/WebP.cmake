# WebP::webp: the library of the WebP format, whose Debian package brings no CMake file.
find_path(WEBP_INCLUDE_DIR webp/decode.h REQUIRED)
find_library(WEBP_LIBRARY webp REQUIRED)
add_library(WebP::webp UNKNOWN IMPORTED)
set_target_properties(WebP::webp PROPERTIES
  IMPORTED_LOCATION ${WEBP_LIBRARY}
  INTERFACE_INCLUDE_DIRECTORIES ${WEBP_INCLUDE_DIR})
