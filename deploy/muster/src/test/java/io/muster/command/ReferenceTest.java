// SPDX-License-Identifier: Apache-2.0
package io.muster.command;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;
import picocli.CommandLine.Help.Ansi;

/** The page docs/muster-commands.md is what the command says of itself. {@code -Dreference.write=true} writes it. */
class ReferenceTest {

    private static final Path PAGE = Path.of("../../docs/muster-commands.md");

    @TempDir
    Path home;

    @Test
    void pageIsWhatTheCommandSays() throws IOException {
        StringBuilder page = new StringBuilder(
                """
                # The commands of `muster`

                This page is made from the command. [The command muster](muster.md) explains profiles, output and exit
                codes. Each command has this text as its `--help`.
                """);
        append(page, new Desk(home).line());
        if (Boolean.getBoolean("reference.write")) {
            Files.writeString(PAGE, page);
        }
        assertThat(page.toString())
                .as("mvn -pl registry-api,deploy/muster test -Dtest=ReferenceTest -Dreference.write=true writes it")
                .isEqualTo(Files.readString(PAGE));
    }

    private static void append(StringBuilder page, CommandLine line) {
        String name = line.getCommandSpec().qualifiedName();
        String usage = line.setUsageHelpWidth(98)
                .getUsageMessage(Ansi.OFF)
                .lines()
                .map(String::stripTrailing)
                .reduce("", (all, one) -> all + one + "\n");
        page.append(name.equals("muster") ? "\n" : "\n## " + name + "\n\n")
                .append("```text\n")
                .append(usage)
                .append("```\n");
        line.getSubcommands().values().forEach(one -> append(page, one));
    }
}
