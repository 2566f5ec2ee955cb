#pragma once
// RankerDay: what a ranker would have been asked on one day: each buyer's candidates, from the purchases before that day alone.
// Immutable but for the list of strangers, which is made once: use it from one thread.

#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "catalog/catalog.hpp"
#include "catalog/purchase_reader.hpp"
#include "core/result.hpp"
#include "evaluation/held_out_purchases.hpp"
#include "evaluation/purchase_models.hpp"
#include "ranking/for_you.hpp"
#include "ranking/ranker_features.hpp"

namespace scalestyle::evaluation {

// One buyer's candidates, with all that a ranker is told of them.
struct AskedList {
  std::vector<ranking::SubjectItem> items{};
  ranking::Candidates candidates{};
  std::vector<ranking::CandidatePopularity> popularity{};  // one a candidate

  [[nodiscard]] ranking::RankerContext context(const catalog::Catalog& articles) const {
    return {.articles = &articles, .items = items, .popularity = popularity};
  }
};

class RankerDay {
 public:
  // `blend` must be valid. Errors: those of HeldOutPurchases::split() and PurchaseModels::make().
  [[nodiscard]] static core::Result<RankerDay> make(const catalog::Purchases& purchases, std::shared_ptr<const catalog::Catalog> articles,
                                                    std::chrono::sys_days day, const PurchaseModelOptions& models,
                                                    const ranking::ForYouOptions& blend);

  [[nodiscard]] std::span<const Buyer> buyers() const { return purchases_->buyers(); }
  [[nodiscard]] std::size_t known_purchases() const { return purchases_->known().size(); }
  [[nodiscard]] const catalog::Catalog& articles() const { return models_->articles(); }
  // All strangers of a day share one list.
  [[nodiscard]] std::shared_ptr<const AskedList> ask(const Buyer& buyer);

 private:
  [[nodiscard]] std::shared_ptr<const AskedList> make_list(const Buyer& buyer) const;

  std::unique_ptr<const HeldOutPurchases> purchases_;  // models_ looks into it
  std::shared_ptr<const PurchaseModels> models_;
  std::vector<ranking::CandidatePopularity> popularity_;  // by row
  std::vector<ranking::ScoredRow> newest_;
  ranking::ForYouOptions blend_;
  std::shared_ptr<const AskedList> strangers_;
};

}  // namespace scalestyle::evaluation
