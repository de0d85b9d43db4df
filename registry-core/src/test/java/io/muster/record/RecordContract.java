// SPDX-License-Identifier: Apache-2.0
package io.muster.record;

import static org.assertj.core.api.Assertions.assertThat;

import io.muster.TestClock;
import io.muster.TestNode;
import io.muster.TestRegistry;
import io.muster.audit.Audit;
import io.muster.audit.AuditEvent;
import io.muster.json.Json;
import io.muster.lifecycle.DeviceLifecycle;
import io.muster.persistence.Database;
import io.muster.persistence.Ids;
import io.muster.persistence.Sql;
import io.muster.registration.RegistrationAttempt;
import io.muster.seal.MerkleTree;
import io.muster.seal.Seal;
import io.muster.seal.SealedRecord;
import io.muster.spi.Candidate;
import io.muster.spi.DeviceId;
import io.muster.spi.SerialNumber;
import io.muster.spi.Verdict;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PublicKey;
import java.security.spec.X509EncodedKeySpec;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/**
 * The promises of the sealed record, on every database. A node seals in the background too, so no test expects that a
 * certain call makes a seal.
 */
interface RecordContract {

    String FLEET = "default";
    String ADDRESS = "192.0.2.77";
    byte[] X509 = HexFormat.of().parseHex("302a300506032b6570032100");

    /** A registry with a database of its own that nothing was stored in. */
    TestRegistry fresh();

    private TestRegistry test(TestClock clock) {
        return fresh().with(clock)
                .with("muster.fleet.default.verifiers", "all")
                .with("all", candidate -> Verdict.genuine(Map.of()));
    }

    private static String register(TestNode node, String serial) {
        node.registrar().register(RegistrationAttempt.of(Candidate.of(new SerialNumber(serial), FLEET, ADDRESS)));
        return node.part(Database.class)
                .jdbc(Sql.of("SELECT id FROM device WHERE serial = ?", serial).first(row -> Ids.hex(row.getBytes(1))))
                .orElseThrow();
    }

    private static void record(TestNode node, String detail) {
        node.part(Database.class).transaction(em -> {
            node.audit().record(em, Audit.Type.LOT_WRITTEN, FLEET, null, null, "olga", detail);
            return null;
        });
    }

    /** Lets the time pass after which nothing is expected to come late, and seals everything. */
    private static void seal(TestNode node, TestClock clock) {
        clock.pass(Duration.ofSeconds(10));
        while (node.part(Sealer.class).seal()) {
            assertThat(node.part(SealKeys.class).list()).isNotEmpty();
        }
    }

    private static int run(TestNode node, String sql, Object... parameters) {
        return node.part(Database.class).jdbc(Sql.of(sql, parameters).update());
    }

    private static List<Seal> seals(TestNode node) {
        List<Seal> seals = new ArrayList<>(node.part(Database.class)
                .newest(() -> node.part(SealedRecords.class).before(Long.MAX_VALUE, 1000)));
        Collections.reverse(seals);
        return seals;
    }

    private static Map<String, PublicKey> keys(TestNode node) {
        return node.part(SealKeys.class).list().stream().collect(Collectors.toMap(SealKeys.Published::kid, key -> {
            byte[] x509 = Arrays.copyOf(X509, X509.length + 32);
            System.arraycopy(key.x(), 0, x509, X509.length, 32);
            try {
                return KeyFactory.getInstance("Ed25519").generatePublic(new X509EncodedKeySpec(x509));
            } catch (GeneralSecurityException e) {
                throw new IllegalStateException(e);
            }
        }));
    }

    @SuppressWarnings("unchecked")
    private static Map<String, String> texts(Map<String, Object> line, String member) {
        return (Map<String, String>) line.get(member);
    }

    @SuppressWarnings("unchecked")
    private static List<Map<String, String>> leaves(Map<String, Object> line) {
        return (List<Map<String, String>>) line.get("leaves");
    }

    @SuppressWarnings("unchecked")
    private static List<byte[]> path(Map<String, Object> line) {
        return ((List<String>) line.get("path"))
                .stream().map(HexFormat.of()::parseHex).toList();
    }

    private static byte[] leaf(Map<String, Object> line) {
        HexFormat hex = HexFormat.of();
        byte[] digest = line.containsKey("personal")
                ? SealedRecord.digest(hex.parseHex((String) line.get("salt")), texts(line, "personal"))
                : hex.parseHex((String) line.get("personalDigest"));
        return new SealedRecord(texts(line, "record"), digest).leaf();
    }

    private static String id(Map<String, Object> line) {
        return texts(line, "record").get("id");
    }

    /** Returns the lines of all records, after it checked seals and list of hashes, and names those that do not fit. */
    private static List<Map<String, Object>> lines(TestNode node, Set<String> wrong) {
        List<Map<String, Object>> lines = new ArrayList<>();
        byte[] previous = new byte[32];
        long number = 0;
        for (Seal seal : seals(node)) {
            assertThat(seal.number()).isEqualTo(++number);
            assertThat(seal.previous()).isEqualTo(previous);
            assertThat(seal.isSignedBy(keys(node).get(seal.kid()))).isTrue();
            assertThat(Seal.of(Json.toMap(Json.parse(Json.bytes(seal.members()))).entrySet().stream()
                            .collect(Collectors.toMap(
                                    Map.Entry::getKey,
                                    entry -> entry.getValue() instanceof Number some
                                            ? (Object) some.longValue()
                                            : entry.getValue()))))
                    .map(Seal::members)
                    .hasValue(seal.members());
            List<Map<String, String>> leaves =
                    leaves(node.part(SealedRecords.class).line(seal));
            assertThat(MerkleTree.root(leaves.stream()
                            .map(leaf -> HexFormat.of().parseHex(leaf.get("hash")))
                            .toList()))
                    .isEqualTo(seal.root());
            List<Map<String, Object>> records = new ArrayList<>();
            for (int from = 0; from < seal.records(); from += SealedRecords.PAGE) {
                records.addAll(node.part(SealedRecords.class).page(seal, from));
            }
            Set<String> there = new HashSet<>();
            for (Map<String, Object> line : records) {
                int position = (Integer) line.get("position");
                there.add(id(line));
                assertThat(leaves.get(position).get("id")).isEqualTo(id(line));
                if (!leaves.get(position).get("hash").equals(HexFormat.of().formatHex(leaf(line)))) {
                    wrong.add(id(line));
                }
            }
            leaves.stream()
                    .map(leaf -> leaf.get("id"))
                    .filter(id -> !there.contains(id))
                    .forEach(wrong::add);
            lines.addAll(records);
            previous = seal.hash();
        }
        return lines;
    }

    private static List<Map<String, Object>> intact(TestNode node) {
        Set<String> wrong = new HashSet<>();
        List<Map<String, Object>> lines = node.part(Database.class).newest(() -> lines(node, wrong));
        assertThat(wrong).isEmpty();
        assertThat(lines).extracting(RecordContract::id).doesNotHaveDuplicates();
        return lines;
    }

    private static List<String> of(TestNode node) {
        return node.part(Database.class).newest(() -> {
            List<String> ids = new ArrayList<>(node.audit().list(Optional.empty(), 10_000).stream()
                    .map(AuditEvent::id)
                    .toList());
            ids.addAll(keysOf(node));
            return ids;
        });
    }

    @Test
    default void eventsAndAdmissionsAreSealedOnceInAChain() {
        TestClock clock = new TestClock();
        try (TestNode node = test(clock).start()) {
            String device = register(node, "SN-0001");
            record(node, "a \"lot\"\n\u00e4\u20ac\ud83d\ude00");
            seal(node, clock);
            register(node, "SN-0002");
            record(node, null);
            seal(node, clock);
            int before = seals(node).size();
            seal(node, clock);

            List<Map<String, Object>> lines = intact(node);

            assertThat(lines).extracting(RecordContract::id).containsExactlyInAnyOrderElementsOf(of(node));
            assertThat(lines).extracting(line -> line.get("late")).containsOnlyNulls();
            assertThat(lines)
                    .filteredOn(line -> texts(line, "record").get("type").equals("registered"))
                    .hasSize(2)
                    .anySatisfy(line -> {
                        assertThat(texts(line, "record"))
                                .containsEntry("serial", "SN-0001")
                                .containsEntry("deviceId", device);
                        assertThat(line.get("personal")).isEqualTo(Map.of("who", ADDRESS));
                    });
            assertThat(seals(node)).as("no seal of nothing").hasSize(before);
            assertThat(node.metrics()).contains("muster_seal_age_seconds 0.0");
        }
    }

    @Test
    default void whatIsYoungerThanSomeSecondsWaitsForTheNextSeal() {
        TestClock clock = new TestClock();
        try (TestNode node = test(clock).start()) {
            seal(node, clock);
            register(node, "SN-0001");
            clock.pass(Sealer.GRACE);
            node.part(Sealer.class).seal();

            assertThat(intact(node)).extracting(RecordContract::id).doesNotContainAnyElementsOf(keysOf(node));
        }
    }

    private static List<String> keysOf(TestNode node) {
        return node.part(Database.class)
                .jdbc(Sql.of("SELECT access_key FROM credential").list(row -> row.getString(1)));
    }

    @Test
    default void whatComesLateIsInTheNextSealAndMarked() {
        TestClock clock = new TestClock();
        try (TestNode node = test(clock).start()) {
            clock.pass(Duration.ofHours(3));
            register(node, "SN-0001");
            record(node, "in time");
            seal(node, clock);
            Set<String> before = new HashSet<>(of(node));
            clock.pass(Duration.ofHours(-2));
            register(node, "SN-0002");
            record(node, "late");
            clock.pass(Duration.ofHours(2));
            seal(node, clock);

            List<Map<String, Object>> lines = intact(node);

            assertThat(lines).extracting(RecordContract::id).containsExactlyInAnyOrderElementsOf(of(node));
            assertThat(lines)
                    .allSatisfy(line -> assertThat(line.get("late")).isEqualTo(before.contains(id(line)) ? null : true))
                    .anySatisfy(line -> assertThat(line.get("late")).isEqualTo(true));
        }
    }

    @Test
    default void recordsFromBeforeTheUpgradeAreSealedInBoundedParts() {
        TestClock clock = new TestClock();
        try (TestNode node = test(clock).start()) {
            int many = 2 * Unsealed.NEW + 100;
            Ids ids = node.part(Ids.class);
            node.part(Database.class)
                    .jdbcTransaction(Sql.batch(
                            "INSERT INTO audit_event (id, type, who) VALUES (?, 'refused', '192.0.2.1')",
                            IntStream.range(0, many).boxed().toList(),
                            i -> new Object[] {ids.next()}));
            register(node, "SN-0001");
            seal(node, clock);
            // One that lay far behind, as if its transaction had taken long.
            clock.pass(Duration.ofHours(-1));
            record(node, "very late");
            clock.pass(Duration.ofHours(1));
            seal(node, clock);
            seal(node, clock);

            assertThat(seals(node))
                    .allMatch(seal -> seal.records() <= 2 * (Unsealed.NEW + Unsealed.NEAR + Unsealed.WALK));
            assertThat(seals(node)).hasSizeGreaterThanOrEqualTo(3);
            assertThat(intact(node)).extracting(RecordContract::id).containsExactlyInAnyOrderElementsOf(of(node));
        }
    }

    @Test
    default void severalNodesSealEachRecordOnce() throws Exception {
        TestClock clock = new TestClock();
        TestRegistry test = test(clock);
        ExecutorService threads = Executors.newFixedThreadPool(4);
        try (TestNode node = test.start();
                TestNode other = test.start()) {
            List<Future<?>> work = new ArrayList<>();
            for (TestNode one : List.of(node, other)) {
                work.add(threads.submit(() -> IntStream.range(0, 40).forEach(i -> {
                    register(one, "SN-" + one.hashCode() + "-" + i);
                    record(one, "lot " + i);
                    clock.pass(Duration.ofSeconds(1));
                })));
                work.add(threads.submit(() -> IntStream.range(0, 40)
                        .forEach(i -> one.part(Sealer.class).seal())));
            }
            for (Future<?> one : work) {
                one.get();
            }
            seal(node, clock);

            assertThat(intact(other)).extracting(RecordContract::id).containsExactlyInAnyOrderElementsOf(of(node));
        } finally {
            threads.shutdownNow();
        }
    }

    @Test
    default void sealThatIsNotStoredAsAWholeIsNotStoredAtAll() {
        TestClock clock = new TestClock();
        try (TestNode node = test(clock).start()) {
            register(node, "SN-0001");
            String key = keysOf(node).get(0);
            run(
                    node,
                    "INSERT INTO sealed_admission (access_key, seal, place, digest, hash, device_id, issued_at)"
                            + " VALUES (?, 0, 0, ?, ?, ?, 0)",
                    key,
                    new byte[32],
                    new byte[32],
                    new byte[16]);
            seal(node, clock);

            assertThat(seals(node)).isEmpty();

            run(node, "DELETE FROM sealed_admission WHERE seal = 0");
            seal(node, clock);

            assertThat(intact(node)).extracting(RecordContract::id).containsExactlyInAnyOrderElementsOf(of(node));
        }
    }

    @Test
    default void whatIsErasedWithADeviceIsNotInTheRecordWhichStaysIntact() {
        TestClock clock = new TestClock();
        try (TestNode node = test(clock).start()) {
            DeviceId device = new DeviceId(register(node, "SN-0001"));
            register(node, "SN-0002");
            List<String> keys = keysOf(node);
            seal(node, clock);

            node.part(DeviceLifecycle.class).delete(device, version -> true, "olga");
            seal(node, clock);

            List<Map<String, Object>> lines = intact(node);
            assertThat(lines)
                    .filteredOn(line -> line.toString().contains(device.value()))
                    .isNotEmpty()
                    .noneMatch(line -> line.toString().contains(ADDRESS))
                    .anyMatch(line -> line.containsKey("personalDigest"));

            // As an admission that was never used, after fifty further ones.
            run(node, "DELETE FROM credential WHERE device_id <> ?", Ids.bytes(device.value()));
            assertThat(intact(node))
                    .extracting(RecordContract::id)
                    .containsAll(keys)
                    .hasSameSizeAs(lines);
        }
    }

    @Test
    default void whatSomebodyChangesInTheDatabaseHasAName() {
        TestClock clock = new TestClock();
        try (TestNode node = test(clock).start()) {
            IntStream.range(0, 5).forEach(i -> record(node, "lot " + i));
            register(node, "SN-0001");
            seal(node, clock);
            List<String> ids = node.audit().list(Optional.empty(), 100).stream()
                    .filter(event -> event.type().equals("lot-written"))
                    .map(AuditEvent::id)
                    .toList();
            String key = keysOf(node).get(0);

            run(node, "UPDATE audit_event SET detail = 'lot 9' WHERE id = ?", Ids.bytes(ids.get(1)));
            run(node, "UPDATE audit_event SET who = 'otto' WHERE id = ?", Ids.bytes(ids.get(2)));
            run(node, "DELETE FROM audit_event WHERE id = ?", Ids.bytes(ids.get(3)));
            run(node, "UPDATE credential SET origin = '192.0.2.78' WHERE access_key = ?", key);

            Set<String> wrong = new HashSet<>();
            lines(node, wrong);
            assertThat(wrong).containsExactlyInAnyOrder(ids.get(1), ids.get(2), ids.get(3), key);
        }
    }

    @Test
    default void receiptProvesARecordWithoutAnyOther() {
        TestClock clock = new TestClock();
        try (TestNode node = test(clock).start()) {
            IntStream.range(0, 6).forEach(i -> record(node, "lot " + i));
            register(node, "SN-0001");
            SealedRecords records = node.part(SealedRecords.class);
            assertThat(records.receipt(of(node).get(0))).as("not sealed yet").isEmpty();
            seal(node, clock);

            for (String id : of(node)) {
                Map<String, Object> receipt = records.receipt(id).orElseThrow();
                Seal seal = records.seal((Long) receipt.get("inSeal")).orElseThrow();
                assertThat(receipt.get("seal")).isEqualTo(seal.members());
                assertThat(MerkleTree.root(
                                leaf(receipt), (Integer) receipt.get("position"), seal.records(), path(receipt)))
                        .hasValue(seal.root());
            }
            assertThat(records.receipt("nothing")).isEmpty();
            assertThat(records.receipt("0".repeat(32))).isEmpty();
        }
    }

    @Test
    default void replacedKeyStaysPublishedAndSignsNoMore() {
        TestClock clock = new TestClock();
        try (TestNode node = test(clock).start()) {
            record(node, "before");
            seal(node, clock);
            node.part(SealKeys.class).replace(Optional.of("it was on a laptop"), "olga");
            seal(node, clock);

            List<SealKeys.Published> keys = node.part(SealKeys.class).list();
            assertThat(keys).hasSize(2);
            assertThat(keys.get(0).replacedAt()).isPresent();
            assertThat(keys.get(1).replacedAt()).isEmpty();
            assertThat(keys.get(0).jwk().toString()).doesNotContain("\"d\"");
            List<Seal> seals = seals(node);
            assertThat(seals.get(0).kid()).isEqualTo(keys.get(0).kid());
            assertThat(seals.get(seals.size() - 1).kid()).isEqualTo(keys.get(1).kid());
            assertThat(intact(node)).anyMatch(line -> new String(Json.bytes(line), StandardCharsets.UTF_8)
                    .contains("seal-key-replaced"));
        }
    }

    @Test
    default void nodesTakeTurnsEveryTenSeconds() {
        TestClock clock = new TestClock();
        TestRegistry test = test(clock);
        try (TestNode node = test.start();
                TestNode other = test.start()) {
            record(node, "one");
            clock.pass(Duration.ofSeconds(10));
            node.part(Sealer.class).tend();
            int seals = seals(node).size();
            record(node, "two");
            clock.pass(Duration.ofSeconds(9));
            other.part(Sealer.class).tend();
            assertThat(seals(node)).hasSize(seals);
            clock.pass(Duration.ofSeconds(1));
            other.part(Sealer.class).tend();

            assertThat(seals(node)).hasSize(seals + 1);
            assertThat(intact(node)).extracting(RecordContract::id).containsExactlyInAnyOrderElementsOf(of(node));
        }
    }
}
