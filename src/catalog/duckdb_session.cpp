#include "catalog/duckdb_session.hpp"

#include <duckdb.h>
#include <fmt/format.h>

#include <limits>
#include <utility>

namespace scalestyle::catalog {
namespace {

// The first line of DuckDB's message; the rest is advice about its own settings.
std::string first_line(const char* message) {
  if (message == nullptr) return "no reason given";
  const std::string_view text = message;
  return std::string(text.substr(0, text.find('\n')));
}

core::ErrorCode code_of(duckdb_error_type type) {
  return type == DUCKDB_ERROR_OUT_OF_MEMORY ? core::ErrorCode::kResourceExhausted : core::ErrorCode::kDataLoss;
}

}  // namespace

struct DuckQuery::State {
  duckdb_result result{};
  duckdb_data_chunk chunk = nullptr;
  std::vector<float> floats;  // of the row asked for last, when it had NULLs

  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    if (chunk != nullptr) duckdb_destroy_data_chunk(&chunk);
    duckdb_destroy_result(&result);
  }
  [[nodiscard]] duckdb_vector column(std::size_t index) const { return duckdb_data_chunk_get_vector(chunk, index); }
};

DuckQuery::DuckQuery(std::unique_ptr<State> state) : state_(std::move(state)) {}
DuckQuery::DuckQuery(DuckQuery&&) noexcept = default;
DuckQuery& DuckQuery::operator=(DuckQuery&&) noexcept = default;
DuckQuery::~DuckQuery() = default;

core::Result<bool> DuckQuery::next_chunk() {
  if (state_->chunk != nullptr) duckdb_destroy_data_chunk(&state_->chunk);
  state_->chunk = duckdb_fetch_chunk(state_->result);
  if (state_->chunk != nullptr) return true;
  const char* error = duckdb_result_error(&state_->result);
  if (error == nullptr || *error == '\0') return false;
  return core::fail(code_of(duckdb_result_error_type(&state_->result)), first_line(error));
}

std::size_t DuckQuery::rows() const { return duckdb_data_chunk_get_size(state_->chunk); }

std::optional<std::string_view> DuckQuery::text(std::size_t column, std::size_t row) const {
  duckdb_vector vector = state_->column(column);
  std::uint64_t* validity = duckdb_vector_get_validity(vector);
  if (validity != nullptr && !duckdb_validity_row_is_valid(validity, row)) return std::nullopt;
  auto* strings = static_cast<duckdb_string_t*>(duckdb_vector_get_data(vector));
  return std::string_view(duckdb_string_t_data(&strings[row]), duckdb_string_t_length(strings[row]));
}

std::optional<std::span<const float>> DuckQuery::floats(std::size_t column, std::size_t row) const {
  duckdb_vector vector = state_->column(column);
  std::uint64_t* validity = duckdb_vector_get_validity(vector);
  if (validity != nullptr && !duckdb_validity_row_is_valid(validity, row)) return std::nullopt;
  const duckdb_list_entry entry = static_cast<const duckdb_list_entry*>(duckdb_vector_get_data(vector))[row];
  duckdb_vector child = duckdb_list_vector_get_child(vector);
  const auto* values = static_cast<const float*>(duckdb_vector_get_data(child));
  std::uint64_t* child_validity = duckdb_vector_get_validity(child);
  if (child_validity == nullptr) return std::span(values + entry.offset, entry.length);
  state_->floats.assign(values + entry.offset, values + entry.offset + entry.length);
  for (std::size_t i = 0; i < entry.length; ++i) {
    if (duckdb_validity_row_is_valid(child_validity, entry.offset + i)) continue;
    state_->floats[i] = std::numeric_limits<float>::quiet_NaN();
  }
  return std::span<const float>(state_->floats);
}

struct DuckSession::State {
  duckdb_database database = nullptr;
  duckdb_connection connection = nullptr;

  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    if (connection != nullptr) duckdb_disconnect(&connection);
    if (database != nullptr) duckdb_close(&database);
  }
};

DuckSession::DuckSession(std::unique_ptr<State> state) : state_(std::move(state)) {}
DuckSession::DuckSession(DuckSession&&) noexcept = default;
DuckSession& DuckSession::operator=(DuckSession&&) noexcept = default;
DuckSession::~DuckSession() = default;

core::Result<DuckSession> DuckSession::open(const ReaderOptions& options, unsigned threads) {
  duckdb_config config = nullptr;
  if (duckdb_create_config(&config) != DuckDBSuccess) {
    duckdb_destroy_config(&config);
    return core::fail(core::ErrorCode::kInternal, "DuckDB gave no configuration");
  }
  const std::pair<const char*, std::string> settings[] = {
      {"autoinstall_known_extensions", "false"},
      {"autoload_known_extensions", "false"},
      {"allow_community_extensions", "false"},
      {"memory_limit", fmt::format("{}B", options.memory_limit_bytes)},
      {"temp_directory", options.temporary_dir.string()},
      {"threads", fmt::format("{}", threads)},
  };
  for (const auto& [name, value] : settings) {
    if (duckdb_set_config(config, name, value.c_str()) == DuckDBSuccess) continue;
    duckdb_destroy_config(&config);
    return core::fail(core::ErrorCode::kInternal, fmt::format("DuckDB refused the setting {} = '{}'", name, value));
  }
  auto state = std::make_unique<State>();
  char* error = nullptr;
  const bool opened = duckdb_open_ext(nullptr, &state->database, config, &error) == DuckDBSuccess;
  duckdb_destroy_config(&config);
  if (!opened) {
    std::string message = "DuckDB did not start: " + first_line(error);
    duckdb_free(error);
    return core::fail(core::ErrorCode::kInternal, std::move(message));
  }
  if (duckdb_connect(state->database, &state->connection) != DuckDBSuccess) {
    return core::fail(core::ErrorCode::kInternal, "DuckDB accepted no connection");
  }
  return DuckSession(std::move(state));
}

core::Result<DuckQuery> DuckSession::query(const std::string& sql) {
  duckdb_prepared_statement statement = nullptr;
  if (duckdb_prepare(state_->connection, sql.c_str(), &statement) != DuckDBSuccess) {
    std::string message = first_line(duckdb_prepare_error(statement));
    duckdb_destroy_prepare(&statement);
    return core::fail(core::ErrorCode::kDataLoss, std::move(message));
  }
  auto state = std::make_unique<DuckQuery::State>();
  const bool started = duckdb_execute_prepared_streaming(statement, &state->result) == DuckDBSuccess;
  duckdb_destroy_prepare(&statement);
  if (!started) {
    return core::fail(code_of(duckdb_result_error_type(&state->result)), first_line(duckdb_result_error(&state->result)));
  }
  return DuckQuery(std::move(state));
}

std::string sql_literal(std::string_view text) {
  std::string literal = "'";
  for (const char c : text) {
    if (c == '\'') literal += '\'';
    literal += c;
  }
  return literal + "'";
}

std::string sql_identifier(std::string_view name) {
  std::string identifier = "\"";
  for (const char c : name) {
    if (c == '"') identifier += '"';
    identifier += c;
  }
  return identifier + "\"";
}

std::string sql_path(const std::filesystem::path& path) {
  std::string pattern;
  for (const char c : std::filesystem::absolute(path).string()) {
    if (c == '[' || c == '*' || c == '?') {
      pattern.append("[").append(1, c).append("]");
    } else {
      pattern += c;
    }
  }
  return sql_literal(pattern);
}

}  // namespace scalestyle::catalog
