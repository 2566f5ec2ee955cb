// The scopes of every route: a switch without a default, so that a new route cannot be without.

#include "http/route_table.hpp"

namespace scalestyle::http {

ScopeSet Route::scopes() const {
  switch (id) {
    case RouteId::kSearch:
    case RouteId::kSearchImage:
    case RouteId::kSearchHybrid:
    case RouteId::kBrowse:
    case RouteId::kTrending:
    case RouteId::kForYou:
    case RouteId::kSimilar:
    case RouteId::kLook:
    case RouteId::kSuggest:
    case RouteId::kReason:
    case RouteId::kArticle: return {Scope::kSearch};
    case RouteId::kClick:
    case RouteId::kEvents: return {Scope::kEvents};
    case RouteId::kExportUser:
    case RouteId::kForgetUser:
    case RouteId::kMergeSession:
    case RouteId::kPreferences: return {Scope::kUsers};
    case RouteId::kUserFeatures: return {Scope::kUsers, Scope::kAdmin};
    case RouteId::kWhyNot:
    case RouteId::kCacheStats:
    case RouteId::kConfigurations:
    case RouteId::kChangeArticles:
    case RouteId::kPutArticle:
    case RouteId::kPatchArticle:
    case RouteId::kDeleteArticle:
    case RouteId::kMetrics: return {Scope::kAdmin};
    // Pictures are shown by tags of pages, which send no headers of ours; the description says nothing of anyone.
    case RouteId::kImage:
    case RouteId::kLive:
    case RouteId::kReady:
    case RouteId::kOpenApi: return {};
  }
  return {Scope::kAdmin};
}

}  // namespace scalestyle::http
