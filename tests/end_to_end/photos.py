"""Real photos through the real program: each finds itself first, also smaller and compressed anew; a hybrid of one side is
that side alone; a person's mistakes are told. The model is the golden one, with random weights: what it sees is colours and
shapes, which is enough to know a photo again."""

import argparse
import base64
import csv
import os
import subprocess

import harness

IMAGE = "/api/recommendation/search/image"
HYBRID = "/api/recommendation/search/hybrid"


def shared_folder():
    return os.environ.get("SCALESTYLE_SHARED") or os.path.join(os.path.dirname(__file__), "..", "..", "..", "shared")


def ids_of(answer):
    return [item["article_id"] for item in answer.get("data", [])]


def write_articles(shared, photos, path):
    """The rows of articles_small.csv that have a photo, and five that have none."""
    with open(os.path.join(shared, "data/hm/articles_small.csv"), encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        rows = list(reader)
    having = [row for row in rows if row["article_id"] in photos]
    lacking = [row for row in rows if row["article_id"] not in photos][:5]
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, reader.fieldnames)
        writer.writeheader()
        writer.writerows(having + lacking)
    return len(having)


def encoded(path):
    with open(path, "rb") as file:
        return base64.b64encode(file.read()).decode()


def check_photos(server, failures, photos, variants):
    for folder in (photos, *variants):
        missed = []
        for name in sorted(os.listdir(photos)):
            article = name.split(".")[0]
            body = {"mode": "image_to_image", "image_base64": encoded(os.path.join(folder, name)), "k": 3, "collapse": False}
            status, answer = server.ask(IMAGE, "POST", body)
            if status != 200 or answer["degraded"] or ids_of(answer)[:1] != [article]:
                missed.append((article, status, ids_of(answer)))
        failures.check(f"each photo of {os.path.basename(folder)} finds itself first", not missed, missed[:5])


def check_sides(server, failures, photo):
    """Weights 1/0 and 0/1 are the single modes."""
    query = "black dress"
    image = encoded(photo)
    common = {"k": 50, "collapse": False}
    text_only = server.ask(HYBRID, "POST", {"query": query, "image_base64": image, "text_weight": 1, "image_weight": 0, **common})[1]
    text = server.ask(f"/api/recommendation/search?query={query.replace(' ', '+')}&k=50&collapse=false")[1]
    failures.check("a hybrid of text alone is the text search", ids_of(text_only) == ids_of(text) and len(ids_of(text)) == 50,
                   (ids_of(text_only)[:3], ids_of(text)[:3]))
    image_only = server.ask(HYBRID, "POST", {"query": query, "image_base64": image, "text_weight": 0, "image_weight": 1, **common})[1]
    picture = server.ask(IMAGE, "POST", {"mode": "image_to_image", "image_base64": image, **common})[1]
    failures.check("a hybrid of the picture alone is the image search",
                   ids_of(image_only) == ids_of(picture) and len(ids_of(picture)) == 50,
                   (ids_of(image_only)[:3], ids_of(picture)[:3]))
    both = server.ask(HYBRID, "POST", {"query": query, "image_base64": image, **common})[1]
    scores = [(item["text_score"], item["image_score"]) for item in both["data"]]
    failures.check("each side's score is told", not both["degraded"] and all(0 <= a <= 1 and 0 <= b <= 1 for a, b in scores), both)


def check_article(server, failures, article):
    status, answer = server.ask(IMAGE, "POST", {"mode": "image_to_image", "article_id": article, "k": 20})
    failures.check("an article's own photo is looked for, without the article", status == 200 and answer["total"] > 0
                   and article not in ids_of(answer), (status, ids_of(answer)))


def check_mistakes(server, failures, photo):
    image = encoded(photo)
    cases = [
        ("a text file", {"mode": "image_to_image", "image_base64": base64.b64encode(b"not a picture").decode()}, 415),
        ("half a photo", {"mode": "image_to_image", "image_base64": image[:len(image) // 8 * 4]}, 400),
        ("no base64", {"mode": "image_to_image", "image_base64": "@@@"}, 400),
        ("no picture", {"mode": "image_to_image"}, 400),
        ("two pictures", {"mode": "image_to_image", "image_base64": image, "article_id": "0160442010"}, 400),
        ("an URL of a host that is not allowed", {"mode": "image_to_image", "image_url": "https://example.com/a.jpg"}, 403),
        ("an unknown field", {"mode": "image_to_image", "image_base64": image, "colour_of_sky": "blue"}, 400),
        ("negative weights", {"mode": "multimodal", "query": "red", "image_base64": image, "text_weight": -1}, 400),
    ]
    for name, body, wanted in cases:
        status, answer = server.ask(IMAGE, "POST", body)
        failures.check(name, status == wanted and answer["error"]["message"], (status, answer))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    parser.add_argument("--variants", required=True, help="the program that makes variants of photos")
    arguments = parser.parse_args()
    harness.need_model()
    shared = shared_folder()
    photos = os.path.join(shared, "data/hm/images")
    model = os.path.join(shared, "golden/clip")
    if not (os.path.isdir(photos) and os.path.isdir(model)):
        harness.skip("the photos and the golden model are not here")
    vision = ["--vision-enabled", "--vision-model", model]
    failures = harness.Failures()
    with harness.temporary_folder() as folder:
        articles, data = os.path.join(folder, "articles.csv"), os.path.join(folder, "data")
        count = write_articles(shared, {name.split(".")[0] for name in os.listdir(photos)}, articles)
        smaller, again = os.path.join(folder, "smaller"), os.path.join(folder, "compressed-anew")
        subprocess.run([arguments.variants, photos, smaller, "60", "80"], check=True)
        subprocess.run([arguments.variants, photos, again, "100", "40"], check=True)
        ingested = harness.run(arguments.program, "ingest", "--data", data, "--articles", articles, "--images", photos, *vision, "--json")
        failures.check("ingest", ingested.returncode == 0 and f'"image_vectors":{count}' in ingested.stdout,
                       ingested.stdout + ingested.stderr)
        server = harness.Server(arguments.program, data, *vision)
        check_photos(server, failures, photos, (smaller, again))
        first = os.path.join(photos, sorted(os.listdir(photos))[0])
        check_sides(server, failures, first)
        check_article(server, failures, sorted(os.listdir(photos))[0].split(".")[0])
        check_mistakes(server, failures, first)
        failures.check("stopped", server.stop()[0] == 0)

        plain = harness.Server(arguments.program, data)
        status, answer = plain.ask(IMAGE, "POST", {"mode": "image_to_image", "image_base64": encoded(first)})
        failures.check("switched off: says how to switch it on", status == 503 and "vision_enabled" in answer["error"]["message"], answer)
        plain.stop()
    failures.finish()


if __name__ == "__main__":
    main()
