// SPDX-License-Identifier: Apache-2.0
package io.muster.plugin.mongo;

import com.mongodb.MongoClientSettings;
import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoClients;
import de.bwaldvogel.mongo.MongoVersion;
import de.bwaldvogel.mongo.backend.memory.MemoryBackend;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.List;
import org.bson.BsonDocument;

/** A server for tests that speaks MongoDB's wire protocol and keeps its documents in memory. Knows no users. */
public final class MongoServer implements AutoCloseable {

    /** The oldest version that the driver accepts; the tests use nothing newer. */
    private static final class Version implements MongoVersion {

        @Override
        public List<Integer> getVersionArray() {
            return List.of(4, 2, 0);
        }

        @Override
        public int getWireVersion() {
            return 8;
        }
    }

    private final de.bwaldvogel.mongo.MongoServer server;
    private final int port;

    private MongoServer(de.bwaldvogel.mongo.MongoServer server, int port) {
        this.server = server;
        server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 1, 2);
        this.port = server.getLocalAddress().getPort();
    }

    private static de.bwaldvogel.mongo.MongoServer inMemory() {
        return new de.bwaldvogel.mongo.MongoServer(new MemoryBackend().version(new Version()));
    }

    /** Starts an empty one. */
    public static MongoServer start() {
        return startOn(0);
    }

    static MongoServer startOn(int port) {
        return new MongoServer(inMemory(), port);
    }

    static MongoServer startWithTls(PrivateKey key, X509Certificate certificate) {
        de.bwaldvogel.mongo.MongoServer server = inMemory();
        server.enableSsl(key, null, certificate);
        return new MongoServer(server, 0);
    }

    /** The port on 127.0.0.1. */
    public int port() {
        return port;
    }

    /** The address. */
    public String uri() {
        return "mongodb://127.0.0.1:" + port;
    }

    /** Adds documents to the collection {@code serials} of the database {@code factory}. */
    public void insert(String... documents) {
        try (MongoClient client = MongoClients.create(MongoClientSettings.builder()
                .applyToClusterSettings(
                        cluster -> cluster.hosts(List.of(new com.mongodb.ServerAddress("127.0.0.1", port))))
                .build())) {
            for (String document : documents) {
                client.getDatabase("factory")
                        .getCollection("serials", BsonDocument.class)
                        .insertOne(BsonDocument.parse(document));
            }
        }
    }

    /** Stops it. */
    @Override
    public void close() {
        server.shutdownNow();
    }
}
