// SPDX-License-Identifier: Apache-2.0
package io.muster.command.audit;

import static org.assertj.core.api.Assertions.assertThat;

import io.muster.command.Desk;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.PublicKey;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ExportVerifierTest {

    private static final int SEALS = 20;
    private static final int PER_SEAL = 50;
    private static final List<String> LINES = SampleExport.lines(SEALS, PER_SEAL);

    /** The line of a record: each seal has one of its own. */
    private static int line(int record) {
        return record / PER_SEAL * (PER_SEAL + 1) + 1 + record % PER_SEAL;
    }

    private static String name(int record) {
        return "seal " + (record / PER_SEAL + 1) + ", position " + record % PER_SEAL + ", record "
                + SampleExport.id(record);
    }

    private static List<String> faults(List<String> lines, Map<String, PublicKey> keys) {
        List<String> faults = new ArrayList<>();
        ExportVerifier verifier = new ExportVerifier(keys, fault -> faults.add(fault.toString()));
        InputStream in = new SequenceInputStream(Collections.enumeration(lines.stream()
                .map(line -> new ByteArrayInputStream((line + "\n").getBytes(StandardCharsets.UTF_8)))
                .toList()));
        try {
            ExportVerifier.Result result = verifier.verify(in);
            assertThat(result.isIntact()).isEqualTo(faults.isEmpty());
            assertThat(result.faults()).isEqualTo(faults.size());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return faults;
    }

    private static List<String> after(Consumer<List<String>> change) {
        List<String> lines = new ArrayList<>(LINES);
        change.accept(lines);
        return faults(lines, SampleExport.keys());
    }

    private static List<String> with(int record, UnaryOperator<String> change) {
        return after(lines -> {
            String before = lines.get(line(record));
            String changed = change.apply(before);
            assertThat(changed).isNotEqualTo(before);
            lines.set(line(record), changed);
        });
    }

    @Test
    void recordsThatNobodyTouchedAreIntact() {
        assertThat(after(lines -> {})).isEmpty();
    }

    @Test
    void receiptDoesNotHideThatAnExportWasCutOff() {
        int twoSeals = 2 * (PER_SEAL + 1);
        assertThat(after(lines -> {
                    lines.subList(twoSeals, lines.size()).clear();
                    lines.add("{\"path\":[]}");
                }))
                .containsExactly(
                        "seal 2: a receipt stands behind it: a receipt must be the only line of its file",
                        "seal 2: the last line of the export is missing: there may have been more");
    }

    @Test
    void eachThatWasTouchedOfHundredThousandIsNamed() {
        int perSeal = 5_000;
        List<String> lines = SampleExport.lines(SEALS, perSeal);
        // In the seals 4, 9, 14 and 19; from behind, so that the lines before stay where they are.
        int seal = perSeal + 1;
        Collections.swap(lines, 18 * seal + 1 + 77, 18 * seal + 1 + 78);
        lines.add(13 * seal + 1 + 100, lines.get(13 * seal + 1 + 99).replaceFirst("0000", "7777"));
        lines.remove(8 * seal + 1 + 4_999);
        lines.set(3 * seal + 1 + 1_234, lines.get(3 * seal + 1 + 1_234).replace("SN-", "SM-"));

        assertThat(faults(lines, SampleExport.keys()))
                .containsExactly(
                        "seal 4, position 1234, record " + SampleExport.id(16_234) + ": changed",
                        "seal 9, position 4999, record " + SampleExport.id(44_999) + ": removed",
                        "seal 14, position 99, record "
                                + SampleExport.id(65_099).replaceFirst("0000", "7777") + ": inserted",
                        "seal 19, position 77, record " + SampleExport.id(90_077)
                                + ": reordered: it stands elsewhere, with position 77");
    }

    @Test
    void changedRecordsAreNamedWhateverByteItIs() {
        for (String part :
                List.of("SN-", "192.0.2", "not in", "refused", "1970-01", "\"salt\":\"3", "\"serial\"", "{\"at\"")) {
            char other = (char) (part.charAt(part.length() - 1) ^ 1);
            assertThat(with(
                            734,
                            line -> line.replaceFirst(
                                    Pattern.quote(part),
                                    Matcher.quoteReplacement(part.substring(0, part.length() - 1) + other))))
                    .as(part)
                    .containsExactly(name(734) + ": changed");
        }
        assertThat(with(49, line -> line.replace(SampleExport.id(49), SampleExport.id(9_999))))
                .containsExactly(name(49) + ": changed");
        assertThat(with(0, line -> line.substring(1))).containsExactly(name(0) + ": changed");
        assertThat(with(7, line -> line.replace("\"position\":7", "\"position\":7,\"late\":true")))
                .containsExactly(name(7) + ": changed: \"late\" is wrong");
    }

    @Test
    void removedRecordsAreNamed() {
        assertThat(after(lines -> lines.remove(line(420)))).containsExactly(name(420) + ": removed");
        assertThat(after(lines -> lines.subList(line(998), line(999) + 1).clear()))
                .containsExactly(name(998) + ": removed", name(999) + ": removed");
    }

    @Test
    void insertedRecordsAreNamed() {
        String strange = LINES.get(line(5)).replace(SampleExport.id(5), SampleExport.id(7_777));

        assertThat(after(lines -> lines.add(line(6), strange)))
                .containsExactly("seal 1, position 5, record " + SampleExport.id(7_777) + ": inserted");
        assertThat(after(lines -> lines.add(line(600), lines.get(line(600)))))
                .containsExactly(name(600) + ": inserted: it is there twice");
        assertThat(after(lines -> lines.add(line(600), lines.get(line(5)))))
                .containsExactly("seal 13, position 5, record " + SampleExport.id(5)
                        + ": inserted: it says that it is of seal 1");
        assertThat(after(lines -> lines.add(line(8), "{")))
                .containsExactly("seal 1, position 8, record in line 10, which cannot be read: inserted");
    }

    @Test
    void reorderedRecordsAreNamed() {
        assertThat(after(lines -> Collections.swap(lines, line(301), line(302))))
                .containsExactly(name(301) + ": reordered: it stands elsewhere, with position 1");
        assertThat(after(lines -> {
                    Collections.swap(lines, line(301), line(302));
                    lines.set(line(301), lines.get(line(301)).replace("\"position\":2", "\"position\":1"));
                    lines.set(line(302), lines.get(line(302)).replace("\"position\":1", "\"position\":2"));
                }))
                .containsExactly(
                        name(302) + ": reordered: it stands elsewhere, with position 1",
                        name(301) + ": reordered: it stands elsewhere, with position 2");
    }

    @Test
    void whatSomebodyWithoutTheKeyDoesToASealShows() {
        assertThat(after(lines -> lines.set(0, lines.get(0).replace("\"version\":1", "\"version\":2"))))
                .containsExactly("seal 1: is not written as the registry writes seals");
        assertThat(after(lines -> lines.set(0, lines.get(0).replace("1970-01-01T00:25:00Z", "1970-01-01T00:25:01Z"))))
                .containsExactly(
                        "seal 1: its signature is wrong",
                        "seal 2: was made behind another seal 1 than the one in the file");
        // Somebody who changes a record and its hash in the list cannot hide it, but which record it was is lost.
        assertThat(after(lines -> lines.set(0, lines.get(0).replaceFirst("\"hash\":\"....", "\"hash\":\"0000"))))
                .contains("seal 1: the hashes of its records are not those that were signed");
        assertThat(after(
                        lines -> lines.subList(PER_SEAL + 1, 2 * (PER_SEAL + 1)).clear()))
                .containsExactly("seal 3: stands behind seal 1: seals are missing or reordered");
        assertThat(after(lines -> lines.remove(lines.size() - 1)))
                .containsExactly("seal 20: the last line of the export is missing: there may have been more");
        assertThat(after(lines -> lines.subList(line(950) - 1, lines.size() - 1).clear()))
                .containsExactly("seal 19: seals behind it are missing, up to seal 20");
        assertThat(faults(LINES, Map.of(SampleExport.KID, SampleExport.pair().getPublic())))
                .hasSize(SEALS)
                .allMatch(fault -> fault.endsWith("its signature is wrong"));
        assertThat(faults(List.of("nothing"), SampleExport.keys())).contains("seal 0: there is no seal in the file");
    }

    @Test
    void partOfTheSealsIsIntactByItself() {
        List<String> some = new ArrayList<>(LINES.subList(10 * (PER_SEAL + 1), 11 * (PER_SEAL + 1)));
        some.add("{\"end\":11}");

        assertThat(faults(some, SampleExport.keys())).isEmpty();
    }

    @Test
    void commandSaysItByItsExitCode(@TempDir Path directory) throws IOException {
        Path keys = directory.resolve("keys.json");
        byte[] x509 = SampleExport.KEY.getPublic().getEncoded();
        Files.writeString(
                keys,
                "{\"keys\": [{\"kty\": \"OKP\", \"crv\": \"Ed25519\", \"kid\": \"" + SampleExport.KID + "\", \"x\": \""
                        + Base64.getUrlEncoder()
                                .withoutPadding()
                                .encodeToString(Arrays.copyOfRange(x509, x509.length - 32, x509.length))
                        + "\"}]}");
        Path export = directory.resolve("export.ndjson");
        List<String> lines = SampleExport.lines(2, 3);

        Files.write(export, lines);
        assertThat(run(0, "audit", "verify", export.toString(), "--keys", keys.toString()))
                .isEqualTo("seals 1 to 2, 6 records: intact");

        lines.remove(2);
        Files.write(export, lines);
        assertThat(run(1, "audit", "verify", export.toString(), "--keys", keys.toString()))
                .isEqualTo("seal 1, position 1, record " + SampleExport.id(1)
                        + ": removed seals 1 to 2, 5 records: NOT INTACT, 1 fault");

        assertThat(run(2, "audit", "verify", export.toString())).contains("--keys");
        assertThat(run(2, "audit", "verify", "nowhere", "--keys", keys.toString()))
                .contains("cannot read nowhere");
        assertThat(run(2, "audit", "verify", export.toString(), "--keys", export.toString()))
                .contains("it is not");
    }

    private static String run(int code, String... args) {
        Desk.Ran ran = new Desk(Path.of("nowhere")).run(args);

        assertThat(ran.status()).as(ran.toString()).isEqualTo(code);
        return (ran.out() + ran.err()).strip().replaceAll("\\R", " ");
    }
}
