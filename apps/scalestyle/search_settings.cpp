#include "search_settings.hpp"

namespace scalestyle::app {

std::vector<std::string> with_search_settings(std::vector<std::string> names) {
  for (const char* name : {"fusion", "dense_weight", "reciprocal_rank_constant", "lexical_name_weight", "lexical_type_weight",
                           "lexical_colour_weight", "lexical_category_weight", "lexical_description_weight", "synonyms", "preference_weight",
                           "understand_thing_weight", "understand_colour_weight", "understand_audience_weight",
                           "understand_appearance_weight", "understand_place_weight", "understand_audience_filters"}) {
    names.emplace_back(name);
  }
  return names;
}

core::Result<retrieval::LexicalOptions> lexical_options(const core::Settings& settings) {
  const auto weight = [&](std::string_view name) { return static_cast<float>(settings.number(name)); };
  retrieval::LexicalOptions options;
  options.name_weight = weight("lexical_name_weight");
  options.type_weight = weight("lexical_type_weight");
  options.colour_weight = weight("lexical_colour_weight");
  options.category_weight = weight("lexical_category_weight");
  options.description_weight = weight("lexical_description_weight");
  CORE_CHECK(options.validate());
  return options;
}

core::Result<retrieval::UnderstandingOptions> understanding_options(const core::Settings& settings) {
  retrieval::UnderstandingOptions options;
  options.thing = settings.number("understand_thing_weight");
  options.colour = settings.number("understand_colour_weight");
  options.audience = settings.number("understand_audience_weight");
  options.appearance = settings.number("understand_appearance_weight");
  options.place = settings.number("understand_place_weight");
  options.audience_filters = settings.boolean("understand_audience_filters");
  CORE_CHECK(options.validate());
  return options;
}

core::Result<ranking::FusionOptions> fusion_options(const core::Settings& settings) {
  ranking::FusionOptions options;
  options.method = ranking::fusion_method(settings.text("fusion")).value_or(options.method);  // the table knows the names
  options.dense_weight = settings.number("dense_weight");
  options.reciprocal_rank_constant = settings.number("reciprocal_rank_constant");
  options.preference_weight = settings.number("preference_weight");
  CORE_CHECK(options.validate());
  return options;
}

core::Result<std::unique_ptr<search::SynonymFile>> open_synonyms(const core::Settings& settings) {
  const std::string path = settings.text("synonyms");
  if (path.empty()) return std::unique_ptr<search::SynonymFile>();
  return search::SynonymFile::open(path);
}

}  // namespace scalestyle::app
