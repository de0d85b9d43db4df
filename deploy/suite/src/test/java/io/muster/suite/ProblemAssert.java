package io.muster.suite;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** What every error must look like (RFC 9457, and the rules of the house). */
final class ProblemAssert {

    private ProblemAssert() {}

    /** Holds for every reply whatever: no stack trace, no page of a server, no name of one. */
    static void assertTellsNothing(Reply reply) {
        String text = reply.text();
        assertThat(reply.status()).as(reply.toString()).isLessThan(500);
        assertThat(text.toLowerCase(Locale.ROOT))
                .doesNotContain("<html", "exception", "payara", "glassfish", "jersey", "wildfly", "liberty", "\tat ");
        assertThat(text).doesNotContain("io.muster.", "java.lang", "jakarta.", "org.");
    }

    static void assertProblem(Reply reply, int status, String slug) {
        assertThat(reply.status()).as(reply.toString()).isEqualTo(status);
        assertTellsNothing(reply);
        assertWellFormed(reply);
        assertThat(reply.json().path("type").asText()).isEqualTo("urn:muster:problem:" + slug);
    }

    /** An error of the client's that says in the right form what it is, whichever it is. */
    static void assertAnyProblem(Reply reply) {
        assertThat(reply.status()).as(reply.toString()).isBetween(400, 499);
        assertTellsNothing(reply);
        assertWellFormed(reply);
    }

    /** The registry's word that it cannot tell now, with the time to come back. */
    static void assertUnavailable(Reply reply, String slug) {
        assertThat(reply.status()).as(reply.toString()).isEqualTo(503);
        assertWellFormed(reply);
        assertThat(reply.json().path("type").asText()).isEqualTo("urn:muster:problem:" + slug);
        assertThat(reply.header("Retry-After")).as("Retry-After").hasValueSatisfying(seconds -> assertThat(
                        Integer.parseInt(seconds))
                .isPositive());
        assertThat(reply.text().toLowerCase(Locale.ROOT)).doesNotContain("exception", "sql", "maria", "jdbc");
    }

    private static void assertWellFormed(Reply reply) {
        assertThat(reply.type()).as(reply.toString()).isEqualTo("application/problem+json");
        assertThat(reply.header("Cache-Control")).hasValue("no-store");
        JsonNode problem = reply.json();
        assertThat(problem.path("type").asText()).startsWith("urn:muster:problem:");
        assertThat(problem.path("title").asText()).isNotBlank();
        assertThat(problem.path("status").isInt()).isTrue();
        assertThat(problem.path("status").intValue()).isEqualTo(reply.status());
        assertThat(problem.path("instance").asText()).matches("urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}");
    }

    /** The pointers of its faults, each of which has words, too. */
    static List<String> pointers(Reply reply) {
        List<String> pointers = new ArrayList<>();
        for (JsonNode fault : reply.json().path("errors")) {
            pointers.add(fault.path("pointer").asText());
            assertThat(fault.path("detail").asText()).isNotBlank();
        }
        return pointers;
    }
}
