// SPDX-License-Identifier: Apache-2.0
package io.muster.command.audit;

import picocli.CommandLine.Command;

/** The commands about the record of decisions. */
@Command(
        name = "audit",
        description = "The sealed record of decisions.",
        mixinStandardHelpOptions = true,
        subcommands = Verify.class,
        synopsisSubcommandLabel = "COMMAND")
public final class Audit {}
