// SPDX-License-Identifier: Apache-2.0
package io.muster.bench.floor;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import jakarta.ws.rs.HeaderParam;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.MessageDigest;
import java.security.Provider;
import java.security.Signature;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Base64;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The upper bounds for a registry on this server: an empty endpoint, the bare transaction, a bare signature. It checks
 * nothing that well-behaved clients do not need.
 */
@Path("/")
@Produces(MediaType.APPLICATION_JSON)
public class FloorResource {

    private static final Base64.Encoder BASE64 = Base64.getUrlEncoder().withoutPadding();

    /** The hashes of the secrets that {@code /register} issued since the start, by key. */
    private static final Map<String, byte[]> HASHES = new ConcurrentHashMap<>();

    /** Opened with the first registration. */
    private static final class Pool {

        static final HikariDataSource INSTANCE = open();

        private static HikariDataSource open() {
            HikariConfig config = new HikariConfig();
            config.setDriverClassName("org.mariadb.jdbc.Driver");
            config.setJdbcUrl(System.getProperty("bench.database.url"));
            config.setUsername(System.getProperty("bench.database.user"));
            config.setPassword(System.getProperty("bench.database.password"));
            config.addDataSourceProperty("useServerPrepStmts", "true");
            config.addDataSourceProperty("cachePrepStmts", "true");
            config.setMaximumPoolSize(16);
            config.setAutoCommit(false);
            config.setConnectionTimeout(5000);
            config.setTransactionIsolation("TRANSACTION_READ_COMMITTED");
            return new HikariDataSource(config);
        }
    }

    /** ES256, native if the launcher offers it. */
    private static final class Signer {

        static final Provider PROVIDER = provider();
        static final KeyPair KEY = key();

        private static Provider provider() {
            try {
                Class<?> type = Class.forName("com.amazon.corretto.crypto.provider.AmazonCorrettoCryptoProvider");
                Provider found = (Provider) type.getField("INSTANCE").get(null);
                return type.getMethod("getLoadingError").invoke(found) == null ? found : null;
            } catch (ReflectiveOperationException | LinkageError e) {
                return null;
            }
        }

        private static KeyPair key() {
            try {
                KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
                generator.initialize(256);
                return generator.generateKeyPair();
            } catch (GeneralSecurityException e) {
                throw new IllegalStateException(e);
            }
        }

        static byte[] sign(byte[] text) throws GeneralSecurityException {
            String name = "SHA256withECDSAinP1363Format";
            Signature signature =
                    PROVIDER == null ? Signature.getInstance(name) : Signature.getInstance(name, PROVIDER);
            signature.initSign(KEY.getPrivate());
            signature.update(text);
            return signature.sign();
        }
    }

    /** Reads the body and answers with a small object. */
    @POST
    @Path("echo")
    public byte[] echo(InputStream body) throws IOException {
        return json("{\"length\":" + body.readAllBytes().length + ",\"active\":true,\"token_type\":\"Bearer\"}");
    }

    /** Registers the serial of {@code {"serial":"..."}}. */
    @POST
    @Path("register")
    public byte[] register(InputStream body) throws IOException, SQLException {
        String text = new String(body.readAllBytes(), StandardCharsets.US_ASCII);
        String serial = text.substring(text.indexOf(":\"") + 2, text.lastIndexOf('"'));
        BareRegistration.Registered registered;
        try (Connection connection = Pool.INSTANCE.getConnection()) {
            registered = BareRegistration.register(connection, serial);
        }
        HASHES.put(registered.key(), registered.hash());
        return json("{\"deviceId\":\"" + registered.deviceId() + "\",\"key\":\"" + registered.key() + "\",\"secret\":\""
                + registered.secret() + "\"}");
    }

    /** Signs a token for a client with a key and secret of {@code /register}. */
    @POST
    @Path("token")
    public byte[] token(@HeaderParam("Authorization") String authorization, InputStream body)
            throws IOException, GeneralSecurityException {
        String form = new String(body.readAllBytes(), StandardCharsets.US_ASCII);
        String pair = new String(Base64.getDecoder().decode(authorization.substring(6)), StandardCharsets.US_ASCII);
        int colon = pair.indexOf(':');
        String key = pair.substring(0, colon);
        if (!MessageDigest.isEqual(HASHES.get(key), BareRegistration.hash(pair.substring(colon + 1)))
                || !form.equals("grant_type=client_credentials")) {
            throw new IllegalArgumentException("wrong secret");
        }
        long now = System.currentTimeMillis() / 1000;
        String head = BASE64.encodeToString(json("{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"floor\"}"));
        String claims = BASE64.encodeToString(json("{\"iss\":\"http://127.0.0.1:8080\",\"sub\":\"" + key
                + "\",\"aud\":\"http://127.0.0.1:8080\",\"iat\":" + now + ",\"exp\":" + (now + 900) + ",\"jti\":\""
                + System.nanoTime() + "\",\"client_id\":\"" + key + "\",\"fleet\":\"default\"}"));
        String text = head + "." + claims;
        String token = text + "." + BASE64.encodeToString(Signer.sign(text.getBytes(StandardCharsets.US_ASCII)));
        return json("{\"access_token\":\"" + token + "\",\"token_type\":\"Bearer\",\"expires_in\":900}");
    }

    private static byte[] json(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
