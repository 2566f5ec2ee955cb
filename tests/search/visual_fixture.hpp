#pragma once
// ListFixture's shop with photos, a service that looks into them, and requests for it.

#include <memory>
#include <string>
#include <utility>

#include "list_fixture.hpp"
#include "search/reranker.hpp"
#include "support/fake_pair_scorer.hpp"

namespace scalestyle::search {

class VisualFixture : public ListFixture {
 protected:
  VisualFixture() {
    look_into_photos();
    publish_with_photos("photos", articles());
  }
  ~VisualFixture() override {
    images_.gate().release();
    encoder_.release();
    compute_.stop();
    services_.clear();
  }

  SearchService& see(SearchOptions options = {}, bool with_reranker = false) {
    return make_with({.generations = holder_, .encoder = encoder_, .index = index_, .pool = compute_.pool(),
                      .timers = compute_.timers(), .clock = clock_, .metrics = metrics_, .features = &features_,
                      .popularity = &popularity_, .reranker = with_reranker ? &reranker_ : nullptr, .images = &images_,
                      .image_index = &photos_},
                     std::move(options));
  }

  static SearchRequest visual(VisualMode mode, const std::string& query = {}, const std::string& picture = {}) {
    SearchRequest wanted = request(query);
    wanted.visual.emplace().mode = mode;
    if (!picture.empty()) wanted.visual->image = std::make_shared<const std::string>(picture);
    return wanted;
  }
  static SearchRequest like(const std::string& picture) { return visual(VisualMode::kImageToImage, {}, picture); }
  static SearchRequest hybrid(const std::string& query, const std::string& picture, double text = 0.5, double image = 0.5) {
    SearchRequest wanted = visual(VisualMode::kHybrid, query, picture);
    wanted.visual->text_weight = text;
    wanted.visual->image_weight = image;
    return wanted;
  }

  support::FakePairScorer scorer_{compute_.pool(), clock_};
  Reranker reranker_{{.scorer = scorer_, .timers = compute_.timers(), .clock = clock_, .metrics = metrics_}, {}};
};

}  // namespace scalestyle::search
