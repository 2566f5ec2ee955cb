#include "support/source_folder.hpp"

namespace scalestyle::support {

std::filesystem::path source_folder() { return SCALESTYLE_SOURCE_DIR; }

}  // namespace scalestyle::support
