// CSV tables, record by record: the reader goes forward, to the end, and no line is counted twice.

#include "catalog/article_id.hpp"
#include "catalog/csv_reader.hpp"
#include "fuzz/target.hpp"

namespace scalestyle::fuzz {
namespace {

void check(std::string_view table) {
  catalog::CsvReader reader(table);
  catalog::CsvRecord record;
  std::size_t position = reader.position();
  std::uint64_t line = 0;
  std::size_t bytes = 0;
  while (reader.next(record)) {
    require(reader.position() > position && reader.position() <= table.size());
    require(record.line > line);
    position = reader.position();
    line = record.line;
    if (!record.error.empty()) continue;
    require(!record.fields.empty());
    for (const std::string& field : record.fields) {
      bytes += field.size();
      if (const auto id = catalog::ArticleId::parse(field)) require(!id->text().empty());
    }
  }
  require(bytes <= table.size());
}

}  // namespace

std::vector<std::string> seeds() {
  return {"article_id,prod_name,price\n0108775015,Strap top,0.05\n108775044,\"Two\nlines, \"\"quoted\"\"\",\n",
          "\xEF\xBB\xBF" "a;b\r\n1;2\r\r\n\"open\n3,4\n", "t_dat,customer_id,article_id,price\n2020-09-22,c,0108775015,0.0169\n"};
}

std::vector<std::string> words() { return {"\"", "\"\"", ",", "\n", "\r\n", "\r", "\xEF\xBB\xBF", "\",\"", "\0", "0108775015"}; }

}  // namespace scalestyle::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  scalestyle::fuzz::check(scalestyle::fuzz::text_of(data, size));
  return 0;
}
