// SPDX-License-Identifier: Apache-2.0
package io.muster.plugin.mongo;

import com.mongodb.MongoClientSettings;
import com.mongodb.MongoCommandException;
import com.mongodb.MongoCredential;
import com.mongodb.MongoTimeoutException;
import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoClients;
import com.mongodb.client.MongoCollection;
import com.mongodb.client.model.Projections;
import io.muster.spi.Candidate;
import io.muster.spi.Configurable;
import io.muster.spi.PluginName;
import io.muster.spi.SerialVerifier;
import io.muster.spi.Verdict;
import io.muster.spi.VerificationUnavailableException;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.bson.BsonDocument;
import org.bson.BsonValue;
import org.bson.conversions.Bson;

/** Asks a MongoDB whether a serial is genuine: exactly one document must match. */
@PluginName("mongo")
public final class MongoVerifier implements SerialVerifier, Configurable, AutoCloseable {

    private static final Duration LOOK_AGAIN = Duration.ofMillis(100);

    private MongoSettings settings;
    private MongoClient client;
    private MongoCollection<BsonDocument> collection;
    private Bson projection;

    /** Makes one that knows no MongoDB yet. */
    public MongoVerifier() {
        // configure does the rest
    }

    @Override
    public Set<String> settingNames() {
        return MongoSettings.NAMES;
    }

    @Override
    public Set<String> secretNames() {
        return MongoSettings.SECRETS;
    }

    @Override
    public void configure(Map<String, String> given) {
        settings = MongoSettings.of(given);
        client = client(settings.server());
        collection = client.getDatabase(settings.database()).getCollection(settings.collection(), BsonDocument.class);
        projection = projection(settings);
    }

    private static MongoClient client(MongoSettings.Server server) {
        MongoClientSettings.Builder builder = MongoClientSettings.builder()
                .applyConnectionString(server.uri())
                // For the whole question: choosing a server, connecting, authentication, the answer, and a retry.
                .timeout(server.timeout().toMillis(), TimeUnit.MILLISECONDS)
                .applyToClusterSettings(cluster ->
                        cluster.serverSelectionTimeout(server.timeout().toMillis(), TimeUnit.MILLISECONDS))
                // Otherwise half a second passes before a server that has come back is checked again.
                .applyToServerSettings(
                        monitor -> monitor.minHeartbeatFrequency(LOOK_AGAIN.toMillis(), TimeUnit.MILLISECONDS))
                .applyToSocketSettings(
                        socket -> socket.connectTimeout(server.connectTimeout().toMillis(), TimeUnit.MILLISECONDS))
                .applyToConnectionPoolSettings(pool -> pool.maxSize(server.poolSize()));
        server.authority().ifPresent(authority -> builder.applyToSslSettings(tls -> tls.context(authority)));
        server.user()
                .ifPresent(user -> builder.credential(MongoCredential.createCredential(
                        user,
                        server.authDatabase(),
                        server.password().orElseThrow().toCharArray())));
        return MongoClients.create(builder.build());
    }

    /** Requests only the fields that are read; a document may have 16 MB. */
    private static Bson projection(MongoSettings settings) {
        TreeSet<String> paths = new TreeSet<>();
        // Request them whole. MongoDB omits a path that leads through another type of value, which would then look like
        // an absent field.
        Stream.of(settings.decides().field(), settings.decides().blockedField())
                .flatMap(Optional::stream)
                .map(path -> path.split("\\.")[0])
                .forEach(paths::add);
        settings.mapping().name().ifPresent(paths::add);
        paths.addAll(settings.mapping().tags().values());
        paths.addAll(settings.mapping().attributes().values());
        List<String> apart = new ArrayList<>();
        for (String path : paths) {
            // A path within another one is included with it. Naming it too is a fault.
            if (paths.stream().noneMatch(other -> path.startsWith(other + "."))) {
                apart.add(path);
            }
        }
        return apart.isEmpty()
                ? Projections.include("_id")
                : apart.stream().anyMatch(path -> path.equals("_id") || path.startsWith("_id."))
                        ? Projections.include(apart)
                        : Projections.fields(Projections.include(apart), Projections.excludeId());
    }

    @Override
    public Verdict verify(Candidate candidate) {
        List<BsonDocument> found;
        try {
            found = collection
                    .find(settings.filter().of(candidate))
                    .projection(projection)
                    .limit(2)
                    .into(new ArrayList<>());
        } catch (RuntimeException e) {
            throw unavailable(e);
        }
        if (found.size() > 1) {
            // It is unknown which of them is this device, and whether it is the blocked one.
            throw new VerificationUnavailableException("mongo has several documents for one serial");
        }
        return found.isEmpty() ? Verdict.unknown() : verdict(found.get(0));
    }

    private Verdict verdict(BsonDocument document) {
        MongoSettings.Decides decides = settings.decides();
        if (decides.blockedField().isPresent()
                && text(document, decides.blockedField().get()).equals(decides.blocked())) {
            return Verdict.refused("its field " + decides.blockedField().get() + " means blocked");
        }
        if (decides.field().isPresent()
                && !text(document, decides.field().get()).equals(decides.equals())) {
            String reason = "its field " + decides.field().get() + " has not the value that means genuine";
            return decides.refuseOthers() ? Verdict.refused(reason) : Verdict.unknown();
        }
        MongoSettings.Mapping mapping = settings.mapping();
        Map<String, String> tags = new HashMap<>();
        mapping.tags().forEach((tag, path) -> text(document, path).ifPresent(text -> tags.put(tag, text)));
        Map<String, Object> attributes = new HashMap<>();
        mapping.attributes()
                .forEach((name, path) -> value(document, path).ifPresent(value -> attributes.put(name, value)));
        return new Verdict.Genuine(mapping.name().flatMap(path -> text(document, path)), tags, attributes);
    }

    private static Optional<String> text(BsonDocument document, String path) {
        return value(document, path).map(Object::toString);
    }

    /**
     * Returns the text, number or boolean at the path; empty if it is absent or null.
     *
     * @throws VerificationUnavailableException if there is any other value, which no setting can interpret
     */
    private static Optional<Object> value(BsonDocument document, String path) {
        BsonValue value = document;
        for (String name : path.split("\\.")) {
            if (!value.isDocument()) {
                throw odd(path);
            }
            value = value.asDocument().get(name);
            if (value == null || value.isNull()) {
                return Optional.empty();
            }
        }
        return Optional.of(
                switch (value.getBsonType()) {
                    case STRING -> value.asString().getValue();
                    case BOOLEAN -> value.asBoolean().getValue();
                    case INT32 -> value.asInt32().getValue();
                    case INT64 -> value.asInt64().getValue();
                    case DOUBLE, DECIMAL128 -> finite(value.asNumber().doubleValue(), path);
                    case OBJECT_ID -> value.asObjectId().getValue().toHexString();
                    default -> throw odd(path);
                });
    }

    private static Double finite(double number, String path) {
        if (!Double.isFinite(number)) {
            throw odd(path);
        }
        return number;
    }

    private static VerificationUnavailableException odd(String path) {
        return new VerificationUnavailableException(
                "mongo has something at " + path + " that is neither text nor number nor boolean");
    }

    /** Describes the failure. Does not repeat the server's text, which may contain the serial. */
    private VerificationUnavailableException unavailable(RuntimeException e) {
        String where = "mongo " + settings.server() + " failed with "
                + e.getClass().getSimpleName()
                + (e instanceof MongoCommandException refused ? ", code " + refused.getErrorCode() : "");
        // The exception of waiting for a usable server does not tell why none is usable.
        Stream<Throwable> reasons = e instanceof MongoTimeoutException
                ? client.getClusterDescription().getServerDescriptions().stream()
                        .map(server -> server.getException())
                        .filter(Objects::nonNull)
                : Stream.of(e);
        return new VerificationUnavailableException(reasons.map(MongoVerifier::reason)
                .flatMap(Optional::stream)
                .findFirst()
                .map(reason -> where + ": " + reason)
                .orElse(where));
    }

    /** Returns the JDK's text about the network. */
    private static Optional<String> reason(Throwable thrown) {
        for (Throwable cause = thrown; cause != null; cause = cause.getCause()) {
            if (cause instanceof IOException) {
                return Optional.of(cause.getMessage() + " (" + cause.getClass().getSimpleName() + ")");
            }
        }
        return Optional.empty();
    }

    /** Closes its connections. */
    @Override
    public void close() {
        if (client != null) {
            client.close();
        }
    }
}
