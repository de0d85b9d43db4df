// SPDX-License-Identifier: Apache-2.0
package io.muster.user;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.muster.json.Json;
import io.muster.verification.jwt.Tokens;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;

/** The HTTP side of a provider: its discovery document, its keys, and its token endpoint. Its tokens are the test's. */
public final class FakeProvider implements AutoCloseable {

    private final HttpServer server;
    private final List<String> asked = new CopyOnWriteArrayList<>();
    private volatile boolean down;
    private volatile String keys = Tokens.jwks();
    private volatile int tokenStatus = 200;
    private volatile String tokenReply = "{}";
    private volatile Optional<String> claimedIssuer = Optional.empty();

    public FakeProvider() {
        try {
            server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        server.createContext("/realm/.well-known/openid-configuration", exchange -> {
            Map<String, Object> document = new LinkedHashMap<>();
            document.put("issuer", claimedIssuer.orElse(issuer()));
            document.put("authorization_endpoint", issuer() + "/authorize");
            document.put("token_endpoint", issuer() + "/token");
            document.put("jwks_uri", issuer() + "/keys");
            reply(exchange, 200, Json.text(document));
        });
        server.createContext("/realm/keys", exchange -> reply(exchange, 200, keys));
        server.createContext("/realm/token", exchange -> reply(exchange, tokenStatus, tokenReply));
        server.start();
    }

    private void reply(HttpExchange exchange, int status, String json) throws IOException {
        String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
        String authorization = Optional.ofNullable(exchange.getRequestHeaders().getFirst("Authorization"))
                .orElse("");
        asked.add(String.join(" ", exchange.getRequestURI().getPath(), authorization, body)
                .strip());
        byte[] bytes = json.getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().add("Content-Type", "application/json");
        exchange.sendResponseHeaders(down ? 500 : status, bytes.length);
        exchange.getResponseBody().write(bytes);
        exchange.close();
    }

    public String issuer() {
        return "http://127.0.0.1:" + server.getAddress().getPort() + "/realm";
    }

    /** Returns the settings without which it cannot be asked. */
    public Map<String, String> settings() {
        return new LinkedHashMap<>(
                Map.of("issuer", issuer(), "audience", "muster", "allow-http", "true", "allow-private", "true"));
    }

    /** Returns the questions so far: path, Authorization and body. */
    public List<String> asked() {
        return asked;
    }

    public void setDown(boolean down) {
        this.down = down;
    }

    public void setKeys(String jwks) {
        keys = jwks;
    }

    void setClaimedIssuer(String issuer) {
        claimedIssuer = Optional.of(issuer);
    }

    void setTokenReply(int status, String json) {
        tokenStatus = status;
        tokenReply = json;
    }

    /** Returns the claims of a good access token of this user. */
    public Map<String, Object> claims(String sub) {
        Map<String, Object> claims = new LinkedHashMap<>();
        claims.put("iss", issuer());
        claims.put("aud", "muster");
        claims.put("sub", sub);
        claims.put("iat", Tokens.NOW);
        claims.put("exp", Tokens.NOW + 600);
        return claims;
    }

    /** Returns an access token, signed with the key {@code ec} of {@link Tokens}. */
    public static String accessToken(Map<String, Object> claims) {
        return Tokens.sign("ES256", header("ES256", "ec", "at+jwt"), claims);
    }

    static Map<String, Object> header(String algorithm, String kid, String type) {
        return Tokens.with(Tokens.header(algorithm, kid), "typ", type);
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
