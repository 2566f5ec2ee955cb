import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.analysis.TokenStream;
import org.apache.lucene.analysis.en.EnglishAnalyzer;
import org.apache.lucene.analysis.tokenattributes.CharTermAttribute;
import org.apache.lucene.document.Document;
import org.apache.lucene.document.Field;
import org.apache.lucene.document.StoredField;
import org.apache.lucene.document.TextField;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.index.Term;
import org.apache.lucene.search.BooleanClause;
import org.apache.lucene.search.BooleanQuery;
import org.apache.lucene.search.BoostQuery;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.search.TermQuery;
import org.apache.lucene.search.TopDocs;
import org.apache.lucene.store.ByteBuffersDirectory;

/**
 * usage: WordsBench DOCUMENTS K SET=QUERIES=ROUNDS… : the K best of each query in memory, one thread.
 *
 * DOCUMENTS is tab-separated: a head of "id" and "field^boost", then a line an article. A query is BM25 over the sum of its stemmed
 * words in every field. The time of a query, its text to its row numbers, is the best of its ROUNDS after a round that is not counted.
 * Prints a line of JSON a set: {"set":…,"build_seconds":…,"ms":[…],"first":[[ids of the ten best]…]}.
 */
public final class WordsBench {
  private final List<String> fields = new ArrayList<>();
  private final List<Float> boosts = new ArrayList<>();
  private final Analyzer analyzer = new EnglishAnalyzer();
  private IndexSearcher searcher;

  public static void main(String[] arguments) throws IOException {
    WordsBench bench = new WordsBench();
    long start = System.nanoTime();
    bench.index(Path.of(arguments[0]));
    double buildSeconds = (System.nanoTime() - start) * 1e-9;
    int count = Integer.parseInt(arguments[1]);
    for (int i = 2; i < arguments.length; ++i) {
      String[] set = arguments[i].split("=");
      bench.measure(set[0], Files.readAllLines(Path.of(set[1])), Integer.parseInt(set[2]), count, buildSeconds);
    }
  }

  private void index(Path documents) throws IOException {
    ByteBuffersDirectory directory = new ByteBuffersDirectory();
    try (IndexWriter writer = new IndexWriter(directory, new IndexWriterConfig(analyzer)); var lines = Files.newBufferedReader(documents)) {
      for (String name : lines.readLine().split("\t")) {
        if (!name.contains("^")) continue;
        fields.add(name.substring(0, name.indexOf('^')));
        boosts.add(Float.parseFloat(name.substring(name.indexOf('^') + 1)));
      }
      for (String line; (line = lines.readLine()) != null;) {
        String[] values = line.split("\t", -1);
        Document document = new Document();
        document.add(new StoredField("id", values[0]));
        for (int i = 0; i < fields.size(); ++i) document.add(new TextField(fields.get(i), values[i + 1], Field.Store.NO));
        writer.addDocument(document);
      }
      writer.forceMerge(1);
    }
    searcher = new IndexSearcher(DirectoryReader.open(directory));
  }

  private Query parse(String text) throws IOException {
    BooleanQuery.Builder query = new BooleanQuery.Builder();
    try (TokenStream words = analyzer.tokenStream("query", text)) {
      CharTermAttribute word = words.addAttribute(CharTermAttribute.class);
      words.reset();
      while (words.incrementToken()) {
        for (int i = 0; i < fields.size(); ++i) {
          Query one = new TermQuery(new Term(fields.get(i), word.toString()));
          query.add(new BoostQuery(one, boosts.get(i)), BooleanClause.Occur.SHOULD);
        }
      }
      words.end();
    }
    return query.build();
  }

  private void measure(String set, List<String> queries, int rounds, int count, double buildSeconds) throws IOException {
    double[] best = new double[queries.size()];
    TopDocs[] found = new TopDocs[queries.size()];
    java.util.Arrays.fill(best, Double.MAX_VALUE);
    for (int round = -1; round < rounds; ++round) {
      for (int i = 0; i < queries.size(); ++i) {
        long start = System.nanoTime();
        found[i] = searcher.search(parse(queries.get(i)), count);
        if (round >= 0) best[i] = Math.min(best[i], (System.nanoTime() - start) * 1e-6);
      }
    }
    StringBuilder out = new StringBuilder("{\"set\":\"" + set + "\",\"build_seconds\":" + buildSeconds + ",\"ms\":[");
    for (int i = 0; i < best.length; ++i) out.append(i == 0 ? "" : ",").append(best[i]);
    out.append("],\"first\":[");
    for (int i = 0; i < found.length; ++i) {
      out.append(i == 0 ? "[" : ",[");
      for (int j = 0; j < Math.min(10, found[i].scoreDocs.length); ++j) {
        ScoreDoc hit = found[i].scoreDocs[j];
        String id = searcher.storedFields().document(hit.doc).get("id");
        out.append(j == 0 ? "\"" : ",\"").append(id).append('"');
      }
      out.append(']');
    }
    System.out.println(out.append("]}"));
  }
}
