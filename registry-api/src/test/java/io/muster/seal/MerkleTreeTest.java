// SPDX-License-Identifier: Apache-2.0
package io.muster.seal;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The published vectors of RFC 6962: those of certificate-transparency's merkle_tree_test. */
class MerkleTreeTest {

    private static final List<String> INPUTS =
            List.of("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f");

    private static List<byte[]> leaves(int many) {
        return INPUTS.subList(0, many).stream()
                .map(HexFormat.of()::parseHex)
                .map(MerkleTree::leaf)
                .toList();
    }

    private static String hex(byte[] hash) {
        return HexFormat.of().formatHex(hash);
    }

    @ParameterizedTest
    @CsvSource({
        "0, e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "1, 6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "2, fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "3, aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "4, d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "5, 4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "6, 76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "7, ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "8, 5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"
    })
    void rootsAreThePublishedOnes(int many, String root) {
        assertThat(hex(MerkleTree.root(leaves(many)))).isEqualTo(root);
    }

    @Test
    void pathsAreThePublishedOnes() {
        Map.of(
                        List.of(0, 1),
                        List.of(),
                        List.of(0, 8),
                        List.of(
                                "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                                "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"),
                        List.of(5, 8),
                        List.of(
                                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
                                "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                                "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"),
                        List.of(2, 3),
                        List.of("fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"),
                        List.of(1, 5),
                        List.of(
                                "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"))
                .forEach((place, path) -> assertThat(MerkleTree.path(leaves(place.get(1)), place.get(0)).stream()
                                .map(MerkleTreeTest::hex))
                        .as("%s", place)
                        .isEqualTo(path));
    }

    @Test
    void everyLeafOfEveryTreeIsProvedByItsPathAndNoOther() {
        for (int size = 1; size <= 70; size++) {
            List<byte[]> leaves = IntStream.range(0, size)
                    .mapToObj(i -> MerkleTree.leaf(new byte[] {(byte) i}))
                    .toList();
            byte[] root = MerkleTree.root(leaves);
            for (int i = 0; i < size; i++) {
                List<byte[]> path = MerkleTree.path(leaves, i);

                assertThat(MerkleTree.root(leaves.get(i), i, size, path)).hasValue(root);

                List<byte[]> longer = new ArrayList<>(path);
                longer.add(root);
                assertThat(MerkleTree.root(leaves.get(i), i, size, longer)).isEmpty();
                assertThat(MerkleTree.root(leaves.get(i), size, size, path)).isEmpty();
                assertThat(MerkleTree.root(leaves.get(i), -1, size, path)).isEmpty();
                if (i > 0) {
                    assertThat(MerkleTree.root(leaves.get(i), i - 1, size, path)
                                    .filter(other -> hex(other).equals(hex(root))))
                            .isEmpty();
                }
            }
        }
    }

    @Test
    void canonicalTextIsThatOfRfc8785() {
        byte[] text = CanonicalJson.bytes(Map.of(
                "\u20ac", "Euro Sign",
                "\r", "Carriage Return",
                "1", 1,
                "text", "\u20ac$\u000f\nA'B\"\\\\\"/\b\t\f\u007f"));

        assertThat(new String(text, StandardCharsets.UTF_8))
                .isEqualTo(
                        "{\"\\r\":\"Carriage Return\",\"1\":1,\"text\":\"\u20ac$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\\b\\t\\f\u007f\","
                                + "\"\u20ac\":\"Euro Sign\"}");
        assertThat(CanonicalJson.bytes(Map.of())).asString().isEqualTo("{}");
    }
}
