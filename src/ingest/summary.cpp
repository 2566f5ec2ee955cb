#include <fmt/format.h>

#include <boost/json.hpp>

#include "ingest/ingest.hpp"

namespace scalestyle::ingest {

namespace {

// Calls visit(what, number) for what the store counts.
template <class Visit>
void for_each_count(const ports::TargetCounts& counts, Visit&& visit) {
  if (counts.articles) visit("articles", *counts.articles);
  if (counts.text_vectors) visit("text_vectors", *counts.text_vectors);
  if (counts.image_vectors) visit("image_vectors", *counts.image_vectors);
  if (counts.neighbours) visit("neighbours", *counts.neighbours);
  if (counts.popular) visit("popular", *counts.popular);
}

std::string describe(const FilledTarget& target) {
  std::string counts;
  for_each_count(target.counts, [&](std::string_view what, std::size_t number) {
    counts += fmt::format("{}{} {}", counts.empty() ? "" : ", ", number, what);
  });
  return fmt::format("  {:<10} {}, in {:.1f} s\n", target.name, counts, target.seconds);
}

boost::json::object to_object(const FilledTarget& target) {
  boost::json::object object{{"name", target.name}, {"seconds", target.seconds}};
  for_each_count(target.counts, [&](const char* what, std::size_t number) { object[what] = number; });
  return object;
}

}  // namespace

std::string IngestSummary::to_text() const {
  std::string text = fmt::format("generation {} is current\n", generation.value());
  text += fmt::format("  rows       {} read, {} accepted, {} rejected\n", rows_read, accepted, rejected);
  for (const auto& [cause, rows] : rejected_by_cause) text += fmt::format("             {} × {}\n", rows, cause);
  if (!rejects_file.empty()) text += fmt::format("  rejects    {}\n", rejects_file.string());
  text += fmt::format("  texts      {} distinct: {} reused, {} from an interrupted run, {} embedded now\n", distinct_texts,
                      reused_texts, resumed_texts, embedded_texts);
  if (supplied_vectors > 0) text += fmt::format("  vectors    {} supplied\n", supplied_vectors);
  if (distinct_photos + image_vectors + rejected_photos > 0) {
    text += fmt::format("  photos     {} distinct: {} reused, {} from an interrupted run, {} embedded now\n", distinct_photos,
                        reused_photos, resumed_photos, embedded_photos);
    text += fmt::format("             {} articles can be found by their photo, {} photos rejected", image_vectors, rejected_photos);
    text += supplied_image_vectors > 0 ? fmt::format(", {} vectors supplied\n", supplied_image_vectors) : "\n";
  }
  text += fmt::format("  articles   {} with a price, {} with a picture, {} purchases\n", with_price, with_image, purchases);
  if (neighbour_purchases > 0) {
    text += fmt::format("  together   {} neighbours of articles, from {} purchases\n", neighbours, neighbour_purchases);
  }
  if (carried_changes + overruled_changes > 0) {
    text += fmt::format("  changes    {} live ones are part of it, {} are overruled\n", carried_changes, overruled_changes);
  }
  for (const FilledTarget& target : filled) text += describe(target);
  const double rate = embed_seconds > 0 ? static_cast<double>(embedded_texts) / embed_seconds : 0;
  std::string photo_time;
  if (embed_photos_seconds > 0) {
    photo_time = fmt::format("{:.1f} embed photos ({:.1f} photos/s), ", embed_photos_seconds,
                             static_cast<double>(embedded_photos) / embed_photos_seconds);
  }
  const std::string graph_time = graph_seconds > 0 ? fmt::format(" (of these {:.1f} graphs)", graph_seconds) : "";
  const std::string fill_time = filled.empty() ? "" : fmt::format(", {:.1f} fill stores", fill_seconds);
  text += fmt::format("  time       {:.1f} s: {:.1f} read, {:.1f} embed ({:.0f} texts/s), {}{:.1f} write and check{}{}\n",
                      total_seconds, read_seconds, embed_seconds, rate, photo_time, assemble_seconds, graph_time, fill_time);
  for (const std::string& note : notes) text += fmt::format("  note       {}\n", note);
  return text;
}

std::string IngestSummary::to_json() const {
  boost::json::object causes;
  for (const auto& [cause, rows] : rejected_by_cause) causes[cause] = rows;
  boost::json::array all_notes;
  for (const std::string& note : notes) all_notes.emplace_back(note);
  boost::json::array stores;
  for (const FilledTarget& target : filled) stores.push_back(to_object(target));
  const boost::json::object object{{"generation", generation.value()},
                                   {"rows_read", rows_read},
                                   {"accepted", accepted},
                                   {"rejected", rejected},
                                   {"rejected_by_cause", causes},
                                   {"rejects_file", rejects_file.string()},
                                   {"distinct_texts", distinct_texts},
                                   {"reused_texts", reused_texts},
                                   {"resumed_texts", resumed_texts},
                                   {"embedded_texts", embedded_texts},
                                   {"embedded_tokens", embedded_tokens},
                                   {"supplied_vectors", supplied_vectors},
                                   {"unknown_vectors", unknown_vectors},
                                   {"distinct_photos", distinct_photos},
                                   {"reused_photos", reused_photos},
                                   {"resumed_photos", resumed_photos},
                                   {"embedded_photos", embedded_photos},
                                   {"rejected_photos", rejected_photos},
                                   {"supplied_image_vectors", supplied_image_vectors},
                                   {"unknown_image_vectors", unknown_image_vectors},
                                   {"image_vectors", image_vectors},
                                   {"with_price", with_price},
                                   {"with_image", with_image},
                                   {"purchases", purchases},
                                   {"neighbours", neighbours},
                                   {"neighbour_purchases", neighbour_purchases},
                                   {"carried_changes", carried_changes},
                                   {"overruled_changes", overruled_changes},
                                   {"filled", stores},
                                   {"read_seconds", read_seconds},
                                   {"embed_seconds", embed_seconds},
                                   {"embed_photos_seconds", embed_photos_seconds},
                                   {"assemble_seconds", assemble_seconds},
                                   {"graph_seconds", graph_seconds},
                                   {"fill_seconds", fill_seconds},
                                   {"total_seconds", total_seconds},
                                   {"notes", all_notes}};
  return boost::json::serialize(object);
}

}  // namespace scalestyle::ingest
