"""What a new user may type: wrong flags, missing files, odd data. Every answer is one clear line and an exit code."""

import argparse
import os

import harness


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    program = parser.parse_args().program
    failures = harness.Failures()

    def expect(name, arguments, code, text, environment=None):
        answer = harness.run(program, *arguments, environment=environment)
        output = answer.stdout + answer.stderr
        failures.check(f"{name}: exit code", answer.returncode == code, f"{answer.returncode}\n{output}")
        failures.check(f"{name}: message", text in output, output)

    with harness.temporary_folder() as folder:
        missing = os.path.join(folder, "missing.csv")
        bad_config = os.path.join(folder, "shop.conf")
        with open(bad_config, "w", encoding="utf-8") as file:
            file.write("# shop\nprot = 80\n")
        expect("version", ["--version"], 0, ".")
        expect("help", ["serve", "--help"], 0, "8080; default")
        expect("help shows the environment", ["serve", "--help"], 0, "9; environment SCALESTYLE_PORT", {"SCALESTYLE_PORT": "9"})
        expect("no command", [], 2, "Run with --help")
        expect("a wrong flag", ["serve", "--prot", "1"], 2, "did you mean '--port'?")
        expect("a wrong command", ["serv"], 2, "did you mean 'serve'?")
        expect("a wrong key", ["serve", "--config", bad_config], 2, "shop.conf:2: unknown setting 'prot'; did you mean 'port'?")
        expect("a wrong variable", ["serve"], 2, "did you mean 'port'?", {"SCALESTYLE_PROT": "1"})
        expect("a bad value", ["serve", "--port", "seventy"], 2, "a whole number from 0 to 65535")
        expect("no data folder", ["serve"], 2, "--data is missing")
        expect("an unknown kernel", ["doctor", "--isa", "mmx"], 2, "mmx")
        no_models = ["--models", os.path.join(folder, "none")]
        expect("no reranker", ["doctor", *no_models], 1, "no reranker installed: lists stay in their fused order")
        expect("no reranker wanted", ["doctor", *no_models, "--reranker", "none"], 1, "reranker   none: none, as the setting says")
        expect("a missing reranker", ["doctor", *no_models, "--reranker", "ms-marco-MiniLM-L-6-v2"], 1,
               "scalestyle models fetch ms-marco-MiniLM-L-6-v2")
        expect("a cascade without a depth", ["doctor", "--rerank-cascade", "ms-marco-MiniLM-L-6-v2"], 1, "is MODEL:DEPTH")
        expect("vision is off", ["doctor", *no_models], 1,
               "vision     clip-vit-base-patch32: off, not installed; `scalestyle models fetch clip-vit-base-patch32` installs it")
        expect("vision without its model", ["doctor", *no_models, "--reranker", "none"], 1, "vision     clip-vit-base-patch32: enabled",
               {"VISION_ENABLED": "true"})
        expect("no output folder", ["sample"], 2, "--out is missing")
        expect("an unknown model", ["models", "fetch", "bge-smal-en-v1.5"], 2, "bge-small-en-v1.5")
        expect("models", ["models", "list"], 0, "bge-small-en-v1.5")
        expect("no queries", ["evaluate", "search", "--data", folder], 2, "--queries is missing")
        expect("no judgements", ["evaluate", "search", "--data", folder, "--queries", bad_config], 2, "--qrels is missing")
        expect("a folder without a query set", ["evaluate", "search", "--data", folder, "--queries", folder], 2, "no queries.csv and qrels.csv")
        expect("an unknown plan of typing errors", ["evaluate", "search", "--typos", "all"], 2, "none")
        expect("a missing table", ["ingest", "--data", os.path.join(folder, "data"), "--articles", missing], 2, "missing.csv")
        expect("a missing model", ["ingest", "--data", os.path.join(folder, "data"), "--articles", bad_config,
                                   "--models", os.path.join(folder, "none")], 2, "scalestyle models fetch")
        expect("a missing vision model", ["ingest", "--data", os.path.join(folder, "data"), "--articles", bad_config,
                                          "--vision-enabled", "--models", os.path.join(folder, "none")], 2,
               "scalestyle models fetch clip-vit-base-patch32")
        if os.path.exists(os.path.join(harness.models_folder(), "bge-small-en-v1.5")):
            expect("nothing ingested", ["evaluate", "search", "--data", folder, "--queries", missing, "--qrels", missing], 2, "missing.csv")
    failures.finish()


main()
