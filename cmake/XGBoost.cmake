# XGBoost::xgboost: what `scalestyle train` learns with. Without it everything else is built; `train` then says that it is missing.
find_path(XGBOOST_INCLUDE_DIR xgboost/c_api.h)
find_library(XGBOOST_LIBRARY xgboost)
if(XGBOOST_INCLUDE_DIR AND XGBOOST_LIBRARY)
  add_library(XGBoost::xgboost UNKNOWN IMPORTED)
  set_target_properties(XGBoost::xgboost PROPERTIES
    IMPORTED_LOCATION ${XGBOOST_LIBRARY}
    INTERFACE_INCLUDE_DIRECTORIES ${XGBOOST_INCLUDE_DIR}
    INTERFACE_COMPILE_DEFINITIONS SCALESTYLE_HAS_XGBOOST)
else()
  message(WARNING "xgboost is missing: this build cannot train rankers. Install libxgboost-dev (scripts/setup.sh) to change that.")
endif()
