// SPDX-License-Identifier: Apache-2.0
package io.muster.web.user;

import static org.assertj.core.api.Assertions.assertThat;

import jakarta.servlet.http.HttpServletRequest;
import java.lang.reflect.Proxy;
import java.net.URI;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Cookies as browsers send them, and the origins that browsers name. */
class CookiesTest {

    private static HttpServletRequest with(String... headers) {
        return (HttpServletRequest) Proxy.newProxyInstance(
                CookiesTest.class.getClassLoader(),
                new Class<?>[] {HttpServletRequest.class},
                (proxy, method, given) -> {
                    if (method.getName().equals("getHeader")) {
                        return headers.length == 0 ? null : headers[0];
                    }
                    if (method.getName().equals("getHeaders")) {
                        return Collections.enumeration(List.of(headers));
                    }
                    throw new UnsupportedOperationException(method.getName());
                });
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "__Host-muster-user=abc | abc",
                "a=b; __Host-muster-user=abc; c=d | abc",
                "a; =; ;;; \"; __Host-muster-user = abc | abc",
                "__Host-muster-user=a=b | a=b",
                "__Host-muster-user=first; __Host-muster-user=second | first",
            })
    void cookieIsFoundAmongOthersHoweverTheyAreWritten(String header, String value) {
        assertThat(Cookies.find(with(header), Cookies.SESSION)).contains(value);
    }

    @Test
    void cookieOfAnotherNameIsNone() {
        for (String header : List.of(
                "",
                "a=b",
                "__Host-muster-user",
                "__Host-muster-user=",
                "__host-muster-user=x",
                "muster-user=x",
                "x__Host-muster-user=x")) {
            assertThat(Cookies.find(with(header), Cookies.SESSION)).as(header).isEmpty();
        }
        assertThat(Cookies.find(with(), Cookies.SESSION)).isEmpty();
        assertThat(Cookies.find(with("a=b", "__Host-muster-user=x"), Cookies.SESSION))
                .contains("x");
    }

    @Test
    void cookieIsForThisHostOverTlsAndNoScript() {
        assertThat(Cookies.set(Cookies.SESSION, "value", Duration.ofHours(12)))
                .isEqualTo("__Host-muster-user=value; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=43200");
    }

    @ParameterizedTest
    @CsvSource({
        "https://registry.example/below, https://registry.example",
        "https://Registry.Example:443/, https://registry.example",
        "https://registry.example:8443, https://registry.example:8443",
        "http://localhost:8080, http://localhost:8080",
        "http://[::1]:80, http://[::1]",
        "http://127.0.0.1:443, http://127.0.0.1:443"
    })
    void originIsWrittenAsBrowsersWriteIt(String address, String origin) {
        assertThat(SignedIn.origin(URI.create(address))).isEqualTo(origin);
    }
}
