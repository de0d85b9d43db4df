import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import javax.xml.stream.XMLInputFactory;
import javax.xml.stream.XMLStreamConstants;
import javax.xml.stream.XMLStreamException;
import javax.xml.stream.XMLStreamReader;

/**
 * Lists the slowest test classes, and counts all tests, by the reports of Surefire and Failsafe.
 *
 * <p>{@code java .ci/Slowest.java [since]}: {@code since} is a time in seconds since 1970; older reports are of other runs.
 */
public final class Slowest {

    private static final int LISTED = 30;

    /** A class in one run. */
    private record Report(String name, double seconds, int tests, int skipped, int failed) {}

    private Slowest() {}

    public static void main(String... arguments) throws IOException {
        Instant since = arguments.length == 0 ? Instant.EPOCH : Instant.ofEpochSecond(Long.parseLong(arguments[0]));
        List<Report> reports = reports(Path.of(""), since);
        System.out.printf(
                "%d tests in %d classes, %d skipped, %d failed. The slowest classes:%n",
                reports.stream().mapToInt(Report::tests).sum(),
                reports.size(),
                reports.stream().mapToInt(Report::skipped).sum(),
                reports.stream().mapToInt(Report::failed).sum());
        reports.stream()
                .sorted(Comparator.comparingDouble(Report::seconds).reversed())
                .limit(LISTED)
                .forEach(report -> System.out.printf(
                        Locale.ROOT, "%7.1f s %5d tests  %s%n", report.seconds(), report.tests(), report.name()));
    }

    private static List<Report> reports(Path root, Instant since) throws IOException {
        List<Report> reports = new ArrayList<>();
        Files.walkFileTree(root, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes attributes) {
                // Below target nothing else is a report, and much of it comes and goes.
                Path parent = directory.getParent();
                boolean below = parent != null && parent.endsWith("target");
                boolean skipped = directory.endsWith(".git")
                        || directory.endsWith("src")
                        || below && !directory.toString().endsWith("-reports");
                return skipped ? FileVisitResult.SKIP_SUBTREE : FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                String name = file.getFileName().toString();
                if (name.startsWith("TEST-")
                        && name.endsWith(".xml")
                        && !attributes.lastModifiedTime().toInstant().isBefore(since)) {
                    reports.add(report(file));
                }
                return FileVisitResult.CONTINUE;
            }
        });
        return reports;
    }

    private static Report report(Path file) {
        try (var in = Files.newInputStream(file)) {
            XMLStreamReader xml = XMLInputFactory.newDefaultFactory().createXMLStreamReader(in);
            while (xml.next() != XMLStreamConstants.START_ELEMENT) {
                // comments before the root
            }
            String run = file.getFileName().toString().replaceAll("^TEST-|\\.xml$", "");
            return new Report(
                    run,
                    Double.parseDouble(xml.getAttributeValue(null, "time").replace(",", "")),
                    number(xml, "tests"),
                    number(xml, "skipped"),
                    number(xml, "failures") + number(xml, "errors"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (XMLStreamException e) {
            throw new IllegalStateException("no report: " + file, e);
        }
    }

    private static int number(XMLStreamReader xml, String attribute) {
        return Integer.parseInt(xml.getAttributeValue(null, attribute));
    }
}
