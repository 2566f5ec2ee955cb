"""Headers that cost seconds a unit stay in .cpp files, or in an adapter's or the server's own `…_impl.hpp`; the command line's stays in apps/."""
import re

import common

HEAVY = re.compile(
    r"^\s*#\s*include\s*[<\"]"
    r"(boost/(?:asio|beast|json|url)\b[^>\"]*|sqlite3\.h|duckdb\.h(?:pp)?|CLI/[^>\"]*|CLI11[^>\"]*|curl/[^>\"]*|unicode/[^>\"]*|xgboost/[^>\"]*|hiredis/[^>\"]*|librdkafka/[^>\"]*|hnswlib/[^>\"]*|"
    r"grpc(?:pp)?/[^>\"]*|google/protobuf/[^>\"]*)[>\"]")
COMMAND_LINE = re.compile(r"^\s*#\s*include\s*[<\"](CLI/|CLI11)")


def check(root):
    found = []
    for path in common.files(root, ".cpp", ".hpp", ".h", under=("src", "apps", "tests", "bench")):
        where = path.relative_to(root)
        for number, line in common.lines(path):
            match = HEAVY.match(line)
            inside = path.suffix == ".cpp" or (where.parts[:2] in (("src", "adapters"), ("src", "http")) and path.name.endswith("_impl.hpp"))
            if match and not inside and not match.group(1).endswith("fwd.hpp"):
                found.append(f"{where}:{number}: {match.group(1)} belongs in a .cpp file")
            elif COMMAND_LINE.match(line) and where.parts[0] != "apps":
                found.append(f"{where}:{number}: the command line's library belongs in apps/")
    return found


GOOD = {
    "src/http/server.cpp": "#include <boost/asio.hpp>\n#include <sqlite3.h>\n",
    "src/http/server.hpp": "#include <boost/json/fwd.hpp>\n#include <string>\n",
    "src/adapters/redis/connection_impl.hpp": "#include <boost/asio.hpp>\n#include <hiredis/hiredis.h>\n",
    "src/http/client_stream_impl.hpp": "#include <boost/asio.hpp>\n",
    "apps/scalestyle/main.cpp": "#include <CLI/CLI.hpp>\n",
}
BAD = {
    f"a.hpp:2: {header} belongs in a .cpp file": {"src/http/a.hpp": f"\n#include <{header}>\n"}
    for header in ("boost/asio/ip/tcp.hpp", "boost/beast.hpp", "boost/json.hpp", "sqlite3.h", "duckdb.h", "CLI/CLI.hpp", "curl/curl.h",
                   "unicode/unistr.h", "xgboost/c_api.h", "hiredis/hiredis.h", "librdkafka/rdkafka.h", "hnswlib/hnswlib.h", "grpcpp/grpcpp.h")
}
BAD["belongs in apps/"] = {"src/http/a.cpp": "#include <CLI/CLI.hpp>\n"}

if __name__ == "__main__":
    common.main(check, GOOD, BAD)
