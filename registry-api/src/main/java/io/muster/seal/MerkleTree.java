// SPDX-License-Identifier: Apache-2.0
package io.muster.seal;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * The Merkle tree of RFC 6962 section 2.1 with SHA-256. Hashes of leaves and of nodes begin with different bytes, so
 * that no node can be passed off as a leaf.
 */
public final class MerkleTree {

    private static final byte LEAF = 0;
    private static final byte NODE = 1;

    private MerkleTree() {}

    /** Returns the hash of a leaf. */
    public static byte[] leaf(byte[] content) {
        MessageDigest digest = sha256();
        digest.update(LEAF);
        return digest.digest(content);
    }

    private static byte[] node(byte[] left, byte[] right) {
        MessageDigest digest = sha256();
        digest.update(NODE);
        digest.update(left);
        return digest.digest(right);
    }

    /** Returns the root over the hashes of leaves; of none, the hash of nothing. */
    public static byte[] root(List<byte[]> leaves) {
        if (leaves.isEmpty()) {
            return sha256().digest();
        }
        List<byte[]> row = leaves;
        while (row.size() > 1) {
            // A last one without a partner goes up as it is: the left half of the RFC is the largest power of two.
            List<byte[]> above = new ArrayList<>(row.size() / 2 + 1);
            for (int i = 0; i < row.size(); i += 2) {
                above.add(i + 1 < row.size() ? node(row.get(i), row.get(i + 1)) : row.get(i));
            }
            row = above;
        }
        return row.get(0).clone();
    }

    /**
     * Returns the hashes that prove that a leaf is in the tree (RFC 6962 section 2.1.1), those near the leaf first.
     *
     * @param position of the leaf, from zero on
     */
    public static List<byte[]> path(List<byte[]> leaves, int position) {
        List<byte[]> path = new ArrayList<>();
        int first = 0;
        int end = leaves.size();
        while (end - first > 1) {
            int middle = first + leftHalf(end - first);
            boolean left = position < middle;
            path.add(0, root(left ? leaves.subList(middle, end) : leaves.subList(first, middle)));
            first = left ? first : middle;
            end = left ? middle : end;
        }
        return path;
    }

    private static int leftHalf(int leaves) {
        return Integer.highestOneBit(leaves - 1);
    }

    /**
     * Returns the root that follows from a leaf and its path.
     *
     * @param position of the leaf, from zero on
     * @param leaves how many the tree has
     * @return empty if a tree of this size has no such path
     */
    public static Optional<byte[]> root(byte[] leaf, int position, int leaves, List<byte[]> path) {
        if (position < 0 || position >= leaves) {
            return Optional.empty();
        }
        byte[] hash = leaf;
        int used = 0;
        int index = position;
        int last = leaves - 1;
        while (last > 0) {
            // Only the last of a row may have no partner.
            if (index % 2 == 1 || index < last) {
                if (used == path.size()) {
                    return Optional.empty();
                }
                byte[] other = path.get(used++);
                hash = index % 2 == 1 ? node(other, hash) : node(hash, other);
            }
            index /= 2;
            last /= 2;
        }
        return used == path.size() ? Optional.of(Arrays.copyOf(hash, hash.length)) : Optional.empty();
    }

    static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
