import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Checks the English of documentation and comments: {@code java .ci/Prose.java [file or directory]...}, by default the whole
 * repository. It prints one line for each fault and exits with 1 if there is one. CONTRIBUTING.md has the rules.
 */
public final class Prose {

    private static final int MAX_COLUMNS = 100;
    private static final int MAX_WORDS = 30;

    /** Expressions that a newcomer has to translate back, each with the usual term. */
    private static final Map<Pattern, String> INSTEAD = new LinkedHashMap<>();

    static {
        instead("\\bin the middle(?! of)", "median");
        instead("\\b(?:thrown?|threw|throws|throwing) (?:\\w+ )?off\\b", "disconnect");
        instead("\\b(?:is|are|was|were|be|been) away\\b", "unreachable");
        instead("\\bas they come\\b", "by default");
        instead("\\bto be had\\b", "available");
        instead("\\btime and again\\b", "periodically");
        instead("\\bwho(?:m)?ever\\b", "the person, device or program itself");
        instead("\\b(?:lets?|letting) (?:\\w+ )?in\\b(?! (?:a|the|this|its|their|one|which)\\b)", "admit");
        instead("\\b(?:lets?) (?:nobody|none|no one) in\\b", "admits nobody");
        instead("\\bsays so\\b", "what it says, and where");
        instead("\\bat the (?:most|least|latest|earliest)\\b", "at most, at least");
        instead("\\bin between\\b", "meanwhile, or between");
        instead("\\bnot even never\\b", "the exact condition");
        instead("\\bcomes? of\\b", "results from, becomes");
        instead("(?:^|[.:;!?] )(?:Who|who|What|what) (?!is\\b[^.]*\\?)[a-z][^.;:?]*(?:[.;:]|$)", "a sentence with a subject");
    }

    private static void instead(String pattern, String usual) {
        INSTEAD.put(Pattern.compile(pattern), usual);
    }

    private final List<String> faults = new ArrayList<>();

    public static void main(String[] args) throws IOException {
        Prose prose = new Prose();
        for (String name : args.length == 0 ? new String[] {"."} : args) {
            try (Stream<Path> paths = Files.walk(Path.of(name))) {
                for (Path path : (Iterable<Path>) paths.filter(Prose::isOurs).sorted()::iterator) {
                    prose.check(path);
                }
            }
        }
        prose.faults.forEach(System.out::println);
        System.out.println(prose.faults.size() + " faults");
        System.exit(prose.faults.isEmpty() ? 0 : 1);
    }

    private static boolean isOurs(Path path) {
        for (Path part : path) {
            if (part.toString().equals("target")
                    || part.toString().equals("node_modules")
                    || part.toString().startsWith(".") && part.toString().length() > 2 && !part.toString().equals(".ci")) {
                return false;
            }
        }
        String name = path.getFileName().toString();
        return Files.isRegularFile(path)
                && (name.endsWith(".md") || name.endsWith(".java") && !name.equals("Prose.java"));
    }

    private void check(Path path) throws IOException {
        List<String> lines = Files.readAllLines(path);
        if (path.toString().endsWith(".md")) {
            checkMarkdown(path, lines);
        } else {
            checkComments(path, lines);
        }
    }

    private void checkMarkdown(Path path, List<String> lines) {
        boolean isCode = false;
        Paragraph paragraph = new Paragraph(path);
        for (int i = 0; i < lines.size(); i++) {
            String line = lines.get(i);
            String text = line.strip();
            if (text.startsWith("```")) {
                isCode = !isCode;
                paragraph.end();
                continue;
            }
            if (isCode) {
                continue;
            }
            boolean isTable = text.startsWith("|");
            if (line.length() > MAX_COLUMNS && !isTable && !text.contains("](") && !text.startsWith("<")) {
                fault(path, i, line.length() + " columns");
            }
            if (text.isEmpty() || isTable || text.startsWith("#") || text.matches("(?:[-*+]|\\d+\\.) .*")) {
                paragraph.end();
            }
            if (isTable) {
                for (String cell : text.split("(?<!\\\\)\\|")) {
                    paragraph.add(i, cell);
                    paragraph.end();
                }
            } else if (!text.startsWith("#")) {
                paragraph.add(i, text.replaceFirst("^(?:[-*+]|\\d+\\.) ", ""));
            }
        }
        paragraph.end();
    }

    private void checkComments(Path path, List<String> lines) {
        Paragraph paragraph = new Paragraph(path);
        boolean isBlock = false;
        for (int i = 0; i < lines.size(); i++) {
            String text = lines.get(i).strip();
            if (text.startsWith("/*")) {
                paragraph.end();
                isBlock = true;
                text = text.substring(text.startsWith("/**") ? 3 : 2).strip();
            } else if (isBlock && text.startsWith("*") && !text.startsWith("*/")) {
                text = text.substring(1).strip();
            }
            if (isBlock) {
                boolean ends = text.endsWith("*/");
                text = text.replace("*/", "").strip();
                if (text.isEmpty() || text.startsWith("@") || text.startsWith("<")) {
                    paragraph.end();
                }
                paragraph.add(i, text.replaceFirst("^@(?:param|throws) \\S+ ", "").replaceFirst("^@\\w+ ", ""));
                if (ends) {
                    paragraph.end();
                    isBlock = false;
                }
            } else if (text.startsWith("//")) {
                paragraph.add(i, text.substring(2).strip());
            } else {
                paragraph.end();
            }
        }
        paragraph.end();
    }

    private void fault(Path path, int line, String fault) {
        faults.add(path + ":" + (line + 1) + ": " + fault);
    }

    /** Text that belongs together, so that a sentence may go over lines. */
    private final class Paragraph {

        private final Path path;
        private final StringBuilder text = new StringBuilder();
        private int first;

        Paragraph(Path path) {
            this.path = path;
        }

        void add(int line, String more) {
            if (text.length() == 0) {
                first = line;
            } else {
                text.append(' ');
            }
            text.append(more);
        }

        void end() {
            String plain = plain(text.toString());
            text.setLength(0);
            if (plain.isBlank()) {
                return;
            }
            for (Map.Entry<Pattern, String> entry : INSTEAD.entrySet()) {
                Matcher found = entry.getKey().matcher(plain);
                while (found.find()) {
                    fault(path, first, "\"" + found.group().strip() + "\": say " + entry.getValue());
                }
            }
            for (String sentence : plain.split("(?<=[.!?:])(?=\\s)")) {
                int words = 0;
                for (String word : sentence.strip().split("\\s+")) {
                    words += word.matches(".*\\w.*") ? 1 : 0;
                }
                if (words > MAX_WORDS) {
                    fault(path, first, words + " words: " + sentence.strip());
                }
            }
        }

        /** Code counts as a word, a link as its text. */
        private String plain(String marked) {
            return marked.replaceAll("`[^`]*`", "code")
                    .replaceAll("\\{@(?:code|link|linkplain|value) [^}]*}", "code")
                    .replaceAll("!?\\[([^]]*)]\\([^)]*\\)", "$1")
                    .replaceAll("<[^>]*>", " ")
                    .replaceAll("\\s+", " ")
                    .strip();
        }
    }
}
