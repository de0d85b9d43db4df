// SPDX-License-Identifier: Apache-2.0
package io.muster.command.audit;

import io.muster.command.audit.OpenSeal.Leaf;
import io.muster.seal.MerkleTree;
import io.muster.seal.Seal;
import java.io.IOException;
import java.io.InputStream;
import java.security.PublicKey;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Verifies an export of the record, or a receipt, with nothing but public keys. It reads line by line, and keeps no more
 * than one seal. Not thread-safe; good for one file.
 *
 * <p>The signature of a seal covers the root over its records. An export has the hash of each record beside it, so that
 * a difference has a name. If those hashes are not the ones that were signed, the seal is named.
 */
public final class ExportVerifier {

    private static final HexFormat HEX = HexFormat.of();
    private static final byte[] NO_SEAL = new byte[32];

    private final Map<String, PublicKey> keys;
    private final Consumer<Fault> listener;
    private long faults;
    private long records;
    private long erased;
    private long first;
    private long last;
    private Optional<byte[]> lastHash = Optional.empty();
    private Optional<OpenSeal> open = Optional.empty();
    private boolean ended;

    /**
     * The result.
     *
     * @param first the first seal that was seen, or 0
     * @param last the last one
     * @param erased of how many records the personal part was erased
     */
    public record Result(long first, long last, long records, long erased, long faults) {

        /** Tells whether nothing was changed, removed, inserted or reordered. */
        public boolean isIntact() {
            return faults == 0;
        }

        @Override
        public String toString() {
            return "seals " + first + " to " + last + ", " + records + " records"
                    + (erased == 0 ? "" : ", " + erased + " of them without their erased personal part") + ": "
                    + (isIntact() ? "intact" : "NOT INTACT, " + faults + (faults == 1 ? " fault" : " faults"));
        }
    }

    /**
     * Makes a verifier.
     *
     * @param keys the registry's public keys by their ids
     * @param listener gets each fault when it is found
     */
    public ExportVerifier(Map<String, PublicKey> keys, Consumer<Fault> listener) {
        this.keys = Map.copyOf(keys);
        this.listener = listener;
    }

    /** Reads a file to its end. */
    public Result verify(InputStream in) throws IOException {
        Lines lines = new Lines(in);
        long number = 0;
        for (Optional<String> line = lines.next(); line.isPresent(); line = lines.next()) {
            number++;
            if (!line.get().isBlank()) {
                take(line.get(), number);
            }
        }
        open.ifPresent(OpenSeal::close);
        if (first == 0) {
            report(Fault.ofSeal(0, "there is no seal in the file"));
        } else if (!ended) {
            report(Fault.ofSeal(last, "the last line of the export is missing: there may have been more"));
        }
        return new Result(first, last, records, erased, faults);
    }

    private void report(Fault fault) {
        faults++;
        listener.accept(fault);
    }

    private void take(String text, long number) {
        Optional<Map<String, Object>> line = read(text);
        if (ended) {
            report(Fault.ofSeal(last, "line " + number + " is behind the end"));
        } else if (line.isPresent() && line.get().containsKey("path")) {
            takeReceipt(line.get());
        } else if (line.isPresent() && line.get().containsKey("seal")) {
            takeSeal(line.get());
        } else if (line.isPresent() && line.get().containsKey("end")) {
            takeEnd(line.get().get("end"));
        } else {
            takeRecord(line.flatMap(RecordLine::of), number);
        }
    }

    private static Optional<Map<String, Object>> read(String text) {
        try {
            return Optional.of(JsonLine.object(text));
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    private void takeRecord(Optional<RecordLine> line, long number) {
        records++;
        if (open.isEmpty()) {
            report(Fault.ofSeal(0, "line " + number + " is of a record, and no seal is before it"));
        } else if (line.isEmpty()) {
            open.get().unreadable(number);
        } else {
            erased += line.get().erased() ? 1 : 0;
            open.get().take(line.get());
        }
    }

    private void takeEnd(Object end) {
        ended = true;
        if (!Long.valueOf(last).equals(end)) {
            report(Fault.ofSeal(last, "seals behind it are missing, up to seal " + end));
        }
    }

    private void takeSeal(Map<String, Object> line) {
        open.ifPresent(OpenSeal::close);
        Optional<Seal> seal = seal(line);
        List<Leaf> leaves = leaves(line.get("leaves"));
        long number = seal.map(Seal::number).orElse(last + 1);
        if (seal.isEmpty()) {
            report(Fault.ofSeal(number, "is not written as the registry writes seals"));
        } else {
            check(seal.get());
            if (leaves.size() != seal.get().records()
                    || !isRoot(leaves, seal.get().root())) {
                report(Fault.ofSeal(number, "the hashes of its records are not those that were signed"));
            }
        }
        open = Optional.of(new OpenSeal(number, seal.map(Seal::from), leaves, this::report));
        first = first == 0 ? number : first;
        last = number;
        lastHash = seal.map(Seal::hash);
    }

    @SuppressWarnings("unchecked")
    private static Optional<Seal> seal(Map<String, Object> line) {
        return line.get("seal") instanceof Map<?, ?> members
                ? Seal.of((Map<String, Object>) members)
                : Optional.empty();
    }

    private static List<Leaf> leaves(Object list) {
        List<Leaf> leaves = new ArrayList<>();
        if (list instanceof List<?> elements) {
            for (Object element : elements) {
                boolean known = element instanceof Map<?, ?> leaf
                        && leaf.get("id") instanceof String
                        && leaf.get("hash") instanceof String;
                leaves.add(
                        known
                                ? new Leaf((String) ((Map<?, ?>) element).get("id"), (String)
                                        ((Map<?, ?>) element).get("hash"))
                                : new Leaf(null, null));
            }
        }
        return leaves;
    }

    private static boolean isRoot(List<Leaf> leaves, byte[] root) {
        try {
            return leaves.stream().noneMatch(leaf -> leaf.hash() == null)
                    && Arrays.equals(
                            root,
                            MerkleTree.root(leaves.stream()
                                    .map(leaf -> HEX.parseHex(leaf.hash()))
                                    .toList()));
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    private void check(Seal seal) {
        checkSignature(seal);
        if (first == 0) {
            if (seal.number() == 1 && !Arrays.equals(seal.previous(), NO_SEAL)) {
                report(Fault.ofSeal(1, "is the first one, and names one before it"));
            }
        } else if (seal.number() != last + 1) {
            report(Fault.ofSeal(seal.number(), "stands behind seal " + last + ": seals are missing or reordered"));
        } else if (lastHash.isPresent() && !Arrays.equals(lastHash.get(), seal.previous())) {
            report(Fault.ofSeal(seal.number(), "was made behind another seal " + last + " than the one in the file"));
        }
    }

    private void checkSignature(Seal seal) {
        PublicKey key = keys.get(seal.kid());
        if (key == null) {
            report(Fault.ofSeal(seal.number(), "its key " + seal.kid() + " is not among the public keys"));
        } else if (!seal.isSignedBy(key)) {
            report(Fault.ofSeal(seal.number(), "its signature is wrong"));
        }
    }

    /** A receipt is its own end. */
    private void takeReceipt(Map<String, Object> line) {
        if (first != 0 || records != 0) {
            report(Fault.ofSeal(last, "a receipt stands behind it: a receipt must be the only line of its file"));
            return;
        }
        ended = true;
        Optional<Seal> seal = seal(line);
        Optional<RecordLine> record = RecordLine.of(line);
        if (seal.isEmpty() || record.isEmpty()) {
            report(Fault.ofSeal(0, "the receipt is not written as the registry writes receipts"));
            return;
        }
        first = seal.get().number();
        last = first;
        records = 1;
        erased = record.get().erased() ? 1 : 0;
        checkSignature(seal.get());
        boolean proved = record.get().seal() == first
                && root(record.get(), seal.get(), line.get("path"))
                        .filter(root -> Arrays.equals(root, seal.get().root()))
                        .isPresent();
        if (!proved) {
            report(Fault.ofRecord(first, record.get().position(), record.get().id(), "is not what the seal closes"));
        }
    }

    private static Optional<byte[]> root(RecordLine record, Seal seal, Object path) {
        try {
            List<byte[]> hashes = ((List<?>) path)
                    .stream().map(hash -> HEX.parseHex((String) hash)).toList();
            return MerkleTree.root(record.leaf(), record.position(), seal.records(), hashes);
        } catch (ClassCastException | IllegalArgumentException e) {
            return Optional.empty();
        }
    }
}
