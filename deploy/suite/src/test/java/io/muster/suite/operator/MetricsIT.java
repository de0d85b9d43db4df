// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.operator;

import static io.muster.suite.fixture.ProblemAssert.assertProblem;
import static org.assertj.core.api.Assertions.assertThat;

import io.muster.suite.fixture.RegistryUnderTest;
import io.muster.suite.fixture.Reply;
import io.muster.suite.fixture.SharedWorld;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The measurements, as Prometheus reads them. */
@Tag("portable")
class MetricsIT {

    private static final Pattern TYPE = Pattern.compile("(?m)^# TYPE (\\w+) ");
    private static final Pattern DOCUMENTED = Pattern.compile("(?m)^\\| `(\\w+)` ");

    private final RegistryUnderTest registry = SharedWorld.onMariaDb();

    private String metrics() {
        Reply reply = registry.get("metrics", registry.asOperator());
        assertThat(reply.status()).as(reply.toString()).isEqualTo(200);
        return reply.text();
    }

    private static double value(String metrics, String series) {
        return metrics.lines()
                .filter(line -> line.startsWith(series + " "))
                .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' '))))
                .sum();
    }

    private static String registrations(String fleet, String outcome) {
        return "muster_registrations_total{fleet=\"" + fleet + "\",outcome=\"" + outcome + "\"}";
    }

    private static String requests(String method, String route, int status) {
        return "http_server_request_duration_seconds_count{http_request_method=\"" + method
                + "\",http_response_status_code=\"" + status + "\",http_route=\"" + route + "\"}";
    }

    @Test
    void registrationsAreCountedByFleetAndOutcome() {
        String serial = RegistryUnderTest.unusedSerial();
        registry.expect("always", List.of(serial));
        String before = metrics();

        registry.registered("always", serial);
        registry.registered("always", serial);
        assertThat(registry.registerIn("always", RegistryUnderTest.unusedSerial())
                        .status())
                .isEqualTo(400);

        String after = metrics();
        for (String outcome : List.of("new", "again", "registration-refused")) {
            String series = registrations("always", outcome);
            assertThat(value(after, series) - value(before, series)).as(series).isEqualTo(1);
        }
        String route = requests("POST", "/fleets/{fleet}/register", 200);
        assertThat(value(after, route) - value(before, route)).isGreaterThanOrEqualTo(2);
        assertThat(after).doesNotContain(serial);
    }

    @Test
    void requestsAreMeasuredByRouteAndStatusAndStrangersMakeNoNames() {
        registry.get("no/such/" + RegistryUnderTest.unusedSerial());
        registry.send("BREW", "register", null);

        String metrics = metrics();

        assertThat(value(metrics, requests("GET", "", 404))).isPositive();
        assertThat(metrics)
                .contains("http_server_request_duration_seconds_bucket")
                .doesNotContain("BREW", "no/such");
    }

    @Test
    void everyNameIsOnThePageAndTheOtherWayRound() throws IOException {
        registry.accessToken(registry.newDevice());
        registry.registerIn("always", RegistryUnderTest.unusedSerial());
        String page = Files.readString(Path.of(System.getProperty("basedir", ""), "../../docs/metrics.md"));
        Set<String> documented = names(DOCUMENTED, page);

        Set<String> found = names(TYPE, metrics());

        assertThat(documented).containsAll(found);
        // Those of brokers are there where brokers are told, and those of the collector where it has run. WildFly hides
        // the classes that know the process.
        documented.removeIf(name -> name.startsWith("muster_broker_")
                // Once a minute, where somebody waits.
                || name.equals("muster_approvals_waiting")
                || name.startsWith("jvm_gc_")
                || name.startsWith("process_cpu_")
                || name.startsWith("process_files_")
                || name.equals("system_cpu_usage"));
        assertThat(found).containsAll(documented);
    }

    private static Set<String> names(Pattern pattern, String text) {
        Set<String> names = new TreeSet<>();
        Matcher matcher = pattern.matcher(text);
        while (matcher.find()) {
            names.add(matcher.group(1));
        }
        return names;
    }

    @Test
    void alertsAndDashboardAskForNamesThatAreThereAndEachAlertHasAnEntry() throws IOException {
        Path root = Path.of(System.getProperty("basedir", ""), "../..");
        String alerts = Files.readString(root.resolve("deploy/metrics/alerts.yml"));
        String dashboard = Files.readString(root.resolve("deploy/metrics/dashboard.json"));
        Set<String> documented = names(DOCUMENTED, Files.readString(root.resolve("docs/metrics.md")));
        Pattern series = Pattern.compile("\\b((?:muster|http|jvm|process|system)_\\w+)\\s*\\\\?\\{");

        for (String text : List.of(alerts, dashboard)) {
            Set<String> used = new TreeSet<>();
            names(series, text).forEach(name -> used.add(name.replaceAll("_(count|bucket|sum)$", "")));
            assertThat(used).isNotEmpty();
            assertThat(documented).containsAll(used);
        }
        String runbook = Files.readString(root.resolve("docs/runbook.md"));
        Set<String> names = names(Pattern.compile("alert: (\\w+)"), alerts);
        assertThat(names(Pattern.compile("(?m)^## (\\w+)$"), runbook)).isEqualTo(names);
        assertThat(names(Pattern.compile("runbook.md#(\\w+)"), alerts))
                .isEqualTo(names.stream()
                        .map(name -> name.toLowerCase(Locale.ROOT))
                        .collect(Collectors.toCollection(TreeSet::new)));
    }

    @Test
    void strangersSeeNothing() {
        assertProblem(registry.get("metrics"), 401, "unauthorized");
    }
}
