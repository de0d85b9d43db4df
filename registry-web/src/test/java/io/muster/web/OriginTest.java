// SPDX-License-Identifier: Apache-2.0
package io.muster.web;

import static org.assertj.core.api.Assertions.assertThat;

import io.muster.config.AddressRange;
import jakarta.servlet.http.HttpServletRequest;
import java.lang.reflect.Proxy;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class OriginTest {

    private static final List<AddressRange> PROXIES = Stream.of("10.0.0.0/8", "2001:db8:1::/48", "fe80::/10")
            .map(AddressRange::parse)
            .toList();

    private static HttpServletRequest from(String address, Map<String, List<String>> headers) {
        return (HttpServletRequest) Proxy.newProxyInstance(
                OriginTest.class.getClassLoader(),
                new Class<?>[] {HttpServletRequest.class},
                (proxy, method, arguments) -> switch (method.getName()) {
                    case "getRemoteAddr" -> address;
                    case "getHeaders" ->
                        Collections.enumeration(
                                headers.getOrDefault(((String) arguments[0]).toLowerCase(Locale.ROOT), List.of()));
                    default -> throw new UnsupportedOperationException(method.getName());
                });
    }

    private static String usual(String peer, String... lines) {
        return Origin.of(from(peer, Map.of("x-forwarded-for", Arrays.asList(lines))), PROXIES);
    }

    private static String standard(String peer, String... lines) {
        return Origin.of(from(peer, Map.of("forwarded", Arrays.asList(lines))), PROXIES);
    }

    private static String both(String usual, String standard) {
        return Origin.of(
                from("10.0.0.1", Map.of("x-forwarded-for", List.of(usual), "forwarded", List.of(standard))), PROXIES);
    }

    @Test
    void isTheAddressThatTheServerSays() {
        assertThat(Origin.of(from("192.0.2.1", Map.of()), List.of())).isEqualTo("192.0.2.1");
        assertThat(usual("10.0.0.1")).isEqualTo("10.0.0.1");
    }

    @Test
    void isAWordWhereTheServerKnowsNone() {
        assertThat(Origin.of(from(null, Map.of()), List.of())).isEqualTo("unknown");
        assertThat(Origin.of(from("", Map.of()), PROXIES)).isEqualTo("unknown");
        assertThat(usual("a name", "192.0.2.1")).isEqualTo("a name");
    }

    @Test
    void nobodyIsBelievedWhoIsNoTrustedProxy() {
        assertThat(usual("192.0.2.9", "198.51.100.1")).isEqualTo("192.0.2.9");
        assertThat(standard("192.0.2.9", "for=198.51.100.1")).isEqualTo("192.0.2.9");
        assertThat(Origin.of(from("10.0.0.1", Map.of("x-forwarded-for", List.of("198.51.100.1"))), List.of()))
                .isEqualTo("10.0.0.1");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "198.51.100.1|198.51.100.1",
                "  198.51.100.1\t|198.51.100.1",
                "198.51.100.1:40000|198.51.100.1",
                "2001:db8:2::7|2001:db8:2:0:0:0:0:7",
                "[2001:db8:2::7]|2001:db8:2:0:0:0:0:7",
                "[2001:db8:2::7]:443|2001:db8:2:0:0:0:0:7",
                "[2001:db8:2::7%25eth0]:443|2001:db8:2:0:0:0:0:7",
                "::ffff:198.51.100.1|198.51.100.1",
                // The stranger's text precedes the proxy's addition.
                "203.0.113.66, 198.51.100.1|198.51.100.1",
                "10.9.9.9, 198.51.100.1|198.51.100.1",
                "<script>, 198.51.100.1|198.51.100.1",
                // Two proxies.
                "203.0.113.66, 198.51.100.1, 10.0.0.2|198.51.100.1",
                "198.51.100.1, 2001:db8:1::2, fe80::1%eth0|198.51.100.1",
                "198.51.100.1,,10.0.0.2,|198.51.100.1",
                // Somebody among the proxies.
                "10.0.0.3, 10.0.0.2|10.0.0.3",
                // If no address can be read, the request counts as the proxy's.
                "198.51.100.1, unknown|10.0.0.1",
                "198.51.100.1, _hidden|10.0.0.1",
                "198.51.100.1, _hidden, 10.0.0.2|10.0.0.2",
                "198.51.100.1, 1.2.3|10.0.0.1",
                "198.51.100.1, 1.2.3.4:|10.0.0.1",
                "198.51.100.1, 1.2.3.4:123456|10.0.0.1",
                "198.51.100.1, [1.2.3.4]|10.0.0.1",
                "198.51.100.1, [2001:db8:2::7|10.0.0.1",
                "198.51.100.1, localhost|10.0.0.1",
                "'198.51.100.1, \"203.0.113.5\"'|10.0.0.1"
            })
    void usualHeaderIsReadFromItsEnd(String line, String origin) {
        assertThat(usual("10.0.0.1", line)).isEqualTo(origin);
    }

    @Test
    void linesOfAHeaderAreOneList() {
        assertThat(usual("10.0.0.1", "203.0.113.66", "198.51.100.1", "10.0.0.2"))
                .isEqualTo("198.51.100.1");
        assertThat(standard("10.0.0.1", "for=203.0.113.66;x=\"", "for=198.51.100.1", "for=10.0.0.2"))
                .isEqualTo("198.51.100.1");
        assertThat(usual("2001:db8:1:0:0:0:0:9", "198.51.100.1")).isEqualTo("198.51.100.1");
        assertThat(usual("0:0:0:0:0:ffff:a00:1", "198.51.100.1")).isEqualTo("198.51.100.1");
        assertThat(usual("fe80:0:0:0:0:0:0:1%eth0", "198.51.100.1")).isEqualTo("198.51.100.1");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "for=198.51.100.1|198.51.100.1",
                "For=198.51.100.1; proto=https;by=10.0.0.1|198.51.100.1",
                "proto=https; FOR=\"198.51.100.1:4711\"|198.51.100.1",
                "for=198.51.100.1:4711|198.51.100.1",
                "for=\"[2001:db8:2::7]\"|2001:db8:2:0:0:0:0:7",
                "for=\"[2001:db8:2::7]:4711\"|2001:db8:2:0:0:0:0:7",
                "for=\"198.51.\\100.1\"|198.51.100.1",
                "for=203.0.113.66, for=198.51.100.1, for=10.0.0.2|198.51.100.1",
                "for=203.0.113.66;host=\"a,b;for=1.2.3.4\", for=198.51.100.1|198.51.100.1",
                "for=198.51.100.1, , for=10.0.0.2,|198.51.100.1",
                "for=198.51.100.1, for=unknown|10.0.0.1",
                "for=198.51.100.1, for=_hidden|10.0.0.1",
                "for=198.51.100.1, for=\"_gazonk:_port\"|10.0.0.1",
                "for=198.51.100.1, for=10.0.0.2, proto=https|10.0.0.1",
                "for=198.51.100.1, for=\"10.0.0.2\";proto=https|198.51.100.1",
                "for=198.51.100.1, for=10.0.0.2;for=198.51.100.1|10.0.0.1",
                // A stranger's unclosed quotes swallow the proxy's addition.
                "for=203.0.113.66;x=\", for=198.51.100.1|10.0.0.1",
                "for=203.0.113.66;x=\", for=\"[2001:db8:2::7]\"|10.0.0.1",
                "for=203.0.113.66;x=\\\", for=198.51.100.1|10.0.0.1",
                "for=;;|10.0.0.1",
                "for|10.0.0.1",
                "for = 198.51.100.1|10.0.0.1",
                "for=198.51.100.1 203.0.113.5|10.0.0.1",
                ";|10.0.0.1"
            })
    void standardHeaderIsReadFromItsEnd(String line, String origin) {
        assertThat(standard("10.0.0.1", line)).isEqualTo(origin);
    }

    @Test
    void bothHeadersCountWhereTheyAgreeAndNeitherWhereTheyDoNot() {
        assertThat(both("198.51.100.1", "for=198.51.100.1")).isEqualTo("198.51.100.1");
        assertThat(both("203.0.113.66, 198.51.100.1", "for=\"198.51.100.1:80\""))
                .isEqualTo("198.51.100.1");
        assertThat(both("198.51.100.1", "for=203.0.113.66")).isEqualTo("10.0.0.1");
        assertThat(both("203.0.113.66", "for=198.51.100.1")).isEqualTo("10.0.0.1");
        assertThat(both("198.51.100.1", "for=_hidden")).isEqualTo("10.0.0.1");
    }

    @ParameterizedTest
    @ValueSource(ints = {31, 32, 33, 1000})
    void chainsAreBounded(int proxies) {
        String chain = "198.51.100.1" + ",10.0.0.2".repeat(proxies);

        assertThat(usual("10.0.0.1", chain)).isEqualTo(proxies < 32 ? "198.51.100.1" : "10.0.0.2");
        assertThat(standard("10.0.0.1", "for=" + chain.replace(",", ",for=")))
                .isEqualTo(proxies < 32 ? "198.51.100.1" : proxies < 1000 ? "10.0.0.2" : "10.0.0.1");
    }

    @Test
    void lengthsAreBounded() {
        String long1 = "1".repeat(1_000_000);

        assertThat(usual("10.0.0.1", long1)).isEqualTo("10.0.0.1");
        assertThat(usual("10.0.0.1", long1 + ",198.51.100.1")).isEqualTo("198.51.100.1");
        assertThat(standard("10.0.0.1", "for=" + long1)).isEqualTo("10.0.0.1");
        assertThat(standard("10.0.0.1", "for=\"" + "\\1".repeat(2000) + "\"")).isEqualTo("10.0.0.1");
        assertThat(usual("10.0.0.1", ",".repeat(100_000) + "198.51.100.1")).isEqualTo("198.51.100.1");
    }
}
