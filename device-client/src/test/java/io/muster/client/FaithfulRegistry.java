// SPDX-License-Identifier: Apache-2.0
package io.muster.client;

import com.nimbusds.jose.EncryptionMethod;
import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWEAlgorithm;
import com.nimbusds.jose.JWEHeader;
import com.nimbusds.jose.JWEObject;
import com.nimbusds.jose.JWSObject;
import com.nimbusds.jose.Payload;
import com.nimbusds.jose.crypto.ECDHEncrypter;
import com.nimbusds.jose.crypto.ECDSAVerifier;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jose.jwk.OctetKeyPair;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.Signature;
import java.security.spec.X509EncodedKeySpec;
import java.text.ParseException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * A registry in memory that keeps every promise of the real one: one device for a serial, credentials that are
 * provisional until their first use, replies sealed and repeated until then. It is stricter in one point: a credential
 * ends at once when its replacement is confirmed. Faults are injected from outside.
 */
public final class FaithfulRegistry implements AutoCloseable {

    /** The rule for a serial that is a device already. */
    public enum Rule {
        UNTIL_CONFIRMED,
        NEVER
    }

    /** The fate of one request. */
    public enum Fate {
        ANSWERED,
        REQUEST_LOST,
        REPLY_LOST,
        BUSY
    }

    /** Decides about each request when it arrives. */
    @FunctionalInterface
    public interface Fates {
        Fate of(int number, String path);
    }

    private static final class Credential {
        String key;
        String secret;
        JWK publicKey;
        Credential replaces;
        boolean confirmed;
        boolean ended;
    }

    private static final class Device {
        String id;
        final List<Credential> credentials = new ArrayList<>();
    }

    private record Sealed(byte[] reply, Credential credential) {}

    private record Refusal(int status, String type) {}

    private final HttpServer server;
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final Rule rule;
    private final Map<String, Device> devices = new HashMap<>();
    private final Map<String, Credential> byKey = new HashMap<>();
    private final Map<String, Sealed> sealed = new HashMap<>();
    private final Set<String> nonces = new HashSet<>();
    private final Set<String> used = new HashSet<>();
    private Fates fates = (number, path) -> Fate.ANSWERED;
    private int requests;
    private int numbers;
    private String padding = "";

    public FaithfulRegistry(Rule rule) throws IOException {
        this.rule = rule;
        this.server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(threads);
        server.createContext("/", this::handle);
        server.start();
    }

    public URI uri() {
        return URI.create("http://localhost:" + server.getAddress().getPort());
    }

    public synchronized FaithfulRegistry with(Fates fates) {
        this.fates = fates;
        this.requests = 0;
        return this;
    }

    /** Makes receipts so much longer. */
    synchronized FaithfulRegistry padded(int characters) {
        padding = "x".repeat(characters);
        return this;
    }

    public synchronized int requests() {
        return requests;
    }

    public synchronized int devices() {
        return devices.size();
    }

    /** Returns how many credentials of the serial's device a client could log in with. */
    public synchronized long credentials(String serial) {
        return devices.get(serial).credentials.stream()
                .filter(credential -> !credential.ended)
                .count();
    }

    private void handle(HttpExchange exchange) throws IOException {
        try (exchange) {
            byte[] body = exchange.getRequestBody().readAllBytes();
            String path = exchange.getRequestURI().getRawPath();
            Fate fate;
            synchronized (this) {
                fate = fates.of(++requests, path);
            }
            if (fate == Fate.REQUEST_LOST) {
                return;
            }
            if (fate == Fate.BUSY) {
                exchange.getResponseHeaders().set("Retry-After", "1");
                exchange.sendResponseHeaders(503, -1);
                return;
            }
            int status = 200;
            byte[] reply;
            try {
                reply = answer(path, body, exchange.getRequestHeaders().getFirst("Authorization"));
            } catch (RefusalException e) {
                status = e.refusal.status();
                String type = e.refusal.type();
                reply = Json.write(Map.of("type", "urn:muster:problem:" + type, "error", type));
            } catch (ParseException | JOSEException | GeneralSecurityException e) {
                status = 400;
                reply = Json.write(Map.of("detail", e.toString()));
            }
            if (fate == Fate.ANSWERED) {
                boolean jwe = reply[0] != '{';
                exchange.getResponseHeaders().set("Content-Type", jwe ? "application/jose" : "application/json");
                exchange.sendResponseHeaders(status, reply.length);
                exchange.getResponseBody().write(reply);
            }
        }
    }

    private synchronized byte[] answer(String path, byte[] body, String authorization)
            throws IOException, RefusalException, ParseException, JOSEException, GeneralSecurityException {
        return switch (path) {
            case "/nonce" -> {
                String nonce = "nonce-" + ++numbers;
                nonces.add(nonce);
                yield Json.write(Map.of("nonce", nonce));
            }
            case "/register" -> register(Json.readObject(body));
            case "/token" -> token(form(new String(body, StandardCharsets.US_ASCII)), authorization);
            case "/devices/me/credentials" -> rotate(Json.readObject(body), authorization);
            default -> throw new RefusalException(404, "not-found");
        };
    }

    private byte[] register(Map<String, Object> request)
            throws IOException, RefusalException, ParseException, JOSEException, GeneralSecurityException {
        String serial = (String) request.get("serial");
        Device device = devices.get(serial);
        JWK publicKey = proved(request, serial);
        if (isRepeat(request)) {
            return sealed.get(attempt(request)).reply();
        }
        if (device != null) {
            boolean used = device.credentials.stream().anyMatch(credential -> credential.confirmed);
            if (rule == Rule.NEVER || used) {
                throw new RefusalException(400, "registration-refused");
            }
            device.credentials.forEach(credential -> credential.ended = true);
        } else {
            device = new Device();
            device.id = String.format("%032x", ++numbers);
            devices.put(serial, device);
        }
        Credential credential = issue(device, publicKey);
        Map<String, Object> receipt = receipt(device, credential);
        receipt.put("fleet", "default");
        receipt.put("configuration", Map.of("padding", padding));
        return reply(request, receipt, credential);
    }

    private byte[] rotate(Map<String, Object> request, String authorization)
            throws IOException, RefusalException, ParseException, JOSEException, GeneralSecurityException {
        Credential present = authenticated((String) request.get("clientAssertion"), authorization, "unauthorized");
        Map.Entry<String, Device> owner = devices.entrySet().stream()
                .filter(entry -> entry.getValue().credentials.contains(present))
                .findAny()
                .orElseThrow();
        JWK publicKey = proved(request, owner.getKey());
        if (isRepeat(request)) {
            return sealed.get(attempt(request)).reply();
        }
        owner.getValue().credentials.stream()
                .filter(credential -> credential.replaces == present && !credential.confirmed)
                .forEach(credential -> credential.ended = true);
        Credential next = issue(owner.getValue(), publicKey);
        next.replaces = present;
        return reply(request, receipt(owner.getValue(), next), next);
    }

    private Credential issue(Device device, JWK publicKey) {
        Credential credential = new Credential();
        credential.key = "AKEY" + ++numbers;
        credential.publicKey = publicKey;
        credential.secret = publicKey == null ? "secret/" + ++numbers : null;
        device.credentials.add(credential);
        byKey.put(credential.key, credential);
        return credential;
    }

    private static Map<String, Object> receipt(Device device, Credential credential) {
        Map<String, Object> receipt = new LinkedHashMap<>();
        receipt.put("deviceId", device.id);
        receipt.put("key", credential.key);
        if (credential.secret != null) {
            receipt.put("secret", credential.secret);
        }
        return receipt;
    }

    private boolean isRepeat(Map<String, Object> request) {
        Sealed before = sealed.get(attempt(request));
        return before != null && !before.credential().confirmed && !before.credential().ended;
    }

    private static String attempt(Map<String, Object> request) {
        return request.get("serial") + " " + request.get("requestId") + " " + request.get("replyKey") + " "
                + request.get("publicKey");
    }

    private byte[] reply(Map<String, Object> request, Map<String, Object> receipt, Credential credential)
            throws IOException, ParseException, JOSEException {
        byte[] plain = Json.write(receipt);
        if (!(request.get("replyKey") instanceof Map<?, ?> replyKey)) {
            return plain;
        }
        JWEObject jwe = new JWEObject(
                new JWEHeader.Builder(JWEAlgorithm.ECDH_ES, EncryptionMethod.A256GCM)
                        .contentType("json")
                        .build(),
                new Payload(plain));
        jwe.encrypt(new ECDHEncrypter(ECKey.parse(text(replyKey))));
        byte[] reply = jwe.serialize().getBytes(StandardCharsets.US_ASCII);
        sealed.put(attempt(request), new Sealed(reply, credential));
        return reply;
    }

    private JWK proved(Map<String, Object> request, String serial)
            throws RefusalException, ParseException, JOSEException, GeneralSecurityException {
        if (!(request.get("publicKey") instanceof Map<?, ?> json)) {
            return null;
        }
        JWK key = JWK.parse(text(json));
        JWSObject proof = JWSObject.parse((String) request.get("proof"));
        Map<String, Object> claims = proof.getPayload().toJSONObject();
        if (key.isPrivate()
                || !"muster-proof+jwt".equals(proof.getHeader().getType().getType())
                || !isSigned(proof, key)
                || !serial.equals(claims.get("serial"))
                || !uri().toString().equals(claims.get("aud"))
                || !nonces.remove(String.valueOf(claims.get("nonce")))) {
            throw new RefusalException(400, "registration-refused");
        }
        return key;
    }

    private byte[] token(Map<String, String> form, String authorization)
            throws IOException, RefusalException, ParseException, JOSEException, GeneralSecurityException {
        authenticated(form.get("client_assertion"), authorization, "invalid_client");
        return Json.write(Map.of("access_token", "token-" + ++numbers, "token_type", "Bearer", "expires_in", 900));
    }

    /** By the credential itself, and no token; the first use confirms it. */
    private Credential authenticated(String assertion, String authorization, String otherwise)
            throws RefusalException, ParseException, JOSEException, GeneralSecurityException {
        boolean both = assertion != null && authorization != null;
        Credential credential = authorization != null ? basic(authorization) : assertion(String.valueOf(assertion));
        if (both || credential == null || credential.ended) {
            throw new RefusalException(401, otherwise);
        }
        credential.confirmed = true;
        if (credential.replaces != null) {
            credential.replaces.ended = true;
        }
        return credential;
    }

    private Credential basic(String authorization) {
        if (!authorization.startsWith("Basic ")) {
            return null;
        }
        String[] both = new String(
                        Base64.getDecoder().decode(authorization.substring("Basic ".length())),
                        StandardCharsets.US_ASCII)
                .split(":");
        Credential credential = byKey.get(decoded(both[0]));
        return credential != null && decoded(both[1]).equals(credential.secret) ? credential : null;
    }

    private Credential assertion(String text)
            throws RefusalException, ParseException, JOSEException, GeneralSecurityException {
        JWSObject assertion = JWSObject.parse(text);
        Map<String, Object> claims = assertion.getPayload().toJSONObject();
        Credential credential = byKey.get(String.valueOf(claims.get("sub")));
        boolean fresh = claims.containsKey("nonce")
                ? nonces.remove((String) claims.get("nonce"))
                : used.add(String.valueOf(claims.get("jti"))) && claims.containsKey("exp");
        return credential != null
                        && credential.publicKey != null
                        && credential.key.equals(claims.get("iss"))
                        && uri().toString().equals(claims.get("aud"))
                        && isSigned(assertion, credential.publicKey)
                        && fresh
                ? credential
                : null;
    }

    /**
     * Verifies with libraries that the client does not have: Nimbus for P-256; the JDK for Ed25519, for which Nimbus
     * needs Tink.
     */
    static boolean isSigned(JWSObject object, JWK key) throws JOSEException, GeneralSecurityException {
        if (key instanceof ECKey ec) {
            return object.verify(new ECDSAVerifier(ec));
        }
        byte[] raw = ((OctetKeyPair) key).getDecodedX();
        byte[] prefix = Base64.getDecoder().decode("MCowBQYDK2VwAyEA");
        byte[] encoded = Arrays.copyOf(prefix, prefix.length + raw.length);
        System.arraycopy(raw, 0, encoded, prefix.length, raw.length);
        Signature signature = Signature.getInstance("Ed25519");
        signature.initVerify(KeyFactory.getInstance("Ed25519").generatePublic(new X509EncodedKeySpec(encoded)));
        signature.update(object.getSigningInput());
        return object.getHeader().getAlgorithm().getName().equals("EdDSA")
                && signature.verify(object.getSignature().decode());
    }

    static Map<String, String> form(String text) {
        Map<String, String> form = new HashMap<>();
        for (String pair : text.split("&")) {
            form.put(pair.substring(0, pair.indexOf('=')), decoded(pair.substring(pair.indexOf('=') + 1)));
        }
        return form;
    }

    private static String decoded(String text) {
        return URLDecoder.decode(text, StandardCharsets.UTF_8);
    }

    private static Map<String, Object> text(Map<?, ?> json) {
        Map<String, Object> copy = new HashMap<>();
        json.forEach((name, value) -> copy.put((String) name, value));
        return copy;
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }

    private static final class RefusalException extends Exception {

        private static final long serialVersionUID = 1;

        private final transient Refusal refusal;

        RefusalException(int status, String type) {
            super(type);
            this.refusal = new Refusal(status, type);
        }
    }
}
