// SPDX-License-Identifier: Apache-2.0
package io.muster.plugin.mongo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import io.muster.plugin.mongo.MongoProxy.Script;
import io.muster.spi.Candidates;
import io.muster.spi.TimeLimit;
import io.muster.spi.Verdict;
import io.muster.spi.VerificationUnavailableException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.bson.BsonArray;
import org.bson.BsonBinaryWriter;
import org.bson.BsonDocument;
import org.bson.BsonInt32;
import org.bson.codecs.BsonDocumentCodec;
import org.bson.codecs.EncoderContext;
import org.bson.io.BasicOutputBuffer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Any bytes of a server become a sensible answer, or unavailable, in time. */
@Execution(ExecutionMode.CONCURRENT)
class MongoWireTest {

    private static final Duration LIMIT = Duration.ofSeconds(1);
    private static final String SERIAL = "SN-0001";

    private MongoServer server;
    private MongoProxy proxy;
    private MongoVerifier verifier;

    @BeforeEach
    void start() throws IOException {
        server = MongoServer.start();
        server.insert("{\"serial\": \"" + SERIAL + "\"}");
        proxy = new MongoProxy(server.port());
        verifier = verifier("mongodb://127.0.0.1:" + proxy.port());
    }

    @AfterEach
    void stop() throws IOException {
        verifier.close();
        proxy.close();
        server.close();
    }

    private static MongoVerifier verifier(String uri) {
        MongoVerifier made = new MongoVerifier();
        made.configure(Map.of("uri", uri, "database", "factory", "collection", "serials", "timeout", LIMIT.toString()));
        return made;
    }

    private Verdict ask() {
        return assertTimeoutPreemptively(
                TimeLimit.of(Duration.ofSeconds(10)), () -> verifier.verify(Candidates.withSerial(SERIAL)));
    }

    /** An answer, now or when the connections are there again. */
    private Verdict askUntilAnswered() {
        for (int attempt = 1; ; attempt++) {
            try {
                return ask();
            } catch (VerificationUnavailableException e) {
                if (attempt == 5) {
                    throw e;
                }
            }
        }
    }

    private static byte[] message(byte[] question, int length, byte[] body) {
        ByteBuffer message = ByteBuffer.allocate(16 + body.length).order(ByteOrder.LITTLE_ENDIAN);
        int requestId = ByteBuffer.wrap(question).order(ByteOrder.LITTLE_ENDIAN).getInt(4);
        return message.putInt(length)
                .putInt(1)
                .putInt(requestId)
                .putInt(2013)
                .put(body)
                .array();
    }

    /** A reply to this question with this document in it. */
    private static byte[] says(byte[] question, BsonDocument document) {
        BasicOutputBuffer bson = new BasicOutputBuffer();
        bson.writeInt32(0);
        bson.writeByte(0);
        new BsonDocumentCodec()
                .encode(
                        new BsonBinaryWriter(bson),
                        document,
                        EncoderContext.builder().build());
        byte[] body = bson.toByteArray();
        return message(question, 16 + body.length, body);
    }

    private static Script says(String json) {
        return (line, question, reply) -> line.say(says(question, BsonDocument.parse(json)));
    }

    static Stream<Arguments> sickAnswers() {
        Map<String, Script> sick = new TreeMap<>();
        sick.put("hangs", (line, question, reply) -> line.pause(60_000));
        sick.put("is cut at once", (line, question, reply) -> line.socket().close());
        sick.put("is cut in the middle", (line, question, reply) -> {
            line.say(Arrays.copyOf(reply, reply.length / 2));
            line.socket().close();
        });
        sick.put("hangs in the middle", (line, question, reply) -> {
            line.say(Arrays.copyOf(reply, reply.length / 2));
            line.pause(60_000);
        });
        sick.put("trickles", (line, question, reply) -> {
            line.say(message(question, 40_000_000, new byte[5]));
            while (!line.pause(50)) {
                line.say(new byte[1]);
            }
        });
        sick.put("is 100 MB", (line, question, reply) -> {
            line.say(message(question, 104_857_600, new byte[0]));
            for (int i = 0; i < 100; i++) {
                line.say(new byte[1 << 20]);
            }
        });
        sick.put(
                "claims 2 GB",
                (line, question, reply) -> line.say(message(question, Integer.MAX_VALUE, new byte[100])));
        sick.put("claims a negative length", (line, question, reply) -> line.say(message(question, -1, new byte[100])));
        sick.put("claims no length", (line, question, reply) -> line.say(message(question, 0, new byte[100])));
        sick.put("is empty", (line, question, reply) -> line.say(message(question, 16, new byte[0])));
        sick.put(
                "is HTTP",
                (line, question, reply) ->
                        line.say("HTTP/1.1 400 Bad Request\r\n\r\n".getBytes(StandardCharsets.US_ASCII)));
        sick.put("is garbage", (line, question, reply) -> {
            byte[] garbage = reply.clone();
            Arrays.fill(garbage, 21, garbage.length, (byte) 0xee);
            line.say(garbage);
        });
        sick.put("answers another question", (line, question, reply) -> {
            byte[] other = question.clone();
            other[4]++;
            line.say(says(other, BsonDocument.parse("{\"ok\": 1}")));
        });
        sick.put("says ok and nothing more", says("{\"ok\": 1}"));
        sick.put("has a cursor that is none", says("{\"ok\": 1, \"cursor\": 1}"));
        sick.put(
                "has a batch that is none",
                says("{\"ok\": 1, \"cursor\": {\"id\": 0, \"ns\": \"factory.serials\", \"firstBatch\": 1}}"));
        sick.put(
                "has a document that is none",
                says(
                        "{\"ok\": 1, \"cursor\": {\"id\": {\"$numberLong\": \"0\"}, \"ns\": \"factory.serials\", \"firstBatch\": [1]}}"));
        sick.put("is an error", says("{\"ok\": 0, \"code\": 2, \"errmsg\": \"bad value " + SERIAL + "\"}"));
        sick.put("is no longer primary", says("{\"ok\": 0, \"code\": 10107, \"errmsg\": \"not primary\"}"));
        sick.put("wants authentication", says("{\"ok\": 0, \"code\": 13, \"errmsg\": \"requires authentication\"}"));
        sick.put("is deep", (line, question, reply) -> {
            BsonDocument deep = new BsonDocument();
            for (int i = 0; i < 200; i++) {
                deep = new BsonDocument("a", new BsonArray(java.util.List.of(deep)));
            }
            line.say(says(question, deep.append("ok", new BsonInt32(1))));
        });
        return sick.entrySet().stream().map(entry -> Arguments.of(entry.getKey(), entry.getValue()));
    }

    @Tag("timing")
    @ParameterizedTest(name = "{0}")
    @MethodSource("sickAnswers")
    void answerThatIsNoneIsUnavailableInTimeAndTheNextOneCounts(String name, Script script) {
        assertThat(askUntilAnswered()).isEqualTo(Verdict.genuine());
        proxy.nowAnswersFinds(script);
        long started = System.nanoTime();

        assertThatThrownBy(this::ask)
                .isInstanceOf(VerificationUnavailableException.class)
                .hasNoCause()
                .hasMessageContaining("127.0.0.1:" + proxy.port())
                .hasMessageNotContaining(SERIAL);
        assertThat(Duration.ofNanos(System.nanoTime() - started)).isLessThan(TimeLimit.of(LIMIT.plusSeconds(1)));

        proxy.nowAnswers(MongoProxy.PASSES_ON);
        assertThat(askUntilAnswered()).isEqualTo(Verdict.genuine());
    }

    /** Here the driver's own questions are answered so too, from the first one on. */
    @Tag("timing")
    @ParameterizedTest(name = "{0}")
    @MethodSource("sickAnswers")
    void serverThatIsSickFromTheStartIsUnavailableInTime(String name, Script script) throws IOException {
        try (MongoProxy sick = new MongoProxy(server.port())) {
            sick.nowAnswers(script);
            verifier.close();
            verifier = verifier("mongodb://127.0.0.1:" + sick.port());
            long started = System.nanoTime();

            assertThatThrownBy(this::ask)
                    .isInstanceOf(VerificationUnavailableException.class)
                    .hasNoCause();
            assertThat(Duration.ofNanos(System.nanoTime() - started)).isLessThan(TimeLimit.of(LIMIT.plusSeconds(1)));
        }
    }

    @Test
    void answerThatComesTooLateIsNobodysAnswer() {
        assertThat(askUntilAnswered()).isEqualTo(Verdict.genuine());
        proxy.nowAnswersFinds((line, question, reply) -> {
            line.pause(LIMIT.toMillis() + 300);
            line.say(reply);
        });
        assertThatThrownBy(this::ask).isInstanceOf(VerificationUnavailableException.class);
        proxy.nowAnswers(MongoProxy.PASSES_ON);

        assertThat(askUntilAnswered()).isEqualTo(Verdict.genuine());
        assertThat(verifier.verify(Candidates.withSerial("SN-9999"))).isEqualTo(Verdict.unknown());
    }
}
