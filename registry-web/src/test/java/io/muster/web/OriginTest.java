package io.muster.web;

import static org.assertj.core.api.Assertions.assertThat;

import jakarta.servlet.http.HttpServletRequest;
import java.lang.reflect.Proxy;
import org.junit.jupiter.api.Test;

class OriginTest {

    private static HttpServletRequest from(String address) {
        return (HttpServletRequest) Proxy.newProxyInstance(
                OriginTest.class.getClassLoader(),
                new Class<?>[] {HttpServletRequest.class},
                (proxy, method, arguments) -> {
                    if (method.getName().equals("getRemoteAddr")) {
                        return address;
                    }
                    throw new UnsupportedOperationException(method.getName());
                });
    }

    @Test
    void isTheAddressThatTheServerSays() {
        assertThat(Origin.of(from("192.0.2.1"))).isEqualTo("192.0.2.1");
    }

    @Test
    void isAWordWhereTheServerKnowsNone() {
        assertThat(Origin.of(from(null))).isEqualTo("unknown");
        assertThat(Origin.of(from(""))).isEqualTo("unknown");
    }
}
